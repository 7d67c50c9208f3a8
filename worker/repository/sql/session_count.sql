-- How much the session cleanup would delete, from one snapshot.
-- $1 timestamp  cutoff, UTC
-- $2 uuid       the user, or NULL for all
-- Returns one row: sessions, images, videos, sessions kept for a reference, and one of those.
WITH inactive AS MATERIALIZED (
    SELECT s.id, :session_is_referenced AS referenced
    FROM :sessions s
    WHERE (:session_is_older($1::timestamp) OR s.created_at IS NULL)
      AND ($2::pg_catalog.uuid IS NULL OR s.user_id OPERATOR(pg_catalog.=) $2::pg_catalog.uuid)
      AND NOT EXISTS (SELECT FROM :messages m
                      WHERE m.user_id OPERATOR(pg_catalog.=) s.user_id AND :message_is_users
                        AND :message_is_newer($1::timestamp))
      AND NOT EXISTS (SELECT FROM :messages m
                      WHERE m.user_id OPERATOR(pg_catalog.=) s.user_id AND :message_is_users
                        AND m."timestamp" IS NULL)
)
SELECT (SELECT pg_catalog.count(*) FROM inactive WHERE NOT referenced) AS sessions,
       (SELECT pg_catalog.count(*) FROM :image_sent i
         JOIN inactive d ON d.id OPERATOR(pg_catalog.=) i.session_id
        WHERE NOT d.referenced) AS images,
       (SELECT pg_catalog.count(*) FROM :video_sent v
         JOIN inactive d ON d.id OPERATOR(pg_catalog.=) v.session_id
        WHERE NOT d.referenced) AS videos,
       (SELECT pg_catalog.count(*) FROM inactive WHERE referenced) AS referenced,
       (SELECT pg_catalog.min(id) FROM inactive WHERE referenced) AS example

-- What the session cleanup would delete: a list, oldest first, and the totals, from one snapshot.
-- $1 timestamp  cutoff, UTC
-- $2 uuid       the user, or NULL for all
-- $3 bigint     at most this many in the list
-- Returns at least one row: total, image records, video records; then, NULL when nothing is listed, session id, user id,
-- created_at, time of the user's last message, property id.
WITH inactive AS MATERIALIZED (
    SELECT s.id, s.user_id, s.created_at, s.property_id
    FROM :sessions s
    WHERE (:session_is_older($1::timestamp) OR s.created_at IS NULL)
      AND ($2::pg_catalog.uuid IS NULL OR s.user_id OPERATOR(pg_catalog.=) $2::pg_catalog.uuid)
      AND NOT EXISTS (SELECT FROM :messages m
                      WHERE m.user_id OPERATOR(pg_catalog.=) s.user_id AND :message_is_users
                        AND :message_is_newer($1::timestamp))
      AND NOT EXISTS (SELECT FROM :messages m
                      WHERE m.user_id OPERATOR(pg_catalog.=) s.user_id AND :message_is_users
                        AND m."timestamp" IS NULL)
      AND NOT :session_is_referenced
), totals AS (
    SELECT (SELECT pg_catalog.count(*) FROM inactive) AS sessions,
           (SELECT pg_catalog.count(*) FROM :image_sent i
             JOIN inactive d ON d.id OPERATOR(pg_catalog.=) i.session_id) AS images,
           (SELECT pg_catalog.count(*) FROM :video_sent v
             JOIN inactive d ON d.id OPERATOR(pg_catalog.=) v.session_id) AS videos
), listed AS (
    SELECT * FROM inactive ORDER BY created_at NULLS FIRST, id LIMIT $3
)
SELECT t.sessions, t.images, t.videos, l.id, l.user_id,
       pg_catalog.to_char(:session_created_utc(l.created_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at,
       (SELECT pg_catalog.to_char(:message_time_utc(pg_catalog.max(m."timestamp")),
                                  'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
        FROM :messages m WHERE m.user_id OPERATOR(pg_catalog.=) l.user_id AND :message_is_users) AS last_user_message_time,
       l.property_id
FROM totals t
LEFT JOIN listed l ON true
ORDER BY l.created_at NULLS FIRST, l.id

-- Second look at locked sessions, in a statement (and so a snapshot) of its own, then children and sessions.
-- $1 int[]        index of the request each session belongs to
-- $2 uuid[]       the session's user, locked
-- $3 text[]       session id, locked
-- $4 timestamp[]  the request's cutoff, UTC
-- A session is deleted where the look found it: a locked row stays in its place, and one index probe is saved.
-- Returns for each request with a session: its index; sessions, images, videos deleted; sessions kept for a reference.
WITH inactive AS MATERIALIZED (
    SELECT DISTINCT ON (s.id) s.id, s.ctid AS place, c.request, :session_is_referenced AS referenced
    FROM unnest($1::int[], $2::uuid[], $3::text[], $4::timestamp[])
         AS c (request, user_id, session_id, cutoff)
    JOIN :sessions s ON s.id = c.session_id AND s.user_id = c.user_id
    WHERE (:session_is_older(c.cutoff) OR s.created_at IS NULL)
      AND NOT EXISTS (SELECT FROM :messages m
                      WHERE m.user_id = c.user_id AND :message_is_users
                        AND :message_is_newer(c.cutoff)
                      OFFSET 0)
      AND NOT EXISTS (SELECT FROM :messages m
                      WHERE m.user_id = c.user_id AND :message_is_users AND m."timestamp" IS NULL
                      OFFSET 0)
    ORDER BY s.id, c.request
), images AS (
    DELETE FROM :image_sent i USING inactive d
    WHERE i.session_id = d.id AND NOT d.referenced
    RETURNING d.request
), videos AS (
    DELETE FROM :video_sent v USING inactive d
    WHERE v.session_id = d.id AND NOT d.referenced
    RETURNING d.request
), sessions AS (
    DELETE FROM :sessions s USING inactive d
    WHERE s.ctid = d.place AND s.id = d.id AND NOT d.referenced
    RETURNING d.request
), counted AS (
    SELECT request, 1 AS sessions, 0 AS images, 0 AS videos, 0 AS referenced FROM sessions
    UNION ALL
    SELECT request, 0, 1, 0, 0 FROM images
    UNION ALL
    SELECT request, 0, 0, 1, 0 FROM videos
    UNION ALL
    SELECT request, 0, 0, 0, 1 FROM inactive WHERE referenced
)
SELECT request, sum(sessions), sum(images), sum(videos), sum(referenced)
FROM counted
GROUP BY request

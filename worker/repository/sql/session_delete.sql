-- Second look at locked sessions, in a statement (and so a snapshot) of its own, then children and sessions.
-- $1 int[]        index of the request each session belongs to
-- $2 uuid[]       the session's user, locked
-- $3 text[]       session id, locked
-- $4 timestamp[]  the request's cutoff, UTC
-- $5 text[]       the tables that rows are deleted from, quoted
-- A session is deleted where the look found it: a locked row stays in its place, and one index probe is saved.
-- Returns for each request with a session: its index; sessions, images, videos deleted; sessions kept for a reference,
-- and one of them; NULL. Where fewer sessions went than were due, or a trigger of the application could have kept
-- something, one row more for each session that was due, whose last column is its index from 0 among those given.
-- That question is a sub-select of its own, which is answered once; in a join it would be asked again for each session.
WITH inactive AS MATERIALIZED (
    SELECT DISTINCT ON (s.id) s.id, s.ctid AS place, c.request, c.ordinal,
           :session_is_referenced AS referenced
    FROM unnest($1::int[], $2::pg_catalog.uuid[], $3::pg_catalog.text[], $4::timestamp[]) WITH ORDINALITY
         AS c (request, user_id, session_id, cutoff, ordinal)
    JOIN :sessions s ON s.id OPERATOR(pg_catalog.=) c.session_id AND s.user_id OPERATOR(pg_catalog.=) c.user_id
    WHERE (:session_is_older(c.cutoff) OR s.created_at IS NULL)
      AND NOT EXISTS (SELECT FROM :messages m
                      WHERE m.user_id OPERATOR(pg_catalog.=) c.user_id AND :message_is_users
                        AND :message_is_newer(c.cutoff)
                      OFFSET 0)
      AND NOT EXISTS (SELECT FROM :messages m
                      WHERE m.user_id OPERATOR(pg_catalog.=) c.user_id AND :message_is_users
                        AND m."timestamp" IS NULL
                      OFFSET 0)
    ORDER BY s.id, c.request
), images AS (
    DELETE FROM :image_sent i USING inactive d
    WHERE i.session_id OPERATOR(pg_catalog.=) d.id AND NOT d.referenced
    RETURNING d.request
), videos AS (
    DELETE FROM :video_sent v USING inactive d
    WHERE v.session_id OPERATOR(pg_catalog.=) d.id AND NOT d.referenced
    RETURNING d.request
), sessions AS (
    DELETE FROM :sessions s USING inactive d
    WHERE s.ctid OPERATOR(pg_catalog.=) d.place AND s.id OPERATOR(pg_catalog.=) d.id AND NOT d.referenced
    RETURNING d.request
), counted AS (
    SELECT request, 1 AS sessions, 0 AS images, 0 AS videos, 0 AS referenced, NULL AS example FROM sessions
    UNION ALL
    SELECT request, 0, 1, 0, 0, NULL FROM images
    UNION ALL
    SELECT request, 0, 0, 1, 0, NULL FROM videos
    UNION ALL
    SELECT request, 0, 0, 0, 1, id FROM inactive WHERE referenced
), doubtful AS (
    SELECT FROM (SELECT pg_catalog.count(*) AS due FROM inactive WHERE NOT referenced) d,
                (SELECT pg_catalog.count(*) AS gone FROM sessions) g
    WHERE g.gone OPERATOR(pg_catalog.<>) d.due
       OR EXISTS (SELECT FROM pg_catalog.pg_trigger t
                  WHERE t.tgrelid OPERATOR(pg_catalog.=)
                          ANY ($5::pg_catalog.text[]::pg_catalog.regclass[]::pg_catalog.oid[])
                    AND NOT t.tgisinternal AND t.tgenabled OPERATOR(pg_catalog.<>) 'D')
)
SELECT request, pg_catalog.sum(sessions), pg_catalog.sum(images), pg_catalog.sum(videos),
  pg_catalog.sum(referenced), pg_catalog.min(example), NULL::bigint
FROM counted
GROUP BY request
UNION ALL
SELECT i.request, 0, 0, 0, 0, NULL, i.ordinal OPERATOR(pg_catalog.-) 1
FROM inactive i
WHERE NOT i.referenced AND (SELECT EXISTS (SELECT FROM doubtful))

-- First look of a chain: the next sessions in order of (user_id, id), without a lock, with whether each looks inactive.
-- $1 timestamp  cutoff, UTC
-- $2 uuid       cursor: user id (the lowest one of the range at the beginning)
-- $3 text       cursor: session id ('' at the beginning)
-- $4 uuid       no user beyond this one
-- $5 bigint     at most this many sessions
-- $6 boolean    at the beginning, where the very session of the cursor counts too
-- Returns: user id, session id, inactive.
-- Each user's messages are probed once; OFFSET 0 keeps the planner from joining all messages instead.
WITH look AS MATERIALIZED (
    SELECT s.user_id, s.id, (:session_is_older($1::timestamp) OR s.created_at IS NULL) AS old
    FROM :sessions s
    WHERE s.user_id OPERATOR(pg_catalog.>=) $2::pg_catalog.uuid
      AND s.user_id OPERATOR(pg_catalog.<=) $4::pg_catalog.uuid
        AND (s.user_id, s.id) OPERATOR(pg_catalog.>=) ($2::pg_catalog.uuid, $3)
      AND ($6::boolean OR (s.user_id, s.id) OPERATOR(pg_catalog.<>) ($2::pg_catalog.uuid, $3))
    ORDER BY s.user_id, s.id
    LIMIT $5
), quiet AS MATERIALIZED (
    SELECT u.user_id
    FROM (SELECT DISTINCT user_id FROM look WHERE old) u
    WHERE NOT EXISTS (SELECT FROM :messages m
                      WHERE m.user_id OPERATOR(pg_catalog.=) u.user_id AND :message_is_users
                        AND :message_is_newer($1::timestamp)
                      OFFSET 0)
      AND NOT EXISTS (SELECT FROM :messages m
                      WHERE m.user_id OPERATOR(pg_catalog.=) u.user_id AND :message_is_users
                        AND m."timestamp" IS NULL
                      OFFSET 0)
)
SELECT l.user_id, l.id, l.old AND q.user_id IS NOT NULL AS inactive
FROM look l
LEFT JOIN quiet q ON q.user_id OPERATOR(pg_catalog.=) l.user_id
ORDER BY l.user_id, l.id

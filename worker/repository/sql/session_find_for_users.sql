-- First look of a set: sessions that look inactive, without a lock.
-- $1 uuid[]       user of each request
-- $2 timestamp[]  cutoff of each request, UTC
-- $3 bigint       at most this many sessions a request
-- Returns: index of the request from 0, user id, session id.
-- OFFSET 0 keeps the planner from turning the probes into joins over all messages.
SELECT r.ordinal OPERATOR(pg_catalog.-) 1 AS ordinal, s.user_id, s.id
FROM unnest($1::pg_catalog.uuid[], $2::timestamp[]) WITH ORDINALITY AS r (user_id, cutoff, ordinal)
CROSS JOIN LATERAL (SELECT s.user_id, s.id
                    FROM :sessions s
                    WHERE s.user_id OPERATOR(pg_catalog.=) r.user_id
                      AND (:session_is_older(r.cutoff) OR s.created_at IS NULL)
                    LIMIT $3) s
WHERE NOT EXISTS (SELECT FROM :messages m
                  WHERE m.user_id OPERATOR(pg_catalog.=) r.user_id AND :message_is_users
                    AND :message_is_newer(r.cutoff)
                  OFFSET 0)
  AND NOT EXISTS (SELECT FROM :messages m
                  WHERE m.user_id OPERATOR(pg_catalog.=) r.user_id AND :message_is_users
                    AND m."timestamp" IS NULL
                  OFFSET 0)
ORDER BY r.ordinal

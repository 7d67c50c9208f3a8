-- First look of a last pass: which of these sessions look inactive, without a lock.
-- $1 timestamp  cutoff, UTC
-- $2 text[]     session ids
-- $3 uuid[]     their users
-- Returns: user id, session id.
-- OFFSET 0 keeps the planner from turning the probes into joins over all messages.
SELECT s.user_id, s.id
FROM unnest($2::pg_catalog.text[], $3::pg_catalog.uuid[]) AS c (session_id, user_id)
JOIN :sessions s ON s.id OPERATOR(pg_catalog.=) c.session_id AND s.user_id OPERATOR(pg_catalog.=) c.user_id
WHERE (:session_is_older($1::timestamp) OR s.created_at IS NULL)
  AND NOT EXISTS (SELECT FROM :messages m
                  WHERE m.user_id OPERATOR(pg_catalog.=) c.user_id AND :message_is_users
                    AND :message_is_newer($1::timestamp)
                  OFFSET 0)
  AND NOT EXISTS (SELECT FROM :messages m
                  WHERE m.user_id OPERATOR(pg_catalog.=) c.user_id AND :message_is_users
                    AND m."timestamp" IS NULL
                  OFFSET 0)
ORDER BY s.user_id, s.id

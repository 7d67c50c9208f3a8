-- Locks sessions that no other transaction holds and that still belong to their user.
-- $1 text[]  session ids
-- $2 uuid[]  their users, who are locked
-- Returns: index from 0 of each pair that is locked now.
-- A sub-select with a lock of its own is never turned into a join over all sessions.
SELECT c.ordinal OPERATOR(pg_catalog.-) 1 AS ordinal
FROM unnest($1::pg_catalog.text[], $2::pg_catalog.uuid[]) WITH ORDINALITY AS c (session_id, user_id, ordinal)
CROSS JOIN LATERAL (SELECT FROM :sessions s
                    WHERE s.id OPERATOR(pg_catalog.=) c.session_id
                      AND s.user_id OPERATOR(pg_catalog.=) c.user_id
                    FOR UPDATE OF s SKIP LOCKED) s

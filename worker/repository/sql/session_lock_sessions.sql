-- Locks sessions that no other transaction holds and that still belong to their user.
-- $1 text[]  session ids
-- $2 uuid[]  their users, who are locked
-- Returns: index from 0 of each pair that is locked now.
-- A sub-select with a lock of its own is never turned into a join over all sessions.
SELECT c.ordinal - 1 AS ordinal
FROM unnest($1::text[], $2::uuid[]) WITH ORDINALITY AS c (session_id, user_id, ordinal)
CROSS JOIN LATERAL (SELECT FROM :sessions s
                    WHERE s.id = c.session_id AND s.user_id = c.user_id
                    FOR UPDATE OF s SKIP LOCKED) s

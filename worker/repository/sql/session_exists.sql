-- Tells which sessions are still there, without a lock.
-- $1 text[]  session ids
-- $2 uuid[]  their users
-- Returns: index from 0 of each session that exists and still belongs to its user.
SELECT c.ordinal - 1 AS ordinal
FROM unnest($1::text[], $2::uuid[]) WITH ORDINALITY AS c (session_id, user_id, ordinal)
JOIN :sessions s ON s.id = c.session_id AND s.user_id = c.user_id

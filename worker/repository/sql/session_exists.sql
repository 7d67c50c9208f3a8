-- Tells which sessions are still there, without a lock.
-- $1 text[]  session ids
-- $2 uuid[]  their users
-- Returns: index from 0 of each session that exists and still belongs to its user.
SELECT c.ordinal OPERATOR(pg_catalog.-) 1 AS ordinal
FROM unnest($1::pg_catalog.text[], $2::pg_catalog.uuid[]) WITH ORDINALITY AS c (session_id, user_id, ordinal)
JOIN :sessions s ON s.id OPERATOR(pg_catalog.=) c.session_id AND s.user_id OPERATOR(pg_catalog.=) c.user_id

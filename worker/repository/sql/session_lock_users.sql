-- Locks users whom no other transaction holds; a message insert in flight holds KEY SHARE on its user.
-- $1 uuid[]  users
-- Returns: index from 0 of each that is locked now.
-- A sub-select with a lock of its own is never turned into a join over all users.
SELECT c.ordinal OPERATOR(pg_catalog.-) 1 AS ordinal
FROM pg_catalog.unnest($1::pg_catalog.uuid[]) WITH ORDINALITY AS c (user_id, ordinal)
CROSS JOIN LATERAL (SELECT FROM :users u
                    WHERE u.user_id OPERATOR(pg_catalog.=) c.user_id
                    FOR UPDATE OF u SKIP LOCKED) u

-- Locks users whom nobody else holds; a message insert in flight holds KEY SHARE on its user.
-- $1 uuid[]  users
-- Returns: user id of each that is locked now.
SELECT u.user_id
FROM :users u
WHERE u.user_id = ANY ($1::uuid[])
ORDER BY u.user_id
FOR UPDATE OF u SKIP LOCKED

-- Tables whose row security policies apply to this role: they could hide messages of active users.
-- $1 text[]  quoted tables
-- Returns: quoted table, quoted role.
SELECT t.quoted, quote_ident(current_user)
FROM unnest($1::text[]) WITH ORDINALITY AS t (quoted, ordinal)
WHERE row_security_active(t.quoted::regclass)
ORDER BY t.ordinal

-- Foreign keys to the sessions of tables other than the two known ones: those that are not listed, and listed ones that
-- cannot be relied on.
-- $1 text    quoted sessions table
-- $2 text    quoted image_sent
-- $3 text    quoted video_sent
-- $4 text[]  identifiers listed in tables.session_references
-- Returns: quoted table, quoted name of the constraint, listed, valid, deferrable, readable, quoted role.
SELECT format('%I.%I', n.nspname, c.relname), quote_ident(k.conname), l.listed, k.convalidated,
       k.condeferrable, p.readable, quote_ident(current_user)
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM unnest($4::text[]) AS i (name)
                                   WHERE to_regclass(i.name) = c.oid) AS listed,
                           k.conparentid <> 0 AS part) l
CROSS JOIN LATERAL (SELECT bool_and(has_column_privilege(c.oid, u.attnum, 'SELECT')) AS readable
                    FROM unnest(k.conkey) AS u (attnum)) p
WHERE k.contype = 'f' AND k.confrelid = $1::regclass
  AND k.conrelid NOT IN ($2::regclass, $3::regclass) AND NOT l.part
  AND NOT (l.listed AND k.convalidated AND NOT k.condeferrable AND p.readable)
ORDER BY l.listed, 1

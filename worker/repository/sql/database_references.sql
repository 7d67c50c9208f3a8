-- Looks up further tables that may reference the sessions.
-- $1 text    the sessions table, quoted, with its schema
-- $2 text[]  identifiers as in a FROM clause
-- Returns one row for each, in order: its name as given; the quoted name (NULL = no such table); a condition over a
-- session "s" that holds while the table has a row for it (NULL = no foreign key to the sessions).
SELECT i.name, c.oid::regclass::text AS quoted,
       (SELECT string_agg(
                   format('EXISTS (SELECT FROM %I.%I r WHERE %s)', n.nspname, c.relname,
                          (SELECT string_agg(format('r.%I = s.%I', a.attname, f.attname), ' AND ')
                           FROM unnest(k.conkey, k.confkey) AS pair (own, foreign_one)
                           JOIN pg_catalog.pg_attribute a
                             ON a.attrelid = k.conrelid AND a.attnum = pair.own
                           JOIN pg_catalog.pg_attribute f
                             ON f.attrelid = k.confrelid AND f.attnum = pair.foreign_one)), ' OR ')
        FROM pg_catalog.pg_constraint k
        WHERE k.contype = 'f' AND k.conrelid = c.oid AND k.confrelid = $1::regclass) AS condition
FROM unnest($2::text[]) WITH ORDINALITY AS i (name, ordinal)
LEFT JOIN pg_catalog.pg_class c ON c.oid = to_regclass(i.name)
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
ORDER BY i.ordinal

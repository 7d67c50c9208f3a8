-- Looks up further tables that may reference the sessions.
-- $1 text    the sessions table, quoted, with its schema
-- $2 text[]  identifiers as in a FROM clause
-- Returns one row for each, in order: its name as given; the quoted name (NULL = no such table); a condition over a
-- session "s" that holds while the table has a row for it, with the operators of its foreign keys (NULL = no foreign key to the sessions).
SELECT i.name, c.oid::pg_catalog.regclass::pg_catalog.text AS quoted,
       (SELECT pg_catalog.string_agg(
                   pg_catalog.format('EXISTS (SELECT FROM %I.%I r WHERE %s)', n.nspname, c.relname,
                          (SELECT pg_catalog.string_agg(
                                      pg_catalog.format('s.%I OPERATOR(%I.%s) r.%I', f.attname,
                                                        m.nspname, o.oprname, a.attname), ' AND ')
                           FROM unnest(k.conkey, k.confkey, k.conpfeqop)
                                AS pair (own, foreign_one, equal)
                           JOIN pg_catalog.pg_attribute a
                             ON a.attrelid OPERATOR(pg_catalog.=) k.conrelid
                                AND a.attnum OPERATOR(pg_catalog.=) pair.own
                           JOIN pg_catalog.pg_attribute f
                             ON f.attrelid OPERATOR(pg_catalog.=) k.confrelid
                                AND f.attnum OPERATOR(pg_catalog.=) pair.foreign_one
                           JOIN pg_catalog.pg_operator o ON o.oid OPERATOR(pg_catalog.=) pair.equal
                           JOIN pg_catalog.pg_namespace m
                             ON m.oid OPERATOR(pg_catalog.=) o.oprnamespace)), ' OR ')
        FROM pg_catalog.pg_constraint k
        WHERE k.contype OPERATOR(pg_catalog.=) 'f' AND k.conrelid OPERATOR(pg_catalog.=) c.oid
          AND k.confrelid OPERATOR(pg_catalog.=) $1::pg_catalog.regclass) AS condition
FROM pg_catalog.unnest($2::pg_catalog.text[]) WITH ORDINALITY AS i (name, ordinal)
LEFT JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(i.name)
LEFT JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
ORDER BY i.ordinal

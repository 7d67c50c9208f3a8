-- Looks up further tables that may reference the sessions, or the image and video records of sessions.
-- $1 text    the sessions table, quoted, with its schema
-- $2 text[]  identifiers as in a FROM clause
-- $3 text    the table of image records, quoted, with its schema
-- $4 text    the table of video records
-- Returns one row for each, in order: its name as given; the quoted name (NULL = no such table); a condition over a
-- session "s", with the operators of its foreign keys, that holds while the table has a row for it or for a record of it
-- (NULL = it has no such foreign key).
WITH keys AS (
    SELECT k.conrelid, k.confrelid,
           (SELECT pg_catalog.string_agg(pg_catalog.format('%s.%I OPERATOR(%I.%s) r.%I',
                                     CASE WHEN k.confrelid OPERATOR(pg_catalog.=) $1::pg_catalog.regclass
                                       THEN 's' ELSE 'c' END,
                                     f.attname, m.nspname, o.oprname, a.attname), ' AND ')
            FROM unnest(k.conkey, k.confkey, k.conpfeqop) AS pair (own, foreign_one, equal)
            JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) k.conrelid
              AND a.attnum OPERATOR(pg_catalog.=) pair.own
            JOIN pg_catalog.pg_attribute f
              ON f.attrelid OPERATOR(pg_catalog.=) k.confrelid AND f.attnum OPERATOR(pg_catalog.=) pair.foreign_one
            JOIN pg_catalog.pg_operator o ON o.oid OPERATOR(pg_catalog.=) pair.equal
            JOIN pg_catalog.pg_namespace m ON m.oid OPERATOR(pg_catalog.=) o.oprnamespace) AS pairs
    FROM pg_catalog.pg_constraint k
    WHERE k.contype OPERATOR(pg_catalog.=) 'f'
      AND k.confrelid OPERATOR(pg_catalog.=) ANY (ARRAY[$1::pg_catalog.regclass, $3::pg_catalog.regclass,
        $4::pg_catalog.regclass])
      AND NOT (k.confrelid OPERATOR(pg_catalog.=) $1::pg_catalog.regclass
        AND k.conrelid OPERATOR(pg_catalog.=) ANY (ARRAY[$3::pg_catalog.regclass, $4::pg_catalog.regclass])
               AND EXISTS (SELECT FROM pg_catalog.pg_attribute a
                           WHERE a.attrelid OPERATOR(pg_catalog.=) k.conrelid
                             AND a.attname OPERATOR(pg_catalog.=) 'session_id'
                             AND ARRAY[a.attnum] OPERATOR(pg_catalog.=) k.conkey))
)
SELECT i.name, c.oid::pg_catalog.regclass::pg_catalog.text AS quoted,
       (SELECT pg_catalog.string_agg(
                   CASE
                        WHEN k.confrelid OPERATOR(pg_catalog.=) $1::pg_catalog.regclass
                        THEN pg_catalog.format('EXISTS (SELECT FROM %I.%I r WHERE %s)', n.nspname, c.relname,
                                    k.pairs)
                        ELSE pg_catalog.format('EXISTS (SELECT FROM %I.%I r JOIN %s c ON %s '
                                    'WHERE c.session_id OPERATOR(pg_catalog.=) s.id)', n.nspname, c.relname,
                                    CASE WHEN k.confrelid OPERATOR(pg_catalog.=) $3::pg_catalog.regclass
                                      THEN $3 ELSE $4 END, k.pairs)
                   END, ' OR ')
        FROM keys k WHERE k.conrelid OPERATOR(pg_catalog.=) c.oid) AS condition
FROM pg_catalog.unnest($2::pg_catalog.text[]) WITH ORDINALITY AS i (name, ordinal)
LEFT JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(i.name)
LEFT JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
ORDER BY i.ordinal

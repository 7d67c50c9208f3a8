-- Looks up further tables that may reference the sessions, or the image and video records of sessions.
-- $1 text    the sessions table, quoted, with its schema
-- $2 text[]  identifiers as in a FROM clause
-- $3 text    the table of image records, quoted, with its schema
-- $4 text    the table of video records
-- Returns one row for each, in order: its name as given; the quoted name (NULL = no such table); a condition over a
-- session "s" that holds while the table has a row for it or for a record of it (NULL = it has no such foreign key).
WITH keys AS (
    SELECT k.conrelid, k.confrelid,
           (SELECT string_agg(format('r.%I = %s.%I', a.attname,
                                     CASE k.confrelid WHEN $1::regclass THEN 's' ELSE 'c' END,
                                     f.attname), ' AND ')
            FROM unnest(k.conkey, k.confkey) AS pair (own, foreign_one)
            JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = pair.own
            JOIN pg_catalog.pg_attribute f
              ON f.attrelid = k.confrelid AND f.attnum = pair.foreign_one) AS pairs
    FROM pg_catalog.pg_constraint k
    WHERE k.contype = 'f' AND k.confrelid IN ($1::regclass, $3::regclass, $4::regclass)
      AND NOT (k.confrelid = $1::regclass AND k.conrelid IN ($3::regclass, $4::regclass)
               AND EXISTS (SELECT FROM pg_catalog.pg_attribute a
                           WHERE a.attrelid = k.conrelid AND a.attname = 'session_id'
                             AND ARRAY[a.attnum] = k.conkey))
)
SELECT i.name, c.oid::regclass::text AS quoted,
       (SELECT string_agg(
                   CASE k.confrelid
                        WHEN $1::regclass
                        THEN format('EXISTS (SELECT FROM %I.%I r WHERE %s)', n.nspname, c.relname,
                                    k.pairs)
                        ELSE format('EXISTS (SELECT FROM %I.%I r JOIN %s c ON %s '
                                    'WHERE c.session_id = s.id)', n.nspname, c.relname,
                                    CASE k.confrelid WHEN $3::regclass THEN $3 ELSE $4 END, k.pairs)
                   END, ' OR ')
        FROM keys k WHERE k.conrelid = c.oid) AS condition
FROM unnest($2::text[]) WITH ORDINALITY AS i (name, ordinal)
LEFT JOIN pg_catalog.pg_class c ON c.oid = to_regclass(i.name)
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
ORDER BY i.ordinal

-- Looks up table names as the search path of this login would find them, whether or not it may use their schemas.
-- $1 text[]  identifiers as in a FROM clause
-- Returns one row for each, in order: oid (NULL = no such table), name as given.
WITH path AS (
    SELECT CASE WHEN p.name OPERATOR(pg_catalog.=) '$user' THEN current_user::pg_catalog.text ELSE p.name END
      AS name, p.ordinal
    FROM (SELECT pg_catalog.replace(pg_catalog.regexp_replace(pg_catalog.btrim(w.word), '^"(.*)"$', '\1'), '""',
      '"') AS name,
                 w.ordinal
          FROM pg_catalog.regexp_split_to_table(pg_catalog.current_setting('search_path'), ',') WITH ORDINALITY
               AS w (word, ordinal)) p
)
SELECT c.oid, i.name
FROM pg_catalog.unnest($1::pg_catalog.text[]) WITH ORDINALITY AS i (name, ordinal)
CROSS JOIN LATERAL (SELECT pg_catalog.parse_ident(i.name) AS words) w
LEFT JOIN LATERAL (
    SELECT c.oid
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
    LEFT JOIN path p ON p.name OPERATOR(pg_catalog.=) n.nspname
    WHERE c.relname OPERATOR(pg_catalog.=) w.words[pg_catalog.array_upper(w.words, 1)]
      AND c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p,v,m,f}')
      AND CASE WHEN pg_catalog.array_length(w.words, 1) OPERATOR(pg_catalog.>) 1
               THEN n.nspname OPERATOR(pg_catalog.=) w.words[pg_catalog.array_upper(w.words,
                 1) OPERATOR(pg_catalog.-) 1]
               ELSE p.ordinal IS NOT NULL
          END
    ORDER BY pg_catalog.has_schema_privilege(n.oid, 'USAGE') DESC, p.ordinal
    LIMIT 1) c ON true
ORDER BY i.ordinal

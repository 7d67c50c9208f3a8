-- Looks up table names as the search path of this login would find them, whether or not it may use their schemas.
-- $1 text[]  identifiers as in a FROM clause
-- Returns one row for each, in order: oid (NULL = no such table), name as given.
WITH path AS (
    SELECT CASE p.name WHEN '$user' THEN current_user::text ELSE p.name END AS name, p.ordinal
    FROM (SELECT replace(regexp_replace(btrim(w.word), '^"(.*)"$', '\1'), '""', '"') AS name,
                 w.ordinal
          FROM regexp_split_to_table(current_setting('search_path'), ',') WITH ORDINALITY
               AS w (word, ordinal)) p
)
SELECT c.oid, i.name
FROM unnest($1::text[]) WITH ORDINALITY AS i (name, ordinal)
CROSS JOIN LATERAL (SELECT parse_ident(i.name) AS words) w
LEFT JOIN LATERAL (
    SELECT c.oid
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN path p ON p.name = n.nspname
    WHERE c.relname = w.words[array_upper(w.words, 1)]
      AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND CASE WHEN array_length(w.words, 1) > 1
               THEN n.nspname = w.words[array_upper(w.words, 1) - 1]
               ELSE p.ordinal IS NOT NULL
          END
    ORDER BY has_schema_privilege(n.oid, 'USAGE') DESC, p.ordinal
    LIMIT 1) c ON true
ORDER BY i.ordinal

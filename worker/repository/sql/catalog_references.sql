-- Foreign keys to the tables that rows are deleted from, other than the two that the worker knows: those of tables that
-- are not listed, and those of listed ones that cannot be relied on.
-- $1 text[]  oids: users, sessions, messages, image_sent, video_sent, bookings
-- $2 text[]  oids of the tables in tables.session_references
-- $3 text    tables.session_references as it is
-- Returns findings; worker/repository/catalog.c names their columns.
WITH RECURSIVE targets AS (
    SELECT t.oid::oid AS oid, t.ordinal, p.relid
    FROM unnest($1::text[]) WITH ORDINALITY AS t (oid, ordinal)
    CROSS JOIN LATERAL (SELECT t.oid::oid AS relid
                        UNION
                        SELECT relid FROM pg_partition_tree(t.oid::oid::regclass)) p
    WHERE t.ordinal IN (2, 4, 5)
), keys AS (
    SELECT k.oid, k.conrelid, t.ordinal, format('%I.%I', n.nspname, c.relname) AS quoted,
           k.conrelid::regclass::text AS short, quote_ident(k.conname) AS name,
           k.confrelid::regclass AS target, k.convalidated AS valid, NOT k.condeferrable AS strict,
           k.confdeltype IN ('a', 'r') AS keeps, pg_get_constraintdef(k.oid) AS definition,
           c.oid::text = ANY ($2::text[]) AS listed
    FROM pg_catalog.pg_constraint k
    JOIN targets t ON t.relid = k.confrelid
    JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE k.contype = 'f' AND k.conparentid = 0
      AND NOT (t.ordinal = 2
               AND EXISTS (SELECT FROM unnest($1::text[]) WITH ORDINALITY AS own (oid, ordinal)
                           JOIN pg_catalog.pg_attribute a
                             ON a.attrelid = own.oid::oid AND a.attname = 'session_id'
                           WHERE own.ordinal IN (4, 5) AND own.oid::oid = k.conrelid
                             AND ARRAY[a.attnum] = k.conkey))
), family (root, oid) AS (
    SELECT oid, oid FROM keys
    UNION ALL
    SELECT f.root, k.oid FROM family f JOIN pg_catalog.pg_constraint k ON k.conparentid = f.oid
), disabled AS (
    SELECT f.root,
           string_agg(format('ALTER TABLE %s ENABLE TRIGGER %I;', g.tgrelid::regclass, g.tgname),
                      E'\n' ORDER BY g.tgrelid, g.tgname) AS mend
    FROM family f
    JOIN pg_catalog.pg_trigger g ON g.tgconstraint = f.oid
    WHERE g.tgenabled NOT IN ('O', 'A')
    GROUP BY f.root
), option AS (
    SELECT format('-o ''tables.session_references=%s''',
                  replace(concat_ws(',', nullif($3::text, ''),
                                    string_agg(DISTINCT u.quoted, ',' ORDER BY u.quoted)),
                          '''', '''\''''')) AS line
    FROM keys u WHERE NOT u.listed
), judged AS (
    SELECT k.*, d.mend AS enable,
           CASE WHEN NOT k.keeps AND k.ordinal <> 2 THEN 'acts'
                WHEN NOT k.listed THEN 'unlisted'
                WHEN NOT k.valid THEN 'not_valid'
                WHEN NOT k.strict THEN 'deferrable'
                WHEN d.root IS NOT NULL THEN 'disabled' END AS fault
    FROM keys k LEFT JOIN disabled d ON d.root = k.oid
)
SELECT 'FAIL' AS level,
       CASE j.fault WHEN 'acts' THEN 'reference_acts' WHEN 'unlisted' THEN 'reference_unlisted'
                    WHEN 'not_valid' THEN 'foreign_key_not_valid'
                    WHEN 'deferrable' THEN 'foreign_key_deferrable'
                    ELSE 'foreign_key_disabled' END AS code,
       'reference' AS subject, 'sessions' AS concerns,
       CASE j.fault WHEN 'acts' THEN format('%s of %s follows deletes of %s', j.name, j.quoted, j.target)
                    WHEN 'unlisted' THEN format('%s references %s by %s', j.quoted, j.target, j.name)
                    WHEN 'not_valid' THEN format('%s of %s is not valid', j.name, j.quoted)
                    WHEN 'deferrable' THEN format('%s of %s is deferrable', j.name, j.quoted)
                    ELSE format('%s of %s is switched off', j.name, j.quoted) END AS what,
       CASE j.fault
            WHEN 'acts' THEN 'A row that is inserted while its record is being deleted would be '
                             'deleted or changed with it. Without that action, and listed, a row '
                             'there keeps the session.'
            WHEN 'unlisted' THEN 'When the table is listed, a row there keeps its session. Otherwise '
                                 'deleting the session would delete or change that row, or fail.'
            ELSE 'The worker does not see in time that a row is being inserted.' END AS why,
       CASE j.fault
            WHEN 'acts' THEN format(E'ALTER TABLE %s DROP CONSTRAINT %s, ADD CONSTRAINT %2$s %s;',
                                    j.quoted, j.name,
                                    regexp_replace(j.definition,
                                                   ' ON DELETE (CASCADE|SET NULL|SET DEFAULT)( \([^)]*\))?',
                                                   ''))
                             || CASE WHEN j.listed THEN '' ELSE E'\n' || option.line END
            WHEN 'unlisted' THEN option.line
            WHEN 'not_valid' THEN format('ALTER TABLE %s VALIDATE CONSTRAINT %s;', j.quoted, j.name)
            WHEN 'deferrable'
            THEN format('ALTER TABLE %s ALTER CONSTRAINT %s NOT DEFERRABLE;', j.quoted, j.name)
            ELSE j.enable END AS mend
FROM judged j CROSS JOIN option
WHERE j.fault IS NOT NULL
ORDER BY j.quoted, j.name

-- Foreign keys that the worker's locks rest on, where they are not as they must be.
-- $1 text[]  oids: users, sessions, messages, image_sent, video_sent, bookings
-- Returns findings; worker/repository/catalog.c names their columns.
WITH RECURSIVE tables AS (
    SELECT c.oid, t.ordinal, format('%I.%I', n.nspname, c.relname) AS quoted
    FROM unnest($1::text[]) WITH ORDINALITY AS t (oid, ordinal)
    JOIN pg_catalog.pg_class c ON c.oid = t.oid::oid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
), best AS (
    SELECT r.ordinal, t.quoted, r.own, f.quoted AS referenced_table, r.referenced, k.oid, k.name,
           k.valid, k.strict
    FROM (VALUES (3, 'user_id', 1, 'user_id'), (2, 'user_id', 1, 'user_id'),
                 (4, 'session_id', 2, 'id'), (5, 'session_id', 2, 'id'))
         AS r (ordinal, own, referenced_ordinal, referenced)
    JOIN tables t ON t.ordinal = r.ordinal
    JOIN tables f ON f.ordinal = r.referenced_ordinal
    LEFT JOIN LATERAL (
        SELECT k.oid, quote_ident(k.conname) AS name, k.convalidated AS valid,
               NOT k.condeferrable AS strict,
               EXISTS (SELECT FROM pg_catalog.pg_trigger g
                       WHERE g.tgconstraint = k.oid AND g.tgenabled NOT IN ('O', 'A')) AS disabled
        FROM pg_catalog.pg_constraint k
        JOIN pg_catalog.pg_attribute a
          ON a.attrelid = k.conrelid AND ARRAY[a.attnum] = k.conkey AND a.attname = r.own
        WHERE k.contype = 'f' AND k.conrelid = t.oid AND k.confrelid = f.oid
        ORDER BY k.convalidated AND NOT k.condeferrable DESC, disabled, k.convalidated DESC
        LIMIT 1) k ON true
), family (root, oid) AS ( -- the constraints of partitions have triggers of their own
    SELECT b.oid, b.oid FROM best b WHERE b.oid IS NOT NULL
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
)
SELECT 'FAIL' AS level,
       CASE WHEN b.oid IS NULL THEN 'foreign_key_missing'
            WHEN NOT b.valid THEN 'foreign_key_not_valid'
            WHEN NOT b.strict THEN 'foreign_key_deferrable'
            ELSE 'foreign_key_disabled' END AS code,
       'foreign key' AS subject, 'sessions' AS concerns,
       CASE WHEN b.oid IS NULL THEN format('none on %s (%s)', b.quoted, b.own)
            WHEN NOT b.valid THEN format('%s of %s is not valid', b.name, b.quoted)
            WHEN NOT b.strict THEN format('%s of %s is deferrable', b.name, b.quoted)
            ELSE format('%s of %s is switched off', b.name, b.quoted) END AS what,
       CASE WHEN d.root IS NULL THEN 'The worker does not see in time that a row is being inserted.'
            ELSE 'The worker does not see in time that a row is being inserted. Rows that were '
                 'inserted meanwhile have not been checked.' END AS why,
       CASE WHEN b.oid IS NULL
            THEN format('ALTER TABLE %s ADD FOREIGN KEY (%s) REFERENCES %s (%s);', b.quoted, b.own,
                        b.referenced_table, b.referenced)
            WHEN NOT b.valid THEN format('ALTER TABLE %s VALIDATE CONSTRAINT %s;', b.quoted, b.name)
            WHEN NOT b.strict
            THEN format('ALTER TABLE %s ALTER CONSTRAINT %s NOT DEFERRABLE;', b.quoted, b.name)
            ELSE d.mend END AS mend
FROM best b
LEFT JOIN disabled d ON d.root = b.oid
WHERE b.oid IS NULL OR NOT b.valid OR NOT b.strict OR d.root IS NOT NULL
ORDER BY b.ordinal

-- Whether bookings can have the two statuses that the worker reads and writes, and none that differs from them in case or
-- blanks only.
-- $1 text    oid of the bookings table
-- $2 text    tables.booking_status_pending
-- $3 text    tables.booking_status_expired
-- $4 text[]  statuses of the newest rows
-- Returns findings; worker/repository/catalog.c names their columns.
WITH status AS (
    SELECT c.oid, c.relname, n.nspname,
           c.reltuples <> 0 AND (c.relkind = 'p' OR pg_relation_size(c.oid) > 0) AS has_rows,
           a.attnum, a.attname, a.atttypid, coalesce(b.oid, y.oid) AS type,
           coalesce(b.typname, y.typname) = 'bpchar' AS padded,
           coalesce(b.typtype, y.typtype) = 'e' AS is_enum,
           format('%I.%I', n.nspname, c.relname) AS quoted,
           coalesce(b.oid, y.oid)::regtype::text AS type_name
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attribute a
      ON a.attrelid = c.oid AND a.attname = 'status' AND NOT a.attisdropped
    JOIN pg_catalog.pg_type y ON y.oid = a.atttypid
    LEFT JOIN pg_catalog.pg_type b ON y.typtype = 'd' AND b.oid = y.typbasetype
    WHERE c.oid = $1::text::oid
), allowed AS (
    SELECT e.enumlabel::text AS value, e.enumsortorder AS place
    FROM status s JOIN pg_catalog.pg_enum e ON e.enumtypid = s.type
    UNION ALL
    SELECT replace(m.word[1], '''''', ''''), m.place
    FROM status s
    JOIN pg_catalog.pg_constraint k
      ON k.contype = 'c' AND ((k.conrelid = s.oid AND k.conkey = ARRAY[s.attnum])
                              OR (k.contypid <> 0 AND k.contypid = s.atttypid))
    CROSS JOIN LATERAL pg_get_constraintdef(k.oid) AS d (definition)
    CROSS JOIN LATERAL regexp_matches(d.definition, '''((?:[^'']|'''')*)''', 'g') WITH ORDINALITY
               AS m (word, place)
    WHERE d.definition ~ '= ANY \(|= ''|\) = ''' AND d.definition !~ '<>|~|\yNOT\y'
), used AS (
    SELECT DISTINCT CASE WHEN s.padded THEN rtrim(v.value) ELSE v.value END AS value
    FROM status s
    CROSS JOIN LATERAL (
        SELECT unnest(p.most_common_vals::text::text[]) AS value
        FROM pg_catalog.pg_stats p
        WHERE p.schemaname = s.nspname AND p.tablename = s.relname AND p.attname = s.attname
          AND s.has_rows -- those of an emptied table are out of date
        UNION ALL
        SELECT unnest($4::text[])) v
), words AS (
    SELECT w.ordinal, w.word, w.key,
           (SELECT count(*) FROM allowed) > 0 AS is_closed,
           EXISTS (SELECT FROM allowed a WHERE a.value = w.word) AS is_allowed,
           EXISTS (SELECT FROM used u WHERE u.value = w.word) AS is_used,
           (SELECT NOT s.has_rows FROM status s)
               OR EXISTS (SELECT FROM used) AS is_known,
           (SELECT min(u.value) FROM used u WHERE u.value <> w.word AND w.bare = lower(
                regexp_replace(u.value, '\s', '', 'g'))) AS near_used,
           (SELECT min(a.value) FROM allowed a WHERE a.value <> w.word AND w.bare = lower(
                regexp_replace(a.value, '\s', '', 'g'))) AS near_allowed
    FROM (SELECT v.*, lower(regexp_replace(v.word, '\s', '', 'g')) AS bare
          FROM (VALUES (1, $2::text, 'booking_status_pending'), (2, $3::text, 'booking_status_expired'))
               AS v (ordinal, word, key)) w
), judged AS (
    SELECT w.*, CASE WHEN w.is_closed AND NOT w.is_allowed THEN 'missing'
                     WHEN w.near_used IS NOT NULL THEN 'near'
                     WHEN w.near_allowed IS NOT NULL AND NOT w.is_used AND NOT w.is_known
                     THEN 'both' END AS fault
    FROM words w
)
SELECT CASE j.fault WHEN 'both' THEN 'WARN' ELSE 'FAIL' END AS level, 'status_word' AS code,
       'status' AS subject, 'bookings' AS concerns,
       CASE WHEN j.fault = 'missing'
            THEN format('%s.status cannot be %L%s, it takes %s', s.quoted, j.word,
                        CASE WHEN j.near_allowed IS NULL THEN ''
                             ELSE format(', nearly %L', j.near_allowed) END,
                        (SELECT string_agg(quote_literal(a.value), ', ' ORDER BY a.place)
                         FROM allowed a))
            WHEN j.fault = 'near'
            THEN format('%s.status has %L, nearly the %L of tables.%s', s.quoted, j.near_used, j.word,
                        j.key)
            ELSE format('%s.status can be %L and %L, of which tables.%s is the second', s.quoted,
                        j.near_allowed, j.word, j.key) END AS what,
       CASE WHEN j.fault = 'both' THEN 'ANALYZE finds out which of the two the bookings have.'
            WHEN j.ordinal = 1 THEN format('Bookings of another status than tables.%s never expire.', j.key)
            ELSE format('A booking that expires gets the status of tables.%s.', j.key) END AS why,
       CASE WHEN j.fault = 'missing' AND j.near_allowed IS NOT NULL
            THEN format('-o ''tables.%s=%s''', j.key, replace(j.near_allowed, '''', '''\'''''))
            WHEN j.fault = 'missing' AND j.ordinal = 2 AND s.is_enum
            THEN format('ALTER TYPE %s ADD VALUE %L;', s.type_name, j.word)
            WHEN j.fault = 'near' AND (j.is_used OR j.is_allowed)
            THEN format(E'UPDATE %s SET status = %L WHERE status = %L;\nANALYZE %1$s;', s.quoted, j.word,
                        j.near_used)
            WHEN j.fault = 'near' THEN format('-o ''tables.%s=%s''', j.key, replace(j.near_used, '''', '''\'''''))
            WHEN j.fault = 'both' THEN format('ANALYZE %s;', s.quoted)
       END AS mend
FROM judged j CROSS JOIN status s
WHERE j.fault IS NOT NULL
ORDER BY j.ordinal

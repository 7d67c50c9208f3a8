-- Whether each sender of messages that enum, CHECK, statistics or rows show is named as a user or as somebody else.
-- $1 text    oid of the messages table
-- $2 text[]  tables.message_sender_user
-- $3 text[]  tables.message_sender_others
-- $4 text[]  senders of the newest rows
-- Returns findings; worker/repository/catalog.c names their columns.
WITH sender AS (
    SELECT c.oid, c.relname, n.nspname,
           c.reltuples <> 0 AND (c.relkind = 'p' OR pg_relation_size(c.oid) > 0) AS has_rows,
           a.attnum, a.attname, a.atttypid,
           coalesce(b.oid, y.oid) AS type, coalesce(b.typname, y.typname) = 'bpchar' AS padded,
           format('%I.%I', n.nspname, c.relname) AS quoted
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attribute a
      ON a.attrelid = c.oid AND a.attname = 'sender' AND NOT a.attisdropped
    JOIN pg_catalog.pg_type y ON y.oid = a.atttypid
    LEFT JOIN pg_catalog.pg_type b ON y.typtype = 'd' AND b.oid = y.typbasetype
    WHERE c.oid = $1::text::oid
), allowed AS (
    SELECT e.enumlabel::text AS value
    FROM sender s JOIN pg_catalog.pg_enum e ON e.enumtypid = s.type
    UNION
    SELECT replace(m.word[1], '''''', '''')
    FROM sender s
    JOIN pg_catalog.pg_constraint k
      ON k.contype = 'c' AND ((k.conrelid = s.oid AND k.conkey = ARRAY[s.attnum])
                              OR (k.contypid <> 0 AND k.contypid = s.atttypid))
    CROSS JOIN LATERAL pg_get_constraintdef(k.oid) AS d (definition)
    CROSS JOIN LATERAL regexp_matches(d.definition, '''((?:[^'']|'''')*)''', 'g') AS m (word)
    WHERE d.definition ~ '= ANY \(|= ''|\) = ''' AND d.definition !~ '<>|~|\yNOT\y'
), shown AS (
    SELECT DISTINCT CASE WHEN s.padded THEN rtrim(v.value) ELSE v.value END AS value
    FROM sender s
    CROSS JOIN LATERAL (
        SELECT value FROM allowed
        UNION ALL
        SELECT unnest(p.most_common_vals::text::text[])
        FROM pg_catalog.pg_stats p
        WHERE p.schemaname = s.nspname AND p.tablename = s.relname AND p.attname = s.attname
          AND s.has_rows -- those of an emptied table are out of date
        UNION ALL
        SELECT unnest($4::text[])) v
), unnamed AS (
    SELECT v.value, w.word AS near, coalesce(w.is_other, false) AS near_other,
           row_number() OVER (ORDER BY v.value) AS place
    FROM shown v
    LEFT JOIN LATERAL (
        SELECT word, is_other
        FROM (SELECT unnest($2::text[]) AS word, false AS is_other
              UNION ALL SELECT unnest($3::text[]), true) w
        WHERE lower(regexp_replace(w.word, '\s', '', 'g'))
              = lower(regexp_replace(v.value, '\s', '', 'g'))
        ORDER BY is_other LIMIT 1) w ON true
    WHERE v.value <> ALL ($2::text[]) AND v.value <> ALL ($3::text[])
)
SELECT 'FAIL' AS level, 'sender_word' AS code, 'sender' AS subject, 'sessions' AS concerns,
       format('%s.sender has %s%s, which no option names', max(s.quoted),
              string_agg(quote_literal(u.value)
                         || CASE WHEN u.near IS NULL THEN ''
                                 ELSE format(' (nearly %L)', u.near) END, ', ' ORDER BY u.value)
                  FILTER (WHERE u.place <= 10),
              CASE WHEN count(*) > 10 THEN format(' and %s more', count(*) - 10) ELSE '' END)
           AS what,
       'Messages of tables.message_sender_user keep their user''s sessions, those of '
       'tables.message_sender_others do not. Name each sender in one of the two. In doubt:' AS why,
       concat_ws(E'\n',
           format('-o ''tables.message_sender_user=%s''',
                  replace(array_to_string($2::text[] || array_agg(u.value ORDER BY u.value)
                                                        FILTER (WHERE NOT u.near_other), ','),
                          '''', '''\''''')),
           CASE WHEN bool_or(u.near_other)
                THEN format('-o ''tables.message_sender_others=%s''',
                            replace(array_to_string($3::text[] || array_agg(u.value ORDER BY u.value)
                                                                  FILTER (WHERE u.near_other), ','),
                                    '''', '''\'''''))
           END) AS mend
FROM unnamed u CROSS JOIN sender s
HAVING count(*) > 0
UNION ALL
SELECT 'FAIL', 'sender_word', 'sender', 'sessions',
       format('%s.sender cannot be %s, it takes %s', max(s.quoted),
              (SELECT string_agg(quote_literal(w), ' or ') FROM unnest($2::text[]) AS w),
              string_agg(quote_literal(a.value), ', ' ORDER BY a.value)),
       'Every user would look inactive. tables.message_sender_user names whose messages keep a '
       'session.', NULL
FROM allowed a CROSS JOIN sender s
HAVING count(*) > 0 AND NOT bool_or(a.value = ANY ($2::text[]))

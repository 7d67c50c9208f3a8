-- Foreign keys that the locks rest on: each as it is best found in the catalog, unless it is as it must be.
-- $1 text[]  quoted tables: users, sessions, messages, image_sent, video_sent, bookings
-- Returns: quoted table, column, quoted referenced table, referenced column; quoted name of the constraint (NULL = there
-- is none), whether it is valid.
SELECT t.quoted, r.own, f.quoted, r.referenced, k.name, k.valid
FROM (VALUES (3, 'user_id', 1, 'user_id'), (2, 'user_id', 1, 'user_id'),
             (4, 'session_id', 2, 'id'), (5, 'session_id', 2, 'id'))
     AS r (ordinal, own, referenced_ordinal, referenced)
JOIN unnest($1::text[]) WITH ORDINALITY AS t (quoted, ordinal) ON t.ordinal = r.ordinal
JOIN unnest($1::text[]) WITH ORDINALITY AS f (quoted, ordinal) ON f.ordinal = r.referenced_ordinal
LEFT JOIN LATERAL (
    SELECT quote_ident(k.conname) AS name, k.convalidated AS valid,
           k.convalidated AND NOT k.condeferrable AS good
    FROM pg_catalog.pg_constraint k
    JOIN pg_catalog.pg_attribute a
      ON a.attrelid = k.conrelid AND ARRAY[a.attnum] = k.conkey AND a.attname = r.own
    WHERE k.contype = 'f' AND k.conrelid = t.quoted::regclass AND k.confrelid = f.quoted::regclass
    ORDER BY good DESC, k.convalidated DESC
    LIMIT 1) k ON true
WHERE k.good IS NOT TRUE
ORDER BY r.ordinal

-- Columns the worker needs that are missing, or that this role may not read.
-- $1 text[]  quoted tables: users, sessions, messages, image_sent, video_sent, bookings
-- Returns: quoted table, quoted column, its type, whether it is missing, quoted role.
SELECT t.quoted, quote_ident(r.name), r.type, a.attnum IS NULL AS missing, quote_ident(current_user)
FROM unnest($1::text[]) WITH ORDINALITY AS t (quoted, ordinal)
JOIN (VALUES (1, 'user_id', 'uuid'),
             (2, 'id', 'varchar(64)'), (2, 'user_id', 'uuid'), (2, 'created_at', 'timestamp'),
             (2, 'property_id', 'uuid'),
             (3, 'user_id', 'uuid'), (3, 'sender', 'varchar(10)'), (3, 'timestamp', 'timestamp'),
             (4, 'id', 'serial'), (4, 'session_id', 'varchar(64)'),
             (5, 'id', 'serial'), (5, 'session_id', 'varchar(64)'),
             (6, 'booking_id', 'text'), (6, 'user_id', 'uuid'), (6, 'property_id', 'uuid'),
             (6, 'booking_date', 'timestamp'), (6, 'total_cost', 'numeric(10,2)'),
             (6, 'status', 'text'), (6, 'created_at', 'timestamp'), (6, 'updated_at', 'timestamp'))
     AS r (ordinal, name, type) ON r.ordinal = t.ordinal
LEFT JOIN pg_catalog.pg_attribute a
       ON a.attrelid = t.quoted::regclass AND a.attname = r.name AND a.attnum > 0
      AND NOT a.attisdropped
WHERE a.attnum IS NULL OR NOT has_column_privilege(t.quoted::regclass, a.attnum, 'SELECT')
ORDER BY a.attnum IS NULL DESC, t.ordinal, r.name

-- Labels of the booking status that its enum lacks; a status that is no enum takes any text.
-- $1 text  quoted table: bookings
-- Returns: quoted table, quoted type, the label as a literal.
SELECT b.quoted, format('%I.%I', n.nspname, e.typname), quote_literal(l.label)
FROM (SELECT $1 AS quoted) b
JOIN pg_catalog.pg_attribute a
  ON a.attrelid = b.quoted::regclass AND a.attname = 'status' AND NOT a.attisdropped
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
JOIN pg_catalog.pg_type e
  ON e.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END AND e.typtype = 'e'
JOIN pg_catalog.pg_namespace n ON n.oid = e.typnamespace
CROSS JOIN (VALUES (1, 'Pending'), (2, 'Expired')) AS l (ordinal, label)
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_enum v
                  WHERE v.enumtypid = e.oid AND v.enumlabel = l.label)
ORDER BY l.ordinal

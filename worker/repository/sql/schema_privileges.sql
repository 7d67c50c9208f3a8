-- Privileges to change and to lock rows that this role lacks. A lock FOR UPDATE wants UPDATE on some column.
-- $1 text[]  quoted tables: users, sessions, messages, image_sent, video_sent, bookings
-- Returns: quoted table, privilege as in GRANT, quoted role.
SELECT t.quoted, r.privilege, quote_ident(current_user)
FROM unnest($1::text[]) WITH ORDINALITY AS t (quoted, ordinal)
JOIN (VALUES (1, 'UPDATE', 'UPDATE (user_id)', ''),
             (2, 'UPDATE', 'UPDATE (id)', ''), (2, 'DELETE', 'DELETE', NULL),
             (4, 'UPDATE', 'UPDATE (id)', ''), (4, 'DELETE', 'DELETE', NULL),
             (5, 'UPDATE', 'UPDATE (id)', ''), (5, 'DELETE', 'DELETE', NULL),
             (6, 'UPDATE', 'UPDATE (status, updated_at)', 'status'),
             (6, 'UPDATE', 'UPDATE (status, updated_at)', 'updated_at'))
     AS r (ordinal, kind, privilege, column_name) ON r.ordinal = t.ordinal
WHERE NOT CASE WHEN r.column_name IS NULL THEN has_table_privilege(t.quoted::regclass, r.kind)
               WHEN r.column_name = '' THEN has_any_column_privilege(t.quoted::regclass, r.kind)
               ELSE has_column_privilege(t.quoted::regclass, r.column_name, r.kind)
          END
ORDER BY t.ordinal

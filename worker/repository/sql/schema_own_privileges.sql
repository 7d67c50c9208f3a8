-- Privileges on the worker's own tables that this role lacks. No parameters.
-- Returns: quoted table, privilege, quoted role.
SELECT format('%I.%I', n.nspname, c.relname), p.privilege, quote_ident(current_user)
FROM pg_catalog.pg_namespace n
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relkind = 'r'
CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS p (privilege)
WHERE n.nspname = 'cleanup_worker' AND c.relname <> 'schema_version'
  AND NOT has_table_privilege(c.oid, p.privilege)
ORDER BY c.relname, p.privilege

-- Tells whether the worker's schema is there and this role may look into it. No parameters.
-- Returns one row: the version table exists; this role may use the schema and read that table.
SELECT c.oid IS NOT NULL AS present,
       coalesce(pg_catalog.has_schema_privilege(n.oid, 'USAGE')
         AND pg_catalog.has_table_privilege(c.oid, 'SELECT'), false)
           AS readable
FROM (SELECT) one
LEFT JOIN pg_catalog.pg_namespace n ON n.nspname OPERATOR(pg_catalog.=) 'cleanup_worker'
LEFT JOIN pg_catalog.pg_class c ON c.relnamespace OPERATOR(pg_catalog.=) n.oid
  AND c.relname OPERATOR(pg_catalog.=) 'schema_version'

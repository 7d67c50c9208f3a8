-- What a role may not do with the worker's own tables. It only reads which version they have.
-- $1 text  the role; NULL: this one
-- Returns at most one finding; worker/repository/catalog.c names its columns.
WITH role AS (
    SELECT coalesce($1::text, current_user::text) AS name
), lacks AS (
    SELECT format('%I.%I', n.nspname, c.relname) AS quoted,
           string_agg(p.privilege, ', ' ORDER BY p.rank) AS privileges
    FROM pg_catalog.pg_namespace n
    JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relkind = 'r'
    CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) WITH ORDINALITY
               AS p (privilege, rank)
    CROSS JOIN role
    WHERE n.nspname = 'cleanup_worker' AND (c.relname <> 'schema_version' OR p.privilege = 'SELECT')
      AND NOT has_table_privilege(role.name, c.oid, p.privilege)
    GROUP BY 1
), grants AS (
    SELECT 0 AS rank, 'USAGE on schema cleanup_worker' AS lacked,
           'USAGE ON SCHEMA cleanup_worker' AS granted
    FROM pg_catalog.pg_namespace n CROSS JOIN role
    WHERE n.nspname = 'cleanup_worker' AND NOT has_schema_privilege(role.name, n.oid, 'USAGE')
    UNION ALL
    SELECT 1, format('%s on %s of its tables', l.privileges, count(*)),
           format('%s ON %s', l.privileges, string_agg(l.quoted, ', ' ORDER BY l.quoted))
    FROM lacks l GROUP BY l.privileges
)
SELECT 'FAIL' AS level, 'privilege_missing' AS code, 'privilege' AS subject, NULL AS concerns,
       format('%s lacks %s', role.name, string_agg(g.lacked, ', ' ORDER BY g.rank, g.lacked))
           AS what,
       NULL AS why,
       string_agg(format('GRANT %s TO %I;', g.granted, role.name), E'\n'
                  ORDER BY g.rank, g.granted) AS mend
FROM grants g CROSS JOIN role
GROUP BY role.name

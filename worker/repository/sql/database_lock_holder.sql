-- Who holds a lock on a whole table that keeps the worker from reading or changing it; no more of a statement than
-- which kind it is.
-- $1 text[]  the application's tables, quoted, which come first
-- Returns at most one row: process, application, seconds since its transaction began, kind of its statement, table; what
-- the role may not see is NULL.
SELECT l.pid, nullif(a.application_name, ''), extract(epoch FROM clock_timestamp() - a.xact_start)::bigint,
       upper((regexp_match(a.query, '^\s*(\w+(\s+(CONCURRENTLY|FULL|INDEX|TABLE|UNIQUE INDEX|MATERIALIZED VIEW))?)\M', 'i'))[1]),
       l.relation::regclass::text
FROM pg_catalog.pg_locks l
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'relation' AND l.granted AND l.pid <> pg_backend_pid()
  AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = current_database())
  AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
ORDER BY l.relation = ANY ($1::text[]::regclass[]::oid[]) DESC, a.xact_start, l.relation
LIMIT 1

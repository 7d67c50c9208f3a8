-- Who holds a lock on a whole table that keeps the worker from reading or changing it; no more of a statement than
-- which kind it is.
-- $1 text[]  the application's tables, quoted, which come first
-- Returns at most one row: process, application, seconds since its transaction began, kind of its statement, table; what
-- the role may not see is NULL.
SELECT l.pid, CASE WHEN a.application_name OPERATOR(pg_catalog.<>) '' THEN a.application_name END, extract(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) a.xact_start)::bigint,
       pg_catalog.upper((pg_catalog.regexp_match(a.query, '^\s*(\w+(\s+(CONCURRENTLY|FULL|INDEX|TABLE|UNIQUE INDEX|MATERIALIZED VIEW))?)\M', 'i'))[1]),
       l.relation::pg_catalog.regclass::pg_catalog.text
FROM pg_catalog.pg_locks l
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid OPERATOR(pg_catalog.=) l.pid
WHERE l.locktype OPERATOR(pg_catalog.=) 'relation' AND l.granted
  AND l.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()
  AND l.database OPERATOR(pg_catalog.=) (SELECT d.oid FROM pg_catalog.pg_database d
                                            WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
  AND l.mode OPERATOR(pg_catalog.=) ANY (ARRAY['ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'])
ORDER BY l.relation OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[]::pg_catalog.regclass[]::pg_catalog.oid[]) DESC, a.xact_start, l.relation
LIMIT 1

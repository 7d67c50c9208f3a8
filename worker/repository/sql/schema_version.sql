-- The version of the worker's own schema. No parameters.
-- Returns one row: version (0 when there is none).
SELECT coalesce(pg_catalog.max(version), 0) FROM cleanup_worker.schema_version

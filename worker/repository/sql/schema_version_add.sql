-- Notes that a version of the worker's own schema was applied.
-- $1 int   version
-- $2 text  name of the migration
INSERT INTO cleanup_worker.schema_version (version, name) VALUES ($1::int, $2)

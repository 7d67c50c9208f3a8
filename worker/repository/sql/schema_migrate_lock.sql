-- Lets one migration run at a time in this database, until its transaction ends. No parameters.
SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext('cleanup_worker'), pg_catalog.hashtext('migrate'))

-- Lets one migration run at a time in this database, until its transaction ends. No parameters.
SELECT pg_advisory_xact_lock(hashtext('cleanup_worker'), hashtext('migrate'))

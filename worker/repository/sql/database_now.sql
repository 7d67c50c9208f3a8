-- The database's clock at this moment, in microseconds since 1970 UTC. No parameters.
SELECT (extract(epoch FROM pg_catalog.clock_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint AS now_us

-- The database's clock at this moment, in microseconds since 1970 UTC. No parameters.
SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now_us

-- Users that divide the sessions into ranges of about the same size, as the planner's statistics remember them.
-- $1 text  quoted sessions table
-- $2 int   how many ranges
-- Returns: one row a bound, in order: the lowest user of each range but the first; no row without statistics.
SELECT (h.users[1 OPERATOR(pg_catalog.+) (k OPERATOR(pg_catalog.*) (pg_catalog.cardinality(h.users) OPERATOR(pg_catalog.-) 1) OPERATOR(pg_catalog./) $2::int)])::pg_catalog.text
FROM (SELECT s.histogram_bounds::pg_catalog.text::pg_catalog.uuid[] AS users
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
      JOIN pg_catalog.pg_stats s
        ON s.schemaname OPERATOR(pg_catalog.=) n.nspname
          AND s.tablename OPERATOR(pg_catalog.=) c.relname AND s.attname OPERATOR(pg_catalog.=) 'user_id'
      WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1) AND s.histogram_bounds IS NOT NULL
      ORDER BY s.inherited DESC
      LIMIT 1) h,
     pg_catalog.generate_series(1, $2::int OPERATOR(pg_catalog.-) 1) AS k
ORDER BY k

-- Users that divide the sessions into ranges of about the same size, as the planner's statistics remember them.
-- $1 text  quoted sessions table
-- $2 int   how many ranges
-- Returns: one row a bound, in order: the lowest user of each range but the first; no row without statistics.
SELECT (h.users[1 + k * (cardinality(h.users) - 1) / $2::int])::text
FROM (SELECT s.histogram_bounds::text::uuid[] AS users
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_catalog.pg_stats s
        ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = 'user_id'
      WHERE c.oid = to_regclass($1) AND s.histogram_bounds IS NOT NULL
      ORDER BY s.inherited DESC
      LIMIT 1) h,
     generate_series(1, $2::int - 1) AS k
ORDER BY k

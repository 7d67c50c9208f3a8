-- Counts rows kept for the last pass.
-- $1 text  command id
-- $2 text  target
-- $3 int   range
-- Returns: how many.
SELECT pg_catalog.count(*) FROM cleanup_worker.ledger_skipped
  WHERE command_id OPERATOR(pg_catalog.=) $1 AND target OPERATOR(pg_catalog.=) $2
    AND range_no OPERATOR(pg_catalog.=) $3

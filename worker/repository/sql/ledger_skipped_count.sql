-- Counts rows kept for the last pass.
-- $1 text  command id
-- $2 text  target
-- $3 int   range
-- Returns: how many.
SELECT count(*) FROM cleanup_worker.ledger_skipped WHERE command_id = $1 AND target = $2 AND range_no = $3

-- Counts rows kept for the last pass.
-- $1 text  command id
-- $2 text  part
-- $3 int   range
-- Returns: how many.
SELECT count(*) FROM cleanup_worker.ledger_skipped WHERE command_id = $1 AND part = $2 AND range_no = $3

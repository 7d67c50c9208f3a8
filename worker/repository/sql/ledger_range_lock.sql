-- Reads one range of a long command and locks it.
-- $1 text  command id
-- $2 text  target
-- $3 int   range
-- Returns: the range, or no row.
SELECT target, range_no, owner_epoch, state, cursor_major, cursor_minor, counts, skipped, last_pass_us,
       error_code, error_sqlstate, error_message, by_id, rows_done, rows_total, bound_low, bound_high
FROM cleanup_worker.ledger_range
WHERE command_id OPERATOR(pg_catalog.=) $1 AND target OPERATOR(pg_catalog.=) $2
  AND range_no OPERATOR(pg_catalog.=) $3
FOR UPDATE

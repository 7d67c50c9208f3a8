-- Reads the ranges of a long command and locks them, always in one order: sessions before bookings.
-- $1 text    command id
-- $2 bigint  at most this many
-- Returns: the ranges.
SELECT target, range_no, owner_epoch, state, cursor_major, cursor_minor, counts, skipped, last_pass_us,
       error_code, error_sqlstate, error_message, by_id, rows_done, rows_total, bound_low, bound_high
FROM cleanup_worker.ledger_range
WHERE command_id OPERATOR(pg_catalog.=) $1
ORDER BY target DESC, range_no
LIMIT $2
FOR UPDATE

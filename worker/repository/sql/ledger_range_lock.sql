-- Reads one range of a long command and locks it.
-- $1 text  command id
-- $2 text  part
-- $3 int   range
-- Returns: the range, or no row.
SELECT part, range_no, owner_epoch, state, cursor_major, cursor_minor, deleted_sessions, deleted_images,
       deleted_videos, expired_bookings, skipped, last_pass_us, error_code, error_sqlstate,
       error_message, by_id, rows_done, rows_total, bound_low, bound_high
FROM cleanup_worker.ledger_range
WHERE command_id = $1 AND part = $2 AND range_no = $3
FOR UPDATE

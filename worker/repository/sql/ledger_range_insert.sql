-- Adds a range of a long command.
-- $1 text     command id
-- $2 text     part
-- $3 int      range
-- $4 bigint   owner epoch
-- $5 text     state
-- $6 text     cursor, major
-- $7 text     cursor, minor
-- $8 bigint   deleted sessions
-- $9 bigint   deleted images
-- $10 bigint  deleted videos
-- $11 bigint  expired bookings
-- $12 bigint  skipped rows that are counted only
-- $13 bigint  when the last pass began, microseconds (NULL = not yet)
-- $14 text    error code
-- $15 text    error SQLSTATE
-- $16 text    error message
-- $17 boolean in order of id alone
-- $18 bigint  rows the windows have passed
-- $19 bigint  how many there may be (NULL = unknown)
-- $20 text    lowest user ('' = no bound)
-- $21 text    highest user ('' = no bound)
INSERT INTO cleanup_worker.ledger_range
      (command_id, part, range_no, owner_epoch, state, cursor_major, cursor_minor, deleted_sessions, deleted_images,
       deleted_videos, expired_bookings, skipped, last_pass_us, error_code, error_sqlstate,
       error_message, by_id, rows_done, rows_total, bound_low, bound_high)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)

-- Overwrites a range of a long command.
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
UPDATE cleanup_worker.ledger_range
SET owner_epoch = $4, state = $5, cursor_major = $6, cursor_minor = $7, deleted_sessions = $8,
    deleted_images = $9, deleted_videos = $10, expired_bookings = $11, skipped = $12,
    last_pass_us = $13, error_code = $14, error_sqlstate = $15, error_message = $16,
    by_id = $17, rows_done = $18, rows_total = $19
WHERE command_id = $1 AND part = $2 AND range_no = $3

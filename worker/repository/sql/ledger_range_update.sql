-- Overwrites a range of a long command.
-- $1 text     command id
-- $2 text     target
-- $3 int      range
-- $4 bigint   owner epoch
-- $5 text     state
-- $6 text     cursor, major
-- $7 text     cursor, minor
-- $8 bigint[] counts
-- $9 bigint   skipped rows that are counted only
-- $10 bigint  when the last pass began, microseconds (NULL = not yet)
-- $11 text    error code
-- $12 text    error SQLSTATE
-- $13 text    error message
-- $14 boolean in order of id alone
-- $15 bigint  rows the windows have passed
-- $16 bigint  how many there may be (NULL = unknown)
UPDATE cleanup_worker.ledger_range
SET owner_epoch = $4, state = $5, cursor_major = $6, cursor_minor = $7, counts = $8, skipped = $9,
    last_pass_us = $10, error_code = $11, error_sqlstate = $12, error_message = $13,
    by_id = $14, rows_done = $15, rows_total = $16
WHERE command_id OPERATOR(pg_catalog.=) $1 AND target OPERATOR(pg_catalog.=) $2
  AND range_no OPERATOR(pg_catalog.=) $3

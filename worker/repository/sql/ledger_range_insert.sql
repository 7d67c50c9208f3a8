-- Adds a range of a long command.
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
-- $17 text    lowest user ('' = no bound)
-- $18 text    highest user ('' = no bound)
INSERT INTO cleanup_worker.ledger_range
      (command_id, target, range_no, owner_epoch, state, cursor_major, cursor_minor, counts, skipped,
       last_pass_us, error_code, error_sqlstate, error_message, by_id, rows_done, rows_total, bound_low,
       bound_high)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)

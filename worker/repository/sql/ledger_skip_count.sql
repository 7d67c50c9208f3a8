-- Counts rows that are skipped for good.
-- $1 text    command id
-- $2 text    target
-- $3 int     range
-- $4 text    reason
-- $5 text    SQLSTATE ('' = none)
-- $6 text    message ('' = none)
-- $7 bigint  how many
-- $8 text    one of them
INSERT INTO cleanup_worker.ledger_skip_reason AS r
      (command_id, target, range_no, reason, sqlstate, message, count, example)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (command_id, target, range_no, reason, sqlstate, message) DO UPDATE SET count = r.count OPERATOR(pg_catalog.+) excluded.count

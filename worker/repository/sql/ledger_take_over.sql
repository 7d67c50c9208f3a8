-- Gives a long command, whose rows are locked, to another owner.
-- $1 text    command id
-- $2 text    worker id
-- $3 bigint  owner epoch
WITH ranges AS (
    UPDATE cleanup_worker.ledger_range SET owner_epoch = $3 WHERE command_id OPERATOR(pg_catalog.=) $1
)
UPDATE cleanup_worker.ledger SET worker_id = $2, owner_epoch = $3 WHERE command_id OPERATOR(pg_catalog.=) $1

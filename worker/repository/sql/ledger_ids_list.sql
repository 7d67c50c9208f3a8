-- Lists the ids of a command's result in the order they were added.
-- $1 text  command id
-- Returns: id.
SELECT id FROM cleanup_worker.ledger_listed_id WHERE command_id OPERATOR(pg_catalog.=) $1 ORDER BY ordinal

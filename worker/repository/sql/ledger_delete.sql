-- Takes rows out of the ledger.
-- $1 text[]  command ids
DELETE FROM cleanup_worker.ledger WHERE command_id = ANY ($1::text[])

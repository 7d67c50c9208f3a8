-- Forgets rows that are dealt with.
-- $1 text    command id
-- $2 text    part
-- $3 text[]  items
DELETE FROM cleanup_worker.ledger_skipped
WHERE command_id = $1 AND part = $2 AND item = ANY ($3::text[])

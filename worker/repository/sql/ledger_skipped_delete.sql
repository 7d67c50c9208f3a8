-- Forgets rows that are dealt with.
-- $1 text    command id
-- $2 text    part
-- $3 int     range
-- $4 text[]  items
DELETE FROM cleanup_worker.ledger_skipped
WHERE command_id = $1 AND part = $2 AND range_no = $3 AND item = ANY ($4::text[])

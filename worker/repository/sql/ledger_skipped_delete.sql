-- Forgets rows that are dealt with.
-- $1 text    command id
-- $2 text    target
-- $3 int     range
-- $4 text[]  items
DELETE FROM cleanup_worker.ledger_skipped
WHERE command_id = $1 AND target = $2 AND range_no = $3 AND item = ANY ($4::text[])

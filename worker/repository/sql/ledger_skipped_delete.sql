-- Forgets rows that are dealt with.
-- $1 text    command id
-- $2 text    target
-- $3 int     range
-- $4 text[]  items
DELETE FROM cleanup_worker.ledger_skipped
WHERE command_id OPERATOR(pg_catalog.=) $1 AND target OPERATOR(pg_catalog.=) $2
  AND range_no OPERATOR(pg_catalog.=) $3 AND item OPERATOR(pg_catalog.=) ANY ($4::pg_catalog.text[])

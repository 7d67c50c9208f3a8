-- Lists rows kept for the last pass.
-- $1 text    command id
-- $2 text    part
-- $3 bigint  at most this many
-- Returns: owner, item.
SELECT owner, item
FROM cleanup_worker.ledger_skipped
WHERE command_id = $1 AND part = $2
ORDER BY owner, item
LIMIT $3

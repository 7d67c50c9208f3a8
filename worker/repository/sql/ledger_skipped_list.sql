-- Lists rows kept for the last pass, after a cursor.
-- $1 text    command id
-- $2 text    part
-- $3 text    cursor: owner ('' at the beginning)
-- $4 text    cursor: item ('' at the beginning)
-- $5 bigint  at most this many
-- Returns: owner, item.
SELECT owner, item
FROM cleanup_worker.ledger_skipped
WHERE command_id = $1 AND part = $2 AND (owner, item) > ($3, $4)
ORDER BY owner, item
LIMIT $5

-- Lists rows kept for the last pass, after a cursor.
-- $1 text    command id
-- $2 text    target
-- $3 int     range
-- $4 text    cursor: owner ('' at the beginning)
-- $5 text    cursor: item ('' at the beginning)
-- $6 bigint  at most this many
-- Returns: owner, item.
SELECT owner, item
FROM cleanup_worker.ledger_skipped
WHERE command_id = $1 AND target = $2 AND range_no = $3 AND (owner, item) > ($4, $5)
ORDER BY owner, item
LIMIT $6

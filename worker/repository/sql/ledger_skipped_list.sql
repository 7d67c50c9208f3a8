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
WHERE command_id OPERATOR(pg_catalog.=) $1 AND target OPERATOR(pg_catalog.=) $2
  AND range_no OPERATOR(pg_catalog.=) $3 AND (owner, item) OPERATOR(pg_catalog.>) ($4, $5)
ORDER BY owner, item
LIMIT $6

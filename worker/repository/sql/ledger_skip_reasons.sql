-- Lists why rows were skipped, the most frequent reasons of a target first.
-- $1 text    command id
-- $2 text    target
-- $3 bigint  at most this many
-- Returns: reason, SQLSTATE, message, how many rows, one of them.
SELECT reason, sqlstate, message, pg_catalog.sum(count), pg_catalog.min(example)
FROM cleanup_worker.ledger_skip_reason
WHERE command_id OPERATOR(pg_catalog.=) $1 AND target OPERATOR(pg_catalog.=) $2
GROUP BY reason, sqlstate, message
ORDER BY pg_catalog.sum(count) DESC, reason, sqlstate, message
LIMIT $3

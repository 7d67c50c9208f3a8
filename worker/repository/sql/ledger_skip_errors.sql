-- Counts rows of a target that failed for themselves.
-- $1 text  command id
-- $2 text  target
-- Returns: how many.
SELECT (SELECT count(*) FROM cleanup_worker.ledger_skipped
        WHERE command_id = $1 AND target = $2 AND reason = 'error') +
       (SELECT coalesce(sum(count), 0) FROM cleanup_worker.ledger_skip_reason
        WHERE command_id = $1 AND target = $2 AND reason = 'error')

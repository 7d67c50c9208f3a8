-- Counts rows of a target that failed for themselves.
-- $1 text  command id
-- $2 text  target
-- Returns: how many.
SELECT (SELECT pg_catalog.count(*) FROM cleanup_worker.ledger_skipped
        WHERE command_id OPERATOR(pg_catalog.=) $1 AND target OPERATOR(pg_catalog.=) $2
          AND reason OPERATOR(pg_catalog.=) 'error') OPERATOR(pg_catalog.+)
       (SELECT coalesce(pg_catalog.sum(count), 0) FROM cleanup_worker.ledger_skip_reason
        WHERE command_id OPERATOR(pg_catalog.=) $1 AND target OPERATOR(pg_catalog.=) $2
          AND reason OPERATOR(pg_catalog.=) 'error')

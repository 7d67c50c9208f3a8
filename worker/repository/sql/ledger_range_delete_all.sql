-- Removes what a long command kept beside its ledger row.
-- $1 text  command id
WITH ranges AS (
    DELETE FROM cleanup_worker.ledger_range WHERE command_id OPERATOR(pg_catalog.=) $1
), skipped AS (
    DELETE FROM cleanup_worker.ledger_skipped WHERE command_id OPERATOR(pg_catalog.=) $1
), reasons AS (
    DELETE FROM cleanup_worker.ledger_skip_reason WHERE command_id OPERATOR(pg_catalog.=) $1
)
DELETE FROM cleanup_worker.ledger_listed_id WHERE command_id OPERATOR(pg_catalog.=) $1

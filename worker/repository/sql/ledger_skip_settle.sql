-- Counts the rows that the last pass has not dealt with, and forgets them.
-- $1 text  command id
-- $2 text  target
-- $3 int   range
-- Returns: how many.
WITH rest AS (
    DELETE FROM cleanup_worker.ledger_skipped
    WHERE command_id OPERATOR(pg_catalog.=) $1 AND target OPERATOR(pg_catalog.=) $2
      AND range_no OPERATOR(pg_catalog.=) $3
    RETURNING reason, sqlstate, message, item
), counted AS (
    INSERT INTO cleanup_worker.ledger_skip_reason AS r
          (command_id, target, range_no, reason, sqlstate, message, count, example)
    SELECT $1::pg_catalog.text, $2::pg_catalog.text, $3::int, reason, sqlstate, message,
           pg_catalog.count(*), pg_catalog.min(item)
    FROM rest
    GROUP BY reason, sqlstate, message
    ON CONFLICT (command_id, target, range_no, reason, sqlstate, message)
        DO UPDATE SET count = r.count OPERATOR(pg_catalog.+) excluded.count
)
SELECT pg_catalog.count(*) FROM rest

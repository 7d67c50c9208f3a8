-- Keeps skipped rows for the last pass, as far as there is room; known ones stay once.
-- $1 text    command id
-- $2 text    target
-- $3 int     range
-- $4 text[]  owners
-- $5 text[]  items
-- $6 bigint  at most this many rows of this range
-- $7 text    reason
-- $8 text    SQLSTATE ('' = none)
-- $9 text    message ('' = none)
-- Returns: how many of the items are in the table now.
WITH given AS MATERIALIZED (
    SELECT pg_catalog.min(g.owner) AS owner, g.item, pg_catalog.min(g.ordinal) AS ordinal
    FROM unnest($4::pg_catalog.text[], $5::pg_catalog.text[]) WITH ORDINALITY AS g (owner, item, ordinal)
    GROUP BY g.item
), kept AS MATERIALIZED (
    SELECT item FROM cleanup_worker.ledger_skipped WHERE command_id OPERATOR(pg_catalog.=) $1
      AND target OPERATOR(pg_catalog.=) $2 AND range_no OPERATOR(pg_catalog.=) $3
), added AS (
    INSERT INTO cleanup_worker.ledger_skipped
          (command_id, target, range_no, item, owner, reason, sqlstate, message)
    SELECT $1::pg_catalog.text, $2::pg_catalog.text, $3::int, g.item, g.owner, $7::pg_catalog.text,
           $8::pg_catalog.text, $9::pg_catalog.text
    FROM given g
    WHERE NOT EXISTS (SELECT FROM kept k WHERE k.item OPERATOR(pg_catalog.=) g.item)
    ORDER BY g.ordinal
    LIMIT (SELECT greatest($6::bigint OPERATOR(pg_catalog.-) pg_catalog.count(*), 0) FROM kept)
    ON CONFLICT DO NOTHING
    RETURNING item
)
SELECT (SELECT pg_catalog.count(*) FROM added) OPERATOR(pg_catalog.+)
       (SELECT pg_catalog.count(*) FROM given g WHERE EXISTS (SELECT FROM kept k
         WHERE k.item OPERATOR(pg_catalog.=) g.item))

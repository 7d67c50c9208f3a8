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
    SELECT min(g.owner) AS owner, g.item, min(g.ordinal) AS ordinal
    FROM unnest($4::text[], $5::text[]) WITH ORDINALITY AS g (owner, item, ordinal)
    GROUP BY g.item
), kept AS MATERIALIZED (
    SELECT item FROM cleanup_worker.ledger_skipped WHERE command_id = $1 AND target = $2 AND range_no = $3
), added AS (
    INSERT INTO cleanup_worker.ledger_skipped
          (command_id, target, range_no, item, owner, reason, sqlstate, message)
    SELECT $1::text, $2::text, $3::int, g.item, g.owner, $7::text, $8::text, $9::text
    FROM given g
    WHERE NOT EXISTS (SELECT FROM kept k WHERE k.item = g.item)
    ORDER BY g.ordinal
    LIMIT (SELECT greatest($6::bigint - count(*), 0) FROM kept)
    ON CONFLICT DO NOTHING
    RETURNING item
)
SELECT (SELECT count(*) FROM added) +
       (SELECT count(*) FROM given g WHERE EXISTS (SELECT FROM kept k WHERE k.item = g.item))

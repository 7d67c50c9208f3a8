-- Adds ids to the list of a command's result, as far as there is room.
-- $1 text    command id
-- $2 text[]  ids
-- $3 bigint  at most this many of this command
INSERT INTO cleanup_worker.ledger_listed_id (command_id, id)
SELECT $1::pg_catalog.text, g.id
FROM pg_catalog.unnest($2::pg_catalog.text[]) WITH ORDINALITY AS g (id, ordinal)
ORDER BY g.ordinal
LIMIT (SELECT greatest($3::bigint OPERATOR(pg_catalog.-) pg_catalog.count(*), 0)
       FROM cleanup_worker.ledger_listed_id
       WHERE command_id OPERATOR(pg_catalog.=) $1)

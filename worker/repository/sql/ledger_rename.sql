-- Gives a row, and all that is kept of its command, another key: that of an event, which an earlier version knew by its id
-- alone. Only a row of this very source is that event's.
-- $1 text    key of before
-- $2 text    key from here on
-- $3 text    source topic
-- $4 int     source partition
-- $5 bigint  source offset
-- $6 bigint  source timestamp, milliseconds
WITH renamed AS (
    UPDATE cleanup_worker.ledger
    SET command_id = $2
    WHERE command_id OPERATOR(pg_catalog.=) $1 AND source_topic OPERATOR(pg_catalog.=) $3
      AND source_partition OPERATOR(pg_catalog.=) $4::int AND source_offset OPERATOR(pg_catalog.=) $5::bigint
      AND source_timestamp_ms OPERATOR(pg_catalog.=) $6::bigint
    RETURNING command_id
), ranges AS (
    UPDATE cleanup_worker.ledger_range r
    SET command_id = n.command_id
    FROM renamed n
    WHERE r.command_id OPERATOR(pg_catalog.=) $1
), skipped AS (
    UPDATE cleanup_worker.ledger_skipped s
    SET command_id = n.command_id
    FROM renamed n
    WHERE s.command_id OPERATOR(pg_catalog.=) $1
)
UPDATE cleanup_worker.ledger_listed_id i
SET command_id = n.command_id
FROM renamed n
WHERE i.command_id OPERATOR(pg_catalog.=) $1

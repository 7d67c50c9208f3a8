-- Deletes ended rows that no redelivery will ask for again.
-- $1 text    source topic
-- $2 int     source partition
-- $3 bigint  committed offset: only rows below it
-- $4 bigint  ended before this, microseconds
-- $5 bigint  at most this many
-- Commands end nearly in the order of their offsets. So only the lowest offsets are looked at, twice as many as may be
-- deleted; else all that the ledger remembers of the partition would be read where nothing is due.
DELETE FROM cleanup_worker.ledger
WHERE command_id OPERATOR(pg_catalog.=) ANY (SELECT command_id
                     FROM cleanup_worker.ledger
                     WHERE source_topic OPERATOR(pg_catalog.=) $1
                       AND source_partition OPERATOR(pg_catalog.=) $2::int
                       AND source_offset OPERATOR(pg_catalog.<) $3::bigint
                       AND source_offset OPERATOR(pg_catalog.<=) (
                           SELECT pg_catalog.max(w.source_offset)
                           FROM (SELECT source_offset
                                 FROM cleanup_worker.ledger
                                 WHERE source_topic OPERATOR(pg_catalog.=) $1
                                   AND source_partition OPERATOR(pg_catalog.=) $2::int
                                   AND source_offset OPERATOR(pg_catalog.<) $3::bigint
                                 ORDER BY source_offset
                                 LIMIT 2 OPERATOR(pg_catalog.*) $5) w)
                       AND state OPERATOR(pg_catalog.<>) 'running'
                         AND finished_us OPERATOR(pg_catalog.<) $4::bigint
                     ORDER BY source_offset
                     LIMIT $5
                     FOR UPDATE SKIP LOCKED)

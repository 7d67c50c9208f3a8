-- Reads rows of the ledger without a lock.
-- $1 text[]  command ids
-- Returns: the rows, in order of command id; reason and result as hexadecimal digits of their bytes.
-- OFFSET 0 keeps the planner from joining the whole ledger instead.
SELECT l.*
FROM pg_catalog.unnest($1::pg_catalog.text[]) AS c (command_id)
CROSS JOIN LATERAL (SELECT command_id, task, state, source_topic, source_partition, source_offset,
                           source_timestamp_ms, replay, worker_id, owner_epoch, now_us, started_us,
                           finished_us, attempts, dead_letter, content::pg_catalog.text,
                           pg_catalog.encode(coalesce(reason, pg_catalog.convert_to(reason_text, 'UTF8')), 'hex') AS reason,
                           pg_catalog.encode(coalesce(result, pg_catalog.convert_to(result_text, 'UTF8')), 'hex') AS result
                    FROM cleanup_worker.ledger
                    WHERE command_id OPERATOR(pg_catalog.=) c.command_id
                    OFFSET 0) l
ORDER BY l.command_id

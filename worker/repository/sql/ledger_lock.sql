-- Reads rows of the ledger and locks them.
-- $1 text[]  command ids
-- Returns: the rows, in order of command id; reason and result as hexadecimal digits of their bytes.
SELECT command_id, task, state, source_topic, source_partition, source_offset, source_timestamp_ms,
       replay, worker_id, owner_epoch, now_us, started_us, finished_us, attempts, dead_letter, content::pg_catalog.text,
       pg_catalog.encode(coalesce(reason, pg_catalog.convert_to(reason_text, 'UTF8')), 'hex') AS reason,
       pg_catalog.encode(coalesce(result, pg_catalog.convert_to(result_text, 'UTF8')), 'hex') AS result
FROM cleanup_worker.ledger
WHERE command_id OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[])
ORDER BY command_id
FOR UPDATE

-- Enters commands in order of their ids, so that two sets with the same ids cannot deadlock.
-- $1 text[]     command id
-- $2 text[]     task
-- $3 text[]     state
-- $4 text[]     source topic
-- $5 int[]      source partition
-- $6 bigint[]   source offset
-- $7 bigint[]   source timestamp, milliseconds
-- $8 int[]      replay
-- $9 text[]     worker id
-- $10 bigint[]  owner epoch
-- $11 bigint[]  now, microseconds
-- $12 bigint[]  started, microseconds
-- $13 bigint[]  finished, microseconds (NULL while running)
-- $14 int[]     attempts
-- $15 bool[]    dead letter
-- $16 uuid[]    what was asked for
-- $17 bytea[]   reason, UTF-8
-- $18 bytea[]   result, UTF-8
-- Returns of each that was new: command id, source topic, partition, offset, timestamp.
INSERT INTO cleanup_worker.ledger
      (command_id, task, state, source_topic, source_partition, source_offset, source_timestamp_ms,
       replay, worker_id, owner_epoch, now_us, started_us, finished_us, attempts, dead_letter, content,
       reason, result)
SELECT command_id, task, state, source_topic, source_partition, source_offset, source_timestamp_ms,
       replay, worker_id, owner_epoch, now_us, started_us, finished_us, attempts, dead_letter, content,
       reason, result
FROM unnest($1::pg_catalog.text[], $2::pg_catalog.text[], $3::pg_catalog.text[], $4::pg_catalog.text[],
            $5::int[], $6::bigint[], $7::bigint[], $8::int[], $9::pg_catalog.text[], $10::bigint[], $11::bigint[],
            $12::bigint[], $13::bigint[], $14::int[], $15::boolean[], $16::pg_catalog.uuid[],
            $17::pg_catalog.bytea[], $18::pg_catalog.bytea[])
     WITH ORDINALITY
     AS r (command_id, task, state, source_topic, source_partition, source_offset, source_timestamp_ms,
       replay, worker_id, owner_epoch, now_us, started_us, finished_us, attempts, dead_letter, content,
       reason, result, ordinal)
ORDER BY r.command_id COLLATE pg_catalog."C", r.ordinal
ON CONFLICT (command_id) DO NOTHING
RETURNING command_id, source_topic, source_partition, source_offset, source_timestamp_ms

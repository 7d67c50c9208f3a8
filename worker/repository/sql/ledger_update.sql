-- Overwrites the rows of these commands.
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
UPDATE cleanup_worker.ledger l
SET task = r.task, state = r.state, source_topic = r.source_topic,
    source_partition = r.source_partition, source_offset = r.source_offset,
    source_timestamp_ms = r.source_timestamp_ms, replay = r.replay, worker_id = r.worker_id,
    owner_epoch = r.owner_epoch, now_us = r.now_us, started_us = r.started_us,
    finished_us = r.finished_us, attempts = r.attempts, dead_letter = r.dead_letter,
    content = r.content, reason = r.reason, result = r.result, reason_text = NULL, result_text = NULL
FROM unnest($1::pg_catalog.text[], $2::pg_catalog.text[], $3::pg_catalog.text[], $4::pg_catalog.text[],
            $5::int[], $6::bigint[], $7::bigint[], $8::int[], $9::pg_catalog.text[], $10::bigint[], $11::bigint[],
            $12::bigint[], $13::bigint[], $14::int[], $15::boolean[], $16::pg_catalog.uuid[],
            $17::pg_catalog.bytea[], $18::pg_catalog.bytea[])
     AS r (command_id, task, state, source_topic, source_partition, source_offset, source_timestamp_ms,
       replay, worker_id, owner_epoch, now_us, started_us, finished_us, attempts, dead_letter, content,
       reason, result)
WHERE l.command_id OPERATOR(pg_catalog.=) r.command_id

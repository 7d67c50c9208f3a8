-- Enters commands that have ended, in order of their ids, so that two sets with the same ids cannot deadlock. A command
-- that is there already fails it.
COPY cleanup_worker.ledger
     (command_id, task, state, source_topic, source_partition, source_offset, source_timestamp_ms,
      replay, worker_id, owner_epoch, now_us, started_us, finished_us, attempts, dead_letter, content,
      reason, result)
FROM STDIN (FORMAT binary)

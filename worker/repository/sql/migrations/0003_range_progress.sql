-- How far a range has come: rows its windows have passed, of how many as far as was known when it began (NULL = unknown).
ALTER TABLE cleanup_worker.ledger_range
    ADD COLUMN rows_done bigint NOT NULL DEFAULT 0,
    ADD COLUMN rows_total bigint;

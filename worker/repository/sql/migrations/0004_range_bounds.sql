-- The sessions of a range: users from bound_low to bound_high, both of them included ('' = no bound). Fixed when the
-- command begins. What a range skipped is its own, so that ranges run side by side to their ends.
ALTER TABLE cleanup_worker.ledger_range
    ADD COLUMN bound_low text NOT NULL DEFAULT '',
    ADD COLUMN bound_high text NOT NULL DEFAULT '';

ALTER TABLE cleanup_worker.ledger_skipped
    ADD COLUMN range_no int NOT NULL DEFAULT 0,
    DROP CONSTRAINT ledger_skipped_pkey,
    ADD PRIMARY KEY (command_id, part, range_no, item);

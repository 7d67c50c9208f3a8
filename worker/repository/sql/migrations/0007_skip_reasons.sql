-- Why a row is skipped: until the last pass beside the row, then counted by reason.
ALTER TABLE cleanup_worker.ledger_skipped
    ADD COLUMN reason text COLLATE "C" NOT NULL DEFAULT 'locked',
    ADD COLUMN sqlstate text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN message text COLLATE "C" NOT NULL DEFAULT '';

CREATE TABLE cleanup_worker.ledger_skip_reason (
    command_id text COLLATE "C" NOT NULL,
    target text COLLATE "C" NOT NULL,
    range_no int NOT NULL,
    reason text COLLATE "C" NOT NULL,
    sqlstate text COLLATE "C" NOT NULL,
    message text COLLATE "C" NOT NULL,
    count bigint NOT NULL,
    example text NOT NULL,
    PRIMARY KEY (command_id, target, range_no, reason, sqlstate, message)
);

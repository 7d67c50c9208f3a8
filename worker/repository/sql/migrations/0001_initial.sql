-- The worker's own schema: ledger, ranges of long commands, skipped rows, listed ids. Times are microseconds since 1970.
DO $$
BEGIN
    IF to_regnamespace('cleanup_worker') IS NULL THEN
        CREATE SCHEMA cleanup_worker;
    END IF;
END
$$;

CREATE TABLE cleanup_worker.schema_version (
    version int PRIMARY KEY,
    name text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);

-- One row per command id, written in the transaction of the command's effect.
CREATE TABLE cleanup_worker.ledger (
    command_id text COLLATE "C" PRIMARY KEY,
    task text NOT NULL,
    state text NOT NULL CHECK (state IN ('running', 'succeeded', 'failed', 'expired', 'blocked', 'cancelled')),
    source_topic text NOT NULL,
    source_partition int NOT NULL,
    source_offset bigint NOT NULL,
    source_timestamp_ms bigint NOT NULL,
    replay int NOT NULL,
    worker_id text NOT NULL,
    owner_epoch bigint NOT NULL,
    now_us bigint NOT NULL,
    started_us bigint NOT NULL,
    finished_us bigint,
    attempts int NOT NULL,
    dead_letter boolean NOT NULL,
    reason text,
    result text
);

-- Retention deletes from the lowest offsets of a partition up. There is no index on finished_us, so that the update
-- which ends a command changes no indexed column.
CREATE INDEX ledger_source ON cleanup_worker.ledger (source_topic, source_partition, source_offset);

CREATE TABLE cleanup_worker.ledger_range (
    command_id text COLLATE "C" NOT NULL,
    part text COLLATE "C" NOT NULL CHECK (part IN ('sessions', 'bookings')),
    range_no int NOT NULL,
    owner_epoch bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('running', 'last_pass', 'done', 'failed')),
    cursor_major text NOT NULL,
    cursor_minor text NOT NULL,
    deleted_sessions bigint NOT NULL,
    deleted_images bigint NOT NULL,
    deleted_videos bigint NOT NULL,
    expired_bookings bigint NOT NULL,
    skipped bigint NOT NULL,
    last_pass_us bigint,
    error_code text NOT NULL,
    error_sqlstate text NOT NULL,
    error_message text NOT NULL,
    PRIMARY KEY (command_id, part, range_no)
);

-- Rows that others held, kept for the last pass of their command.
CREATE TABLE cleanup_worker.ledger_skipped (
    command_id text COLLATE "C" NOT NULL,
    part text COLLATE "C" NOT NULL,
    item text COLLATE "C" NOT NULL,
    owner text COLLATE "C" NOT NULL,
    PRIMARY KEY (command_id, part, item)
);

-- Ids of expired bookings for the list in the result.
CREATE TABLE cleanup_worker.ledger_listed_id (
    command_id text COLLATE "C" NOT NULL,
    ordinal bigint GENERATED ALWAYS AS IDENTITY,
    id text NOT NULL,
    PRIMARY KEY (command_id, ordinal)
);

-- What a range works on is its target, whose names the program knows. What it has done are counts, in the order in which
-- its target names them. Ranges of commands that are under way keep theirs.
ALTER TABLE cleanup_worker.ledger_range
    DROP CONSTRAINT ledger_range_part_check,
    ADD COLUMN counts bigint[];
ALTER TABLE cleanup_worker.ledger_range RENAME COLUMN part TO target;
ALTER TABLE cleanup_worker.ledger_skipped RENAME COLUMN part TO target;

UPDATE cleanup_worker.ledger_range
SET counts = CASE target WHEN 'sessions' THEN ARRAY[deleted_sessions, deleted_images, deleted_videos]
                         ELSE ARRAY[expired_bookings] END;

ALTER TABLE cleanup_worker.ledger_range
    ALTER COLUMN counts SET NOT NULL,
    DROP COLUMN deleted_sessions,
    DROP COLUMN deleted_images,
    DROP COLUMN deleted_videos,
    DROP COLUMN expired_bookings;

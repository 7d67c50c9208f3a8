-- A range of sessions goes in order of (user_id, id), or of id alone when there was no index for the former as it began.
ALTER TABLE cleanup_worker.ledger_range ADD COLUMN by_id boolean NOT NULL DEFAULT false;

-- A result and a reason are bytes in UTF-8, whatever the encoding of the database: a requester's name that it cannot hold
-- must not keep a command from ending. Rows of before keep their texts, so that no large table is written anew.
-- What was asked for tells a producer's duplicate from another command under the same id (NULL in rows of before).
ALTER TABLE cleanup_worker.ledger RENAME COLUMN reason TO reason_text;
ALTER TABLE cleanup_worker.ledger RENAME COLUMN result TO result_text;
ALTER TABLE cleanup_worker.ledger
    ADD COLUMN content uuid,
    ADD COLUMN reason bytea,
    ADD COLUMN result bytea;

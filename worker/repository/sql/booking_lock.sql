-- Locks bookings that no other transaction holds.
-- $1 text[]  booking ids
-- Returns: index from 0 of each that is locked now.
SELECT c.ordinal OPERATOR(pg_catalog.-) 1 AS ordinal
FROM pg_catalog.unnest($1::pg_catalog.text[]) WITH ORDINALITY AS c (booking_id, ordinal)
JOIN :bookings b ON b.booking_id OPERATOR(pg_catalog.=) c.booking_id
ORDER BY b.booking_id
FOR UPDATE OF b SKIP LOCKED

-- Tells which bookings are still there, without a lock.
-- $1 text[]  booking ids
-- Returns: index from 0 of each that exists.
SELECT c.ordinal OPERATOR(pg_catalog.-) 1 AS ordinal
FROM pg_catalog.unnest($1::pg_catalog.text[]) WITH ORDINALITY AS c (booking_id, ordinal)
JOIN :bookings b ON b.booking_id OPERATOR(pg_catalog.=) c.booking_id

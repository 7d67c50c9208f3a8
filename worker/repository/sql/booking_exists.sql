-- Tells which bookings are still there, without a lock.
-- $1 text[]  booking ids
-- Returns: index from 0 of each that exists.
SELECT c.ordinal - 1 AS ordinal
FROM unnest($1::text[]) WITH ORDINALITY AS c (booking_id, ordinal)
JOIN :bookings b ON b.booking_id = c.booking_id

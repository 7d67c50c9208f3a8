-- Tells which locked bookings are still due, after booking_expire.sql.
-- $1 text[]     booking ids, locked
-- $2 timestamp  cutoff, UTC
-- Returns: index from 0 of each that is Pending and was created before the cutoff.
SELECT c.ordinal - 1 AS ordinal
FROM unnest($1::text[]) WITH ORDINALITY AS c (booking_id, ordinal)
JOIN :bookings b ON b.booking_id = c.booking_id
WHERE CASE WHEN b.status = 'Pending' THEN b.created_at < $2::timestamp ELSE false END

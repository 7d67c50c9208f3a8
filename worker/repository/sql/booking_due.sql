-- Tells which locked bookings are still due, after booking_expire.sql.
-- $1 text[]     booking ids, locked
-- $2 timestamp  cutoff, UTC
-- Returns: index from 0 of each that is Pending and was created before the cutoff.
SELECT c.ordinal OPERATOR(pg_catalog.-) 1 AS ordinal
FROM pg_catalog.unnest($1::pg_catalog.text[]) WITH ORDINALITY AS c (booking_id, ordinal)
JOIN :bookings b ON b.booking_id OPERATOR(pg_catalog.=) c.booking_id
WHERE CASE WHEN :booking_is_pending THEN :booking_is_older($2::timestamp) ELSE false END

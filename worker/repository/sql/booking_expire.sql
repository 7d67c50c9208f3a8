-- Pending becomes Expired for locked bookings that still meet the whole condition: a confirmation meanwhile wins.
-- $1 text[]     booking ids, locked
-- $2 timestamp  cutoff, UTC
-- Returns: index from 0 of each that is Expired now.
UPDATE :bookings b
SET status = 'Expired', updated_at = now() AT TIME ZONE 'UTC'
FROM unnest($1::text[]) WITH ORDINALITY AS c (booking_id, ordinal)
WHERE b.booking_id = c.booking_id AND b.status = 'Pending' AND b.created_at < $2::timestamp
RETURNING c.ordinal - 1 AS ordinal

-- Pending becomes Expired for locked bookings that still meet the whole condition: a confirmation meanwhile wins.
-- $1 text[]     booking ids, locked
-- $2 timestamp  cutoff, UTC
-- Returns: index from 0 of each that is Expired now.
-- CASE keeps the planner from going through all Pending bookings, by their partial index, to find these.
UPDATE :bookings b
SET status = :booking_expired_word, updated_at = :booking_now
FROM unnest($1::text[]) WITH ORDINALITY AS c (booking_id, ordinal)
WHERE b.booking_id = c.booking_id
  AND CASE WHEN :booking_is_pending THEN :booking_is_older($2::timestamp) ELSE false END
RETURNING c.ordinal - 1 AS ordinal

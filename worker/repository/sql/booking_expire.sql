-- Pending becomes Expired for locked bookings that still meet the whole condition: a confirmation meanwhile wins.
-- $1 text[]     booking ids, locked
-- $2 timestamp  cutoff, UTC
-- $3 text       the bookings table, quoted
-- Returns: index from 0 of each that was updated; whether it is Expired now; whether a trigger of the application could
-- have changed any of them.
-- CASE keeps the planner from going through all Pending bookings, by their partial index, to find these.
UPDATE :bookings b
SET status = 'Expired', updated_at = now() AT TIME ZONE 'UTC'
FROM unnest($1::text[]) WITH ORDINALITY AS c (booking_id, ordinal)
WHERE b.booking_id = c.booking_id
  AND CASE WHEN b.status = 'Pending' THEN b.created_at < $2::timestamp ELSE false END
RETURNING c.ordinal - 1 AS ordinal, b.status = 'Expired' AS expired,
          EXISTS (SELECT FROM pg_catalog.pg_trigger t
                  WHERE t.tgrelid = $3::text::regclass AND NOT t.tgisinternal AND t.tgenabled <> 'D') AS has_trigger

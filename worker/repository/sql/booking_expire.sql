-- Pending becomes Expired for locked bookings that still meet the whole condition: a confirmation meanwhile wins.
-- $1 text[]     booking ids, locked
-- $2 timestamp  cutoff, UTC
-- $3 text       the bookings table, quoted
-- Returns: index from 0 of each that was updated; whether it is Expired now; whether a trigger of the application could
-- have changed any of them.
-- CASE keeps the planner from going through all Pending bookings, by their partial index, to find these.
UPDATE :bookings b
SET status = :booking_expired_word, updated_at = :booking_now
FROM pg_catalog.unnest($1::pg_catalog.text[]) WITH ORDINALITY AS c (booking_id, ordinal)
WHERE b.booking_id OPERATOR(pg_catalog.=) c.booking_id
  AND CASE WHEN :booking_is_pending THEN :booking_is_older($2::timestamp) ELSE false END
RETURNING c.ordinal OPERATOR(pg_catalog.-) 1 AS ordinal, :booking_is_expired AS expired,
          EXISTS (SELECT FROM pg_catalog.pg_trigger t
                  WHERE t.tgrelid OPERATOR(pg_catalog.=) $3::pg_catalog.text::pg_catalog.regclass
                    AND NOT t.tgisinternal AND t.tgenabled OPERATOR(pg_catalog.<>) 'D') AS has_trigger

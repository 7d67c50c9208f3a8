-- The next Pending bookings created before the cutoff, oldest first, without a lock.
-- $1 timestamp  cutoff, UTC
-- $2 text       cursor: created_at in the column's own terms ('-infinity' at the beginning)
-- $3 text       cursor: booking id ('' at the beginning)
-- $4 bigint     at most this many
-- Returns: booking id, created_at.
SELECT b.booking_id, b.created_at::pg_catalog.text
FROM :bookings b
WHERE :booking_is_pending AND :booking_is_older($1::timestamp)
  AND b.created_at OPERATOR(pg_catalog.>=) CAST($2 AS :booking_created_type)
  AND (b.created_at, b.booking_id) OPERATOR(pg_catalog.>) (CAST($2 AS :booking_created_type), $3)
ORDER BY b.created_at, b.booking_id
LIMIT $4

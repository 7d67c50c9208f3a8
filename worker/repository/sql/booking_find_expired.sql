-- The next Pending bookings created before the cutoff, oldest first, without a lock.
-- $1 timestamp  cutoff, UTC
-- $2 timestamp  cursor: created_at ('-infinity' at the beginning)
-- $3 text       cursor: booking id ('' at the beginning)
-- $4 bigint     at most this many
-- Returns: booking id, created_at.
SELECT b.booking_id, b.created_at::pg_catalog.text
FROM :bookings b
WHERE b.status OPERATOR(pg_catalog.=) 'Pending' AND b.created_at OPERATOR(pg_catalog.<) $1::timestamp
  AND b.created_at OPERATOR(pg_catalog.>=) $2::timestamp
  AND (b.created_at, b.booking_id) OPERATOR(pg_catalog.>) ($2::timestamp, $3)
ORDER BY b.created_at, b.booking_id
LIMIT $4

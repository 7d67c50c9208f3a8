-- How many bookings would expire, and the first of their ids, from one snapshot.
-- $1 timestamp  cutoff, UTC
-- $2 bigint     at most this many ids
-- Returns at least one row: total; booking id (NULL when there is none).
WITH expired AS MATERIALIZED (
    SELECT b.booking_id, b.created_at
    FROM :bookings b
    WHERE :booking_is_pending AND :booking_is_older($1::timestamp)
), listed AS (
    SELECT * FROM expired ORDER BY created_at, booking_id LIMIT $2
)
SELECT t.total, l.booking_id
FROM (SELECT pg_catalog.count(*) AS total FROM expired) t
LEFT JOIN listed l ON true
ORDER BY l.created_at, l.booking_id

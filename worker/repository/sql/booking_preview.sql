-- What would expire: a list, oldest first, and the total, from one snapshot.
-- $1 timestamp  cutoff, UTC
-- $2 timestamp  the "now" that minutes_old counts up to, UTC
-- $3 bigint     at most this many in the list
-- Returns at least one row: total; then, NULL when nothing is listed, booking id, user id, property id, booking_date,
-- created_at, minutes_old, total_cost, status.
WITH expired AS MATERIALIZED (
    SELECT b.booking_id, b.user_id, b.property_id, b.booking_date, b.created_at, b.total_cost,
           b.status
    FROM :bookings b
    WHERE :booking_is_pending AND :booking_is_older($1::timestamp)
), listed AS (
    SELECT * FROM expired ORDER BY created_at, booking_id LIMIT $3
)
SELECT t.total, l.booking_id, l.user_id, l.property_id,
       pg_catalog.to_char(:booking_date_utc(l.booking_date), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS booking_date,
       pg_catalog.to_char(:booking_created_utc(l.created_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at,
       pg_catalog.floor(extract(epoch
         FROM $2::timestamp OPERATOR(pg_catalog.-) (:booking_created_utc(l.created_at)))
         OPERATOR(pg_catalog./) 60)::bigint AS minutes_old,
       l.total_cost::pg_catalog.text AS total_cost, l.status::pg_catalog.text AS status
FROM (SELECT pg_catalog.count(*) AS total FROM expired) t
LEFT JOIN listed l ON true
ORDER BY l.created_at, l.booking_id

-- Fills the sample tables, the same rows every time: psql -v users=20000 -f sample_data.sql
-- Of ten users eight are inactive; every tenth has two sessions; each session has two images and a video; each user three messages.
\if :{?users}
\else
\set users 20000
\endif
BEGIN;

INSERT INTO properties
SELECT md5('property ' || n)::uuid FROM generate_series(1, 50) AS n;

INSERT INTO users
SELECT md5('user ' || n)::uuid FROM generate_series(1, :users) AS n;

INSERT INTO sessions (id, user_id, created_at, property_id)
SELECT 'session-' || n || '-' || k, md5('user ' || n)::uuid,
       (now() AT TIME ZONE 'UTC') - interval '30 days' - n * interval '1 minute',
       md5('property ' || 1 + n % 50)::uuid
FROM generate_series(1, :users) AS n, generate_series(1, CASE WHEN n % 10 = 0 THEN 2 ELSE 1 END) AS k;

-- Active users wrote an hour ago; the others' last word is 2 to 12 days old. The bot's word makes no user active.
INSERT INTO messages (user_id, sender, content, "timestamp")
SELECT md5('user ' || n)::uuid, CASE k WHEN 3 THEN 'bot' ELSE 'user' END, 'message ' || k,
       (now() AT TIME ZONE 'UTC') - CASE
           WHEN k = 3 THEN interval '10 minutes'
           WHEN n % 10 IN (3, 7) AND k = 2 THEN interval '1 hour'
           ELSE interval '2 days' + (n % 10) * interval '1 day' + k * interval '1 hour' END
FROM generate_series(1, :users) AS n, generate_series(1, 3) AS k;

INSERT INTO "imageSent" (session_id, property_id)
SELECT s.id, s.property_id FROM sessions s, generate_series(1, 2);

INSERT INTO "videoSent" (session_id, property_id)
SELECT s.id, s.property_id FROM sessions s;

-- Pending ones: half of them an hour to three days old, half of them just made; others are in every other status.
INSERT INTO bookings (booking_id, user_id, property_id, booking_date, shift_type, total_cost, booking_source, status,
                      booked_at, created_at, updated_at)
SELECT 'booking-' || n, md5('user ' || n)::uuid, md5('property ' || 1 + n % 50)::uuid,
       date_trunc('day', now() AT TIME ZONE 'UTC') + interval '7 days', 'Day', 100 + n % 900 + 0.50, 'Website',
       (CASE n % 4 WHEN 0 THEN 'Confirmed' WHEN 1 THEN 'Cancelled' ELSE 'Pending' END)::booking_status,
       t.created_at, t.created_at, t.created_at
FROM generate_series(1, :users / 4) AS n,
     LATERAL (SELECT (now() AT TIME ZONE 'UTC') - CASE WHEN n % 4 = 2 THEN interval '1 minute'
                                                       ELSE interval '1 hour' + (n % 4000) * interval '1 minute' END) AS t (created_at);

COMMIT;

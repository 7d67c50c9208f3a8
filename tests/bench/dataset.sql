-- Fills the application's tables: psql -v users=100000 -v messages=6 -f dataset.sql, as superuser, in an empty database.
-- One session a user, two images and a video a session; of ten users eight are inactive. Ids are random, and a user's
-- messages lie apart, as they do where many users write by turns.
-- Foreign keys hold by construction and are not checked row by row; indexes are built at the end.
SET session_replication_role = replica;
SET synchronous_commit = off;

CREATE TEMP TABLE secondary_index AS
SELECT indexname, indexdef FROM pg_indexes
WHERE schemaname = 'public' AND indexname NOT IN (SELECT conname FROM pg_constraint);
SELECT format('DROP INDEX %I', indexname) FROM secondary_index \gexec

INSERT INTO properties
SELECT md5('property ' || n)::uuid FROM generate_series(1, 50) AS n;

INSERT INTO users
SELECT md5('user ' || n)::uuid FROM generate_series(1, :users) AS n;

INSERT INTO sessions (id, user_id, created_at, property_id)
SELECT md5('session ' || n)::uuid::text, md5('user ' || n)::uuid,
       (now() AT TIME ZONE 'UTC') - interval '50 days' - (n % 10000) * interval '1 minute',
       md5('property ' || 1 + n % 50)::uuid
FROM generate_series(1, :users) AS n;

-- Every other message is the bot's, which makes nobody active. Active users wrote an hour ago.
INSERT INTO messages (user_id, sender, content, "timestamp")
SELECT md5('user ' || n)::uuid, CASE k % 2 WHEN 1 THEN 'user' ELSE 'bot' END,
       'What about ' || n || ' nights from the ' || k || 'th on, is it free?',
       (now() AT TIME ZONE 'UTC') - CASE WHEN k = 1 AND n % 5 = 0 THEN interval '1 hour'
                                         ELSE k * interval '3 days' + (n % 10000) * interval '1 minute' END
FROM generate_series(1, :messages) AS k, LATERAL generate_series(1, :users + 0 * k) AS n;

INSERT INTO "imageSent" (session_id, property_id)
SELECT md5('session ' || n)::uuid::text, md5('property ' || 1 + n % 50)::uuid
FROM generate_series(1, :users) AS n, LATERAL generate_series(1, 2 + 0 * n);

INSERT INTO "videoSent" (session_id, property_id)
SELECT md5('session ' || n)::uuid::text, md5('property ' || 1 + n % 50)::uuid
FROM generate_series(1, :users) AS n;

SELECT indexdef FROM secondary_index \gexec
VACUUM (FREEZE, ANALYZE);

-- The whole-table clean-up as a person would write it: one transaction, one look, no locks but those of the deletes.
BEGIN;
SET LOCAL work_mem = '256MB';
SET LOCAL jit = off;
CREATE TEMP TABLE gone ON COMMIT DROP AS
SELECT s.id
FROM sessions s, (SELECT (now() AT TIME ZONE 'UTC') - interval '24 hours' AS cutoff) c
WHERE (s.created_at < c.cutoff OR s.created_at IS NULL)
  AND NOT EXISTS (SELECT FROM messages m WHERE m.user_id = s.user_id AND m.sender = 'user'
                  AND m."timestamp" >= c.cutoff)
  AND NOT EXISTS (SELECT FROM messages m WHERE m.user_id = s.user_id AND m.sender = 'user'
                  AND m."timestamp" IS NULL);
ANALYZE gone;
DELETE FROM "imageSent" i USING gone g WHERE i.session_id = g.id;
DELETE FROM "videoSent" v USING gone g WHERE v.session_id = g.id;
DELETE FROM sessions s USING gone g WHERE s.id = g.id;
COMMIT;

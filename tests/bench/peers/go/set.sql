-- A set of commands in one statement: what is gone and counted, and its result, by which a later redelivery is known.
-- $1 text[]: ids of the commands; $2 uuid[]: their users. Returns id and result of those that were new.
-- Not safe: it looks, locks and deletes by one snapshot, so a message that is written meanwhile does not save its session.
WITH command AS MATERIALIZED (
    SELECT id, user_id FROM unnest($1::text[], $2::uuid[]) AS c (id, user_id)
), doomed AS MATERIALIZED (
    SELECT s.id, c.id AS command
    FROM command c
    JOIN sessions s USING (user_id)
    CROSS JOIN (SELECT (now() AT TIME ZONE 'UTC') - interval '24 hours' AS cutoff) AS due
    WHERE s.created_at < due.cutoff
      AND NOT EXISTS (SELECT FROM peer_inbox p WHERE p.command_id = c.id)
      AND NOT EXISTS (SELECT FROM messages m
                      WHERE m.user_id = s.user_id AND m.sender = 'user' AND m."timestamp" >= due.cutoff)
    FOR UPDATE OF s
), image AS (
    DELETE FROM "imageSent" i USING doomed d WHERE i.session_id = d.id RETURNING d.command
), video AS (
    DELETE FROM "videoSent" v USING doomed d WHERE v.session_id = d.id RETURNING d.command
), session AS (
    DELETE FROM sessions s USING doomed d WHERE s.id = d.id RETURNING d.command
), counted AS (
    SELECT id, sum(sessions) AS sessions, sum(images) AS images, sum(videos) AS videos
    FROM (SELECT id, 0, 0, 0 FROM command
          UNION ALL SELECT command, 1, 0, 0 FROM session
          UNION ALL SELECT command, 0, 1, 0 FROM image
          UNION ALL SELECT command, 0, 0, 1 FROM video) AS one (id, sessions, images, videos)
    GROUP BY id
)
INSERT INTO peer_inbox (command_id, result)
SELECT id, jsonb_build_object('command_id', id, 'status', 'succeeded', 'success', true, 'deleted_sessions', sessions,
                              'deleted_image_records', images, 'deleted_video_records', videos)
FROM counted
ON CONFLICT DO NOTHING
RETURNING command_id, result::text

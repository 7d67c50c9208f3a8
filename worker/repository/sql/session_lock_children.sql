-- Locks the image and video records of locked sessions.
-- $1 text[]  session ids, locked
-- Returns: index from 0 of each session that has a record which another transaction holds.
WITH locked_images AS MATERIALIZED (
    SELECT i.id
    FROM :image_sent i
    WHERE i.session_id = ANY ($1::text[])
    ORDER BY i.id
    FOR UPDATE OF i SKIP LOCKED
), locked_videos AS MATERIALIZED (
    SELECT v.id
    FROM :video_sent v
    WHERE v.session_id = ANY ($1::text[])
    ORDER BY v.id
    FOR UPDATE OF v SKIP LOCKED
), busy AS (
    SELECT i.session_id
    FROM :image_sent i
    WHERE i.session_id = ANY ($1::text[])
      AND NOT EXISTS (SELECT FROM locked_images l WHERE l.id = i.id)
    UNION
    SELECT v.session_id
    FROM :video_sent v
    WHERE v.session_id = ANY ($1::text[])
      AND NOT EXISTS (SELECT FROM locked_videos l WHERE l.id = v.id)
)
SELECT c.ordinal - 1 AS ordinal
FROM unnest($1::text[]) WITH ORDINALITY AS c (session_id, ordinal)
JOIN busy b ON b.session_id = c.session_id

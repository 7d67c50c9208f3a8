-- Locks the image and video records of locked sessions.
-- $1 text[]  session ids, locked
-- Returns: index from 0 of each session that has a record which another transaction holds.
WITH locked_images AS MATERIALIZED (
    SELECT i.id
    FROM :image_sent i
    WHERE i.session_id OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[])
    ORDER BY i.id
    FOR UPDATE OF i SKIP LOCKED
), locked_videos AS MATERIALIZED (
    SELECT v.id
    FROM :video_sent v
    WHERE v.session_id OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[])
    ORDER BY v.id
    FOR UPDATE OF v SKIP LOCKED
), busy AS (
    SELECT i.session_id
    FROM :image_sent i
    WHERE i.session_id OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[])
      AND NOT EXISTS (SELECT FROM locked_images l WHERE l.id OPERATOR(pg_catalog.=) i.id)
    UNION
    SELECT v.session_id
    FROM :video_sent v
    WHERE v.session_id OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[])
      AND NOT EXISTS (SELECT FROM locked_videos l WHERE l.id OPERATOR(pg_catalog.=) v.id)
)
SELECT c.ordinal OPERATOR(pg_catalog.-) 1 AS ordinal
FROM pg_catalog.unnest($1::pg_catalog.text[]) WITH ORDINALITY AS c (session_id, ordinal)
JOIN busy b ON b.session_id OPERATOR(pg_catalog.=) c.session_id

-- Tells which sessions were not deleted with all their records, after session_delete.sql.
-- $1 text[]  session ids
-- Returns: index from 0 of each session that is still there, or has a record that is.
SELECT c.ordinal OPERATOR(pg_catalog.-) 1 AS ordinal
FROM pg_catalog.unnest($1::pg_catalog.text[]) WITH ORDINALITY AS c (session_id, ordinal)
WHERE EXISTS (SELECT FROM :sessions s WHERE s.id OPERATOR(pg_catalog.=) c.session_id OFFSET 0)
   OR EXISTS (SELECT FROM :image_sent i WHERE i.session_id OPERATOR(pg_catalog.=) c.session_id OFFSET 0)
   OR EXISTS (SELECT FROM :video_sent v WHERE v.session_id OPERATOR(pg_catalog.=) c.session_id OFFSET 0)

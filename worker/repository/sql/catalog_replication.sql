-- Tables whose deletes or updates a publication publishes, though nothing identifies their rows: PostgreSQL refuses them.
-- $1 text[]  oids: users, sessions, messages, image_sent, video_sent, bookings
-- Returns findings; worker/repository/catalog.c names their columns.
WITH published AS (
    SELECT c.oid, bool_or(p.pubdelete) AS deletes, bool_or(p.pubupdate) AS updates,
           min(p.pubname) AS publication
    FROM pg_catalog.pg_publication_tables l
    JOIN pg_catalog.pg_publication p ON p.pubname = l.pubname
    JOIN pg_catalog.pg_namespace n ON n.nspname = l.schemaname
    JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = l.tablename
    GROUP BY c.oid
), tables AS (
    SELECT c.oid, t.ordinal, format('%I.%I', n.nspname, c.relname) AS quoted, c.relreplident,
           u.publication
    FROM unnest($1::text[]) WITH ORDINALITY AS t (oid, ordinal)
    CROSS JOIN LATERAL (SELECT t.oid::oid AS relid
                        UNION
                        SELECT relid FROM pg_partition_tree(t.oid::oid::regclass)) p
    JOIN pg_catalog.pg_class c ON c.oid = p.relid AND c.relkind = 'r'
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN published u ON u.oid IN (SELECT c.oid
                                  UNION
                                  SELECT relid FROM pg_partition_ancestors(c.oid))
                    AND CASE t.ordinal WHEN 6 THEN u.updates ELSE u.deletes END
    WHERE t.ordinal IN (2, 4, 5, 6)
), identities AS (
    SELECT t.*,
           EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = t.oid AND i.indisprimary
                                                       AND i.indisvalid) AS has_key,
           EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = t.oid AND i.indisreplident
                                                       AND i.indisvalid) AS has_index
    FROM tables t
)
SELECT DISTINCT ON (i.ordinal, i.quoted)
       'FAIL' AS level, 'replica_identity' AS code, 'replication' AS subject,
       CASE i.ordinal WHEN 6 THEN 'bookings' ELSE 'sessions' END AS concerns,
       format('publication %I publishes %s, whose rows nothing identifies', i.publication, i.quoted)
           AS what,
       'PostgreSQL refuses to delete or update them.' AS why,
       format('ALTER TABLE %s REPLICA IDENTITY %s;', i.quoted,
              CASE WHEN i.has_key THEN 'DEFAULT' ELSE 'FULL' END) AS mend
FROM identities i
WHERE NOT CASE i.relreplident WHEN 'd' THEN i.has_key WHEN 'i' THEN i.has_index
                              WHEN 'f' THEN true ELSE false END
ORDER BY i.ordinal, i.quoted, i.publication

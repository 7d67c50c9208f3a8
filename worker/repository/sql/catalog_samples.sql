-- The statement that lists the senders and statuses of the rows at the end of each table, where new ones go: a few pages
-- of each, whatever its size. Statistics know nothing of a table that was never analyzed.
-- $1 text[]  oids: users, sessions, messages, image_sent, video_sent, bookings
-- Returns one row: the statement, which returns whether a value is a sender's, and the value; NULL when there is nothing
-- to look at.
WITH leaves AS (
    SELECT c.oid, t.ordinal, r.name, format('%I.%I', n.nspname, c.relname) AS quoted,
           pg_relation_size(c.oid) / current_setting('block_size')::bigint AS pages,
           row_number() OVER (PARTITION BY t.ordinal ORDER BY c.oid DESC) AS place
    FROM (VALUES (3, 'sender'), (6, 'status')) AS r (ordinal, name)
    JOIN unnest($1::text[]) WITH ORDINALITY AS t (oid, ordinal) ON t.ordinal = r.ordinal
    CROSS JOIN LATERAL (SELECT t.oid::oid AS relid
                        UNION
                        SELECT relid FROM pg_partition_tree(t.oid::oid::regclass)) p
    JOIN pg_catalog.pg_class c ON c.oid = p.relid AND c.relkind = 'r'
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE has_table_privilege(c.oid, 'SELECT')
)
SELECT string_agg(
           format('SELECT DISTINCT %L::boolean, x.%I::text FROM ONLY %s x '
                  'WHERE x.ctid = ANY (ARRAY(SELECT format(''(%%s,%%s)'', p, i)::tid '
                  'FROM generate_series(%s, %s) p, generate_series(1, 150) i)) '
                  'AND x.%2$I IS NOT NULL',
                  l.ordinal = 3, l.name, l.quoted, greatest(l.pages - 3, 0),
                  greatest(l.pages - 1, 0)), ' UNION ')
FROM leaves l
WHERE l.place <= 4

-- Tells whether sessions can be read in order of their users without sorting all of them.
-- $1 text  quoted sessions table
-- Returns one row: there is a valid, whole B-tree index that begins with user_id (false when the table is gone).
SELECT EXISTS (SELECT
               FROM pg_catalog.pg_index i
               JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
               JOIN pg_catalog.pg_am m ON m.oid = c.relam AND m.amname = 'btree'
               JOIN pg_catalog.pg_attribute a
                 ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] AND a.attname = 'user_id'
               WHERE i.indrelid = to_regclass($1) AND i.indisvalid AND i.indisready
                 AND i.indpred IS NULL) AS indexed

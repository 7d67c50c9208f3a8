-- Tells whether sessions can be read in order of their users without sorting all of them.
-- $1 text  quoted sessions table
-- Returns one row: there is a valid, whole B-tree index that begins with user_id (false when the table is gone).
SELECT EXISTS (SELECT
               FROM pg_catalog.pg_index i
               JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
               JOIN pg_catalog.pg_am m ON m.oid OPERATOR(pg_catalog.=) c.relam
                 AND m.amname OPERATOR(pg_catalog.=) 'btree'
               JOIN pg_catalog.pg_attribute a
                 ON a.attrelid OPERATOR(pg_catalog.=) i.indrelid
                   AND a.attnum OPERATOR(pg_catalog.=) i.indkey[0]
                     AND a.attname OPERATOR(pg_catalog.=) 'user_id'
               WHERE i.indrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1) AND i.indisvalid
                 AND i.indisready
                 AND i.indpred IS NULL) AS indexed

-- What changes when a foreign key to one of these tables, a trigger, a rule, a child or a publication of them comes,
-- goes or is switched.
-- $1 text[]  quoted tables
-- Returns one row: a text to compare; the same while nothing changes.
WITH tables AS (
    SELECT pg_catalog.to_regclass(q) AS oid FROM pg_catalog.unnest($1::pg_catalog.text[]) AS q
)
SELECT pg_catalog.md5(pg_catalog.concat_ws(',',
           (SELECT pg_catalog.string_agg(pg_catalog.concat(g.oid, g.tgenabled, g.tgdeferrable), ' ' ORDER BY g.oid)
            FROM pg_catalog.pg_trigger g WHERE g.tgrelid OPERATOR(pg_catalog.=) ANY (SELECT oid FROM tables)),
           (SELECT pg_catalog.string_agg(pg_catalog.concat(w.oid, w.ev_enabled), ' ' ORDER BY w.oid)
            FROM pg_catalog.pg_rewrite w WHERE w.ev_class OPERATOR(pg_catalog.=) ANY (SELECT oid FROM tables)),
           (SELECT pg_catalog.string_agg(i.inhrelid::pg_catalog.text, ' ' ORDER BY i.inhrelid)
            FROM pg_catalog.pg_inherits i WHERE i.inhparent OPERATOR(pg_catalog.=) ANY (SELECT oid FROM tables)),
           (SELECT pg_catalog.string_agg(pg_catalog.concat(c.oid, c.relreplident), ' ' ORDER BY c.oid)
            FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) ANY (SELECT oid FROM tables)),
           (SELECT pg_catalog.string_agg(pg_catalog.concat(p.oid, p.puballtables, p.pubupdate, p.pubdelete), ' '
                              ORDER BY p.oid)
            FROM pg_catalog.pg_publication p),
           (SELECT pg_catalog.string_agg(r.oid::pg_catalog.text, ' ' ORDER BY r.oid)
            FROM pg_catalog.pg_publication_rel r WHERE r.prrelid OPERATOR(pg_catalog.=) ANY (SELECT oid
              FROM tables))))
       AS fingerprint

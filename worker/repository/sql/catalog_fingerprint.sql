-- What changes when a foreign key to one of these tables, a trigger, a rule, a child or a publication of them comes,
-- goes or is switched.
-- $1 text[]  quoted tables
-- Returns one row: a text to compare; the same while nothing changes.
WITH tables AS (
    SELECT to_regclass(q) AS oid FROM unnest($1::text[]) AS q
)
SELECT md5(concat_ws(',',
           (SELECT string_agg(concat(g.oid, g.tgenabled, g.tgdeferrable), ' ' ORDER BY g.oid)
            FROM pg_catalog.pg_trigger g WHERE g.tgrelid IN (SELECT oid FROM tables)),
           (SELECT string_agg(concat(w.oid, w.ev_enabled), ' ' ORDER BY w.oid)
            FROM pg_catalog.pg_rewrite w WHERE w.ev_class IN (SELECT oid FROM tables)),
           (SELECT string_agg(i.inhrelid::text, ' ' ORDER BY i.inhrelid)
            FROM pg_catalog.pg_inherits i WHERE i.inhparent IN (SELECT oid FROM tables)),
           (SELECT string_agg(concat(c.oid, c.relreplident), ' ' ORDER BY c.oid)
            FROM pg_catalog.pg_class c WHERE c.oid IN (SELECT oid FROM tables)),
           (SELECT string_agg(concat(p.oid, p.puballtables, p.pubupdate, p.pubdelete), ' '
                              ORDER BY p.oid)
            FROM pg_catalog.pg_publication p),
           (SELECT string_agg(r.oid::text, ' ' ORDER BY r.oid)
            FROM pg_catalog.pg_publication_rel r WHERE r.prrelid IN (SELECT oid FROM tables))))
       AS fingerprint

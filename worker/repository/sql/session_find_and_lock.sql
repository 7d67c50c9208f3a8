-- First look of a set, and the locks of what it finds: users, then their sessions, whom no other transaction holds. A message
-- insert in flight holds KEY SHARE on its user. What is locked is looked at again in a statement of its own.
-- $1 uuid[]       user of each request
-- $2 timestamp[]  cutoff of each request, UTC
-- $3 bigint       at most this many sessions a request
-- Returns of each session that looks inactive: index of the request from 0, user id, session id, whether it and its user are
-- locked now.
-- The look is over before the first lock, because sorting waits for its last row. OFFSET 0 keeps the planner from turning
-- the probes into joins over all messages; a sub-select with a lock of its own is never turned into a join.
SELECT f.ordinal OPERATOR(pg_catalog.-) 1 AS ordinal, f.user_id, f.id, s.locked IS NOT NULL AS locked
FROM (SELECT r.ordinal, s.user_id, s.id
      FROM unnest($1::pg_catalog.uuid[], $2::timestamp[]) WITH ORDINALITY AS r (user_id, cutoff, ordinal)
      CROSS JOIN LATERAL (SELECT s.user_id, s.id
                          FROM :sessions s
                          WHERE s.user_id OPERATOR(pg_catalog.=) r.user_id
                            AND (:session_is_older(r.cutoff) OR s.created_at IS NULL)
                          LIMIT $3) s
      WHERE NOT EXISTS (SELECT FROM :messages m
                        WHERE m.user_id OPERATOR(pg_catalog.=) r.user_id AND :message_is_users
                          AND :message_is_newer(r.cutoff)
                        OFFSET 0)
        AND NOT EXISTS (SELECT FROM :messages m
                        WHERE m.user_id OPERATOR(pg_catalog.=) r.user_id AND :message_is_users
                          AND m."timestamp" IS NULL
                        OFFSET 0)
      ORDER BY s.user_id
      OFFSET 0) f
LEFT JOIN LATERAL (SELECT true AS locked
                   FROM :users u
                   WHERE u.user_id OPERATOR(pg_catalog.=) f.user_id
                   FOR UPDATE OF u SKIP LOCKED) u ON true
LEFT JOIN LATERAL (SELECT true AS locked
                   FROM :sessions s
                   WHERE u.locked AND s.id OPERATOR(pg_catalog.=) f.id
                     AND s.user_id OPERATOR(pg_catalog.=) f.user_id
                   FOR UPDATE OF s SKIP LOCKED) s ON true

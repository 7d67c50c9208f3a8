-- How the application's columns of times and words are compared, printed and written, as the catalog says what they hold.
-- $1 text[]  quoted tables: users, sessions, messages, image_sent, video_sent, bookings
-- $2 text    zone of the times in columns without one
-- $3 text[]  senders whose messages are not their user's
-- $4 text    status of the bookings that expire
-- $5 text    status that they get
-- Returns one row for each SQL variable: name; text, in which :argument stands for what follows the name in parentheses.
--
-- What a file passes is a timestamp in UTC (a cutoff), or such a column's value (..._utc). A local time that the change of
-- clocks doubles or leaves out counts as the later of its instants: AT TIME ZONE takes that one. Only a bound on the column
-- itself can use an index, so it comes first: the farthest that the cutoff's local time can be with the offsets of its day
-- and of two days around it. CASE decides exactly; no offset is near 48 hours, so only times near the cutoff are converted.
-- Where the zone is not UTC, a column whose type has changed since would be misread: there is no operator for a range of
-- the one type and a value of the other.
WITH times AS (
    SELECT v.name, v.quoted,
           CASE WHEN coalesce(b.typname, y.typname) = 'timestamptz' THEN 'instant'
                WHEN $2::text = 'UTC' THEN 'utc'
                ELSE 'local' END AS kind,
           CASE WHEN $2::text = 'UTC' OR b.oid IS NOT NULL THEN ''
                WHEN y.typname = 'timestamptz' THEN format(' AND tstzrange ''(,)'' @> %s', v.quoted)
                ELSE format(' AND tsrange ''(,)'' @> %s', v.quoted) END AS guard
    FROM (VALUES ('session_created', 2, 'created_at', 's.created_at'),
                 ('message_time', 3, 'timestamp', 'm."timestamp"'),
                 ('booking_created', 6, 'created_at', 'b.created_at'),
                 ('booking_date', 6, 'booking_date', NULL),
                 ('booking_updated', 6, 'updated_at', NULL)) AS v (name, place, attname, quoted)
    LEFT JOIN pg_catalog.pg_attribute a
           ON a.attrelid = to_regclass(($1::text[])[v.place]) AND a.attname = v.attname
              AND NOT a.attisdropped
    LEFT JOIN pg_catalog.pg_type y ON y.oid = a.atttypid
    LEFT JOIN pg_catalog.pg_type b ON y.typtype = 'd' AND b.oid = y.typbasetype
), comparisons (name, sign, bound, before, after, time) AS (
    VALUES ('session_is_older', '<', 'greatest', 'true', 'false', 'session_created'),
           ('message_is_newer', '>=', 'least', 'false', 'true', 'message_time'),
           ('booking_is_older', '<', 'greatest', 'true', 'false', 'booking_created')
), words AS (
    SELECT v.name, n.nspname, coalesce(b.typname, y.typname) = 'citext' AS ignores_case
    FROM (VALUES ('sender', 3), ('status', 6)) AS v (name, place)
    LEFT JOIN pg_catalog.pg_attribute a
           ON a.attrelid = to_regclass(($1::text[])[v.place]) AND a.attname = v.name
              AND NOT a.attisdropped
    LEFT JOIN pg_catalog.pg_type y ON y.oid = a.atttypid
    LEFT JOIN pg_catalog.pg_type b ON y.typtype = 'd' AND b.oid = y.typbasetype
    LEFT JOIN pg_catalog.pg_namespace n ON n.oid = coalesce(b.typnamespace, y.typnamespace)
)
SELECT c.name,
       CASE t.kind
            WHEN 'utc' THEN format('%s %s :argument', t.quoted, c.sign)
            WHEN 'instant'
            THEN format('%s %s :argument AT TIME ZONE ''UTC''%s', t.quoted, c.sign, t.guard)
            ELSE format('(%1$s %2$s %3$s((:argument - interval ''48 hours'') AT TIME ZONE ''UTC'' '
                        'AT TIME ZONE %6$L + interval ''48 hours'', '
                        ':argument AT TIME ZONE ''UTC'' AT TIME ZONE %6$L, '
                        '(:argument + interval ''48 hours'') AT TIME ZONE ''UTC'' '
                        'AT TIME ZONE %6$L - interval ''48 hours'') '
                        'AND CASE WHEN %1$s < :argument - interval ''48 hours'' THEN %4$s '
                        'WHEN %1$s > :argument + interval ''48 hours'' THEN %5$s '
                        'ELSE %1$s AT TIME ZONE %6$L %2$s :argument AT TIME ZONE ''UTC'' END%7$s)',
                        t.quoted, c.sign, c.bound, c.before, c.after, $2::text, t.guard)
       END AS text
FROM comparisons c JOIN times t ON t.name = c.time
UNION ALL -- RFC 3339 has four digits for a year: what they cannot say, infinity too, is NULL
SELECT t.name || '_utc',
       format('CASE WHEN :argument >= ''0001-01-02 00:00+00'' AND :argument < ''9999-12-31 00:00+00'' '
              'THEN :argument%s END',
              CASE t.kind WHEN 'utc' THEN ''
                          WHEN 'instant' THEN ' AT TIME ZONE ''UTC'''
                          ELSE format(' AT TIME ZONE %L AT TIME ZONE ''UTC''', $2::text) END)
FROM times t WHERE t.name <> 'booking_updated'
UNION ALL
SELECT 'booking_created_type', CASE t.kind WHEN 'instant' THEN 'timestamptz' ELSE 'timestamp' END
FROM times t WHERE t.name = 'booking_created'
UNION ALL
SELECT 'booking_now', CASE t.kind WHEN 'instant' THEN 'now()'
                                  ELSE format('now() AT TIME ZONE %L', $2::text) END
FROM times t WHERE t.name = 'booking_updated'
UNION ALL
SELECT 'message_is_users',
       coalesce((SELECT format(CASE WHEN w.ignores_case
                                    THEN '(lower(m.sender::text) IN (%s)) IS NOT TRUE'
                                    ELSE '(m.sender::text IN (%s)) IS NOT TRUE' END,
                               string_agg(quote_literal(CASE WHEN w.ignores_case THEN lower(o.word)
                                                             ELSE o.word END), ', '))
                 FROM unnest($3::text[]) AS o (word) HAVING count(*) > 0), 'true')
FROM words w WHERE w.name = 'sender'
UNION ALL
SELECT 'booking_is_pending',
       CASE WHEN w.ignores_case
            THEN format('b.status OPERATOR(%I.=) %L::%1$I.citext', w.nspname, $4::text)
            ELSE format('b.status = %L', $4::text) END
FROM words w WHERE w.name = 'status'
UNION ALL
SELECT 'booking_expired_word', quote_literal($5::text)

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
-- The texts name operators, functions and types in full, as all of the statements of the worker do.
WITH times AS (
    SELECT v.name, v.quoted,
           CASE WHEN coalesce(b.typname, y.typname) OPERATOR(pg_catalog.=) 'timestamptz' THEN 'instant'
                WHEN $2::pg_catalog.text OPERATOR(pg_catalog.=) 'UTC' THEN 'utc'
                ELSE 'local' END AS kind,
           CASE WHEN $2::pg_catalog.text OPERATOR(pg_catalog.=) 'UTC' OR b.oid IS NOT NULL THEN ''
                ELSE pg_catalog.format(' AND pg_catalog.%s ''(,)'' OPERATOR(pg_catalog.@>) %s',
                                       CASE WHEN y.typname OPERATOR(pg_catalog.=) 'timestamptz'
                                            THEN 'tstzrange' ELSE 'tsrange' END, v.quoted)
                END AS guard
    FROM (VALUES ('session_created', 2, 'created_at', 's.created_at'),
                 ('message_time', 3, 'timestamp', 'm."timestamp"'),
                 ('booking_created', 6, 'created_at', 'b.created_at'),
                 ('booking_date', 6, 'booking_date', NULL),
                 ('booking_updated', 6, 'updated_at', NULL)) AS v (name, place, attname, quoted)
    LEFT JOIN pg_catalog.pg_attribute a
           ON a.attrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(($1::pg_catalog.text[])[v.place])
              AND a.attname OPERATOR(pg_catalog.=) v.attname AND NOT a.attisdropped
    LEFT JOIN pg_catalog.pg_type y ON y.oid OPERATOR(pg_catalog.=) a.atttypid
    LEFT JOIN pg_catalog.pg_type b
           ON y.typtype OPERATOR(pg_catalog.=) 'd' AND b.oid OPERATOR(pg_catalog.=) y.typbasetype
), comparisons (name, sign, bound, before, after, time) AS (
    VALUES ('session_is_older', '<', 'greatest', 'true', 'false', 'session_created'),
           ('message_is_newer', '>=', 'least', 'false', 'true', 'message_time'),
           ('booking_is_older', '<', 'greatest', 'true', 'false', 'booking_created')
), around (earlier, later) AS ( -- two days before the cutoff, and after it
    VALUES ('(:argument OPERATOR(pg_catalog.-) interval ''48 hours'')',
            '(:argument OPERATOR(pg_catalog.+) interval ''48 hours'')')
), words AS (
    SELECT v.name, n.nspname, coalesce(b.typname, y.typname) OPERATOR(pg_catalog.=) 'citext' AS ignores_case
    FROM (VALUES ('sender', 3), ('status', 6)) AS v (name, place)
    LEFT JOIN pg_catalog.pg_attribute a
           ON a.attrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(($1::pg_catalog.text[])[v.place])
              AND a.attname OPERATOR(pg_catalog.=) v.name AND NOT a.attisdropped
    LEFT JOIN pg_catalog.pg_type y ON y.oid OPERATOR(pg_catalog.=) a.atttypid
    LEFT JOIN pg_catalog.pg_type b
           ON y.typtype OPERATOR(pg_catalog.=) 'd' AND b.oid OPERATOR(pg_catalog.=) y.typbasetype
    LEFT JOIN pg_catalog.pg_namespace n
           ON n.oid OPERATOR(pg_catalog.=) coalesce(b.typnamespace, y.typnamespace)
), statuses (name, word) AS (
    VALUES ('booking_is_pending', $4::pg_catalog.text), ('booking_is_expired', $5::pg_catalog.text)
)
SELECT c.name,
       CASE
            WHEN t.kind OPERATOR(pg_catalog.=) 'utc' THEN pg_catalog.format('%s OPERATOR(pg_catalog.%s) :argument', t.quoted, c.sign)
            WHEN t.kind OPERATOR(pg_catalog.=) 'instant'
            THEN pg_catalog.format('%s OPERATOR(pg_catalog.%s) (:argument AT TIME ZONE ''UTC'')%s',
                                   t.quoted, c.sign, t.guard)
            ELSE pg_catalog.format(
                     '(%1$s OPERATOR(pg_catalog.%2$s) %3$s('
                     '(%8$s AT TIME ZONE ''UTC'' AT TIME ZONE %6$L) OPERATOR(pg_catalog.+) interval ''48 hours'', '
                     ':argument AT TIME ZONE ''UTC'' AT TIME ZONE %6$L, '
                     '(%9$s AT TIME ZONE ''UTC'' AT TIME ZONE %6$L) OPERATOR(pg_catalog.-) interval ''48 hours'') '
                     'AND CASE WHEN %1$s OPERATOR(pg_catalog.<) %8$s THEN %4$s '
                     'WHEN %1$s OPERATOR(pg_catalog.>) %9$s THEN %5$s '
                     'ELSE (%1$s AT TIME ZONE %6$L) OPERATOR(pg_catalog.%2$s) (:argument AT TIME ZONE ''UTC'') '
                     'END%7$s)',
                     t.quoted, c.sign, c.bound, c.before, c.after, $2::pg_catalog.text, t.guard, p.earlier, p.later)
       END AS text
FROM comparisons c
JOIN times t ON t.name OPERATOR(pg_catalog.=) c.time
CROSS JOIN around p
UNION ALL -- RFC 3339 has four digits for a year: what they cannot say, infinity too, is NULL
SELECT pg_catalog.format('%s_utc', t.name),
       pg_catalog.format('CASE WHEN :argument OPERATOR(pg_catalog.>=) ''0001-01-02 00:00+00'' '
                         'AND :argument OPERATOR(pg_catalog.<) ''9999-12-31 00:00+00'' '
                         'THEN :argument%s END',
                         CASE WHEN t.kind OPERATOR(pg_catalog.=) 'utc' THEN ''
                                     WHEN t.kind OPERATOR(pg_catalog.=) 'instant' THEN ' AT TIME ZONE ''UTC'''
                                     ELSE pg_catalog.format(' AT TIME ZONE %L AT TIME ZONE ''UTC''',
                                                            $2::pg_catalog.text) END)
FROM times t WHERE t.name OPERATOR(pg_catalog.<>) 'booking_updated'
UNION ALL
SELECT 'booking_created_type', CASE WHEN t.kind OPERATOR(pg_catalog.=) 'instant' THEN 'timestamptz' ELSE 'timestamp' END
FROM times t WHERE t.name OPERATOR(pg_catalog.=) 'booking_created'
UNION ALL
SELECT 'booking_now', CASE WHEN t.kind OPERATOR(pg_catalog.=) 'instant' THEN 'pg_catalog.now()'
                                  ELSE pg_catalog.format('pg_catalog.now() AT TIME ZONE %L', $2::pg_catalog.text)
                                  END
FROM times t WHERE t.name OPERATOR(pg_catalog.=) 'booking_updated'
UNION ALL
SELECT 'message_is_users',
       coalesce((SELECT pg_catalog.format(
                            CASE WHEN w.ignores_case
                                 THEN '(pg_catalog.lower(m.sender::pg_catalog.text) OPERATOR(pg_catalog.=) ANY '
                                      '(ARRAY[%s]::pg_catalog.text[])) IS NOT TRUE'
                                 ELSE '(m.sender::pg_catalog.text OPERATOR(pg_catalog.=) ANY '
                                      '(ARRAY[%s]::pg_catalog.text[])) IS NOT TRUE' END,
                            pg_catalog.string_agg(
                                pg_catalog.quote_literal(CASE WHEN w.ignores_case THEN pg_catalog.lower(o.word)
                                                              ELSE o.word END), ', '))
                 FROM pg_catalog.unnest($3::pg_catalog.text[]) AS o (word)
                 HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 0), 'true')
FROM words w WHERE w.name OPERATOR(pg_catalog.=) 'sender'
UNION ALL
SELECT s.name,
       CASE WHEN w.ignores_case
            THEN pg_catalog.format('b.status OPERATOR(%I.=) %L::%1$I.citext', w.nspname, s.word)
            ELSE pg_catalog.format('b.status OPERATOR(pg_catalog.=) %L', s.word) END
FROM words w CROSS JOIN statuses s WHERE w.name OPERATOR(pg_catalog.=) 'status'
UNION ALL
SELECT 'booking_expired_word', pg_catalog.quote_literal($5::pg_catalog.text)

-- Whether there is a time zone of that name.
-- $1 text  tables.time_zone
-- Returns at most one finding; worker/repository/catalog.c names its columns.
-- The view reads a thousand files, so it is passed over for the name that is nearly always given.
SELECT 'FAIL' AS level, 'time_zone_unknown' AS code, 'time zone' AS subject, NULL AS concerns,
       format('there is no time zone %s (tables.time_zone)', quote_literal($1::text)) AS what,
       'PostgreSQL lists those there are in pg_timezone_names, such as '
       || coalesce((SELECT string_agg(z.name, ', ' ORDER BY z.name)
                    FROM (SELECT name FROM pg_catalog.pg_timezone_names
                          WHERE lower(replace(name, '/', '')) = lower(regexp_replace($1, '[ /_]', '', 'g'))
                             OR split_part(lower(name), '/', 2) = lower($1)
                          ORDER BY name LIMIT 3) z), 'Europe/Berlin') || '.' AS why,
       NULL AS mend
WHERE CASE $1 WHEN 'UTC' THEN false
              ELSE NOT EXISTS (SELECT FROM pg_catalog.pg_timezone_names WHERE name = $1) END
UNION ALL
-- AT TIME ZONE takes what is an abbreviation, too, for one: CET without its summer time.
SELECT 'FAIL', 'time_zone_unknown', 'time zone', NULL,
       format('%s has no summer time to PostgreSQL (tables.time_zone)', quote_literal($1::text)),
       'It counts as an abbreviation. Name a place that has this time, such as Europe/Berlin.', NULL
WHERE CASE WHEN upper($1) IN ('UTC', 'UCT', 'GMT', 'ZULU') THEN false
           ELSE EXISTS (SELECT FROM pg_catalog.pg_timezone_abbrevs WHERE abbrev = upper($1))
                AND EXISTS (SELECT FROM pg_catalog.pg_timezone_names WHERE name = $1) END

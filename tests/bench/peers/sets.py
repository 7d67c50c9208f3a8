"""A tuned Python worker: sets of 500 commands in two statements and one commit, results in one flush; at least once.

It locks nothing and looks once, so it is no safe replacement for the worker: it is what is left when speed is all. A table
of processed ids makes redeliveries harmless.
"""
import psycopg

import kafka

SET = 500
PROCESSED = "CREATE TABLE IF NOT EXISTS processed (command_id text PRIMARY KEY)"
REMEMBER = """
    INSERT INTO processed SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING RETURNING command_id"""
# OFFSET 0 makes it probe each user's messages by index instead of joining all messages.
CLEAN_UP = """
    WITH inactive AS MATERIALIZED (
        SELECT DISTINCT ON (s.id) s.id, r.ordinal
        FROM unnest(%s::uuid[], %s::float[]) WITH ORDINALITY AS r (user_id, hours, ordinal)
        CROSS JOIN LATERAL (SELECT (now() AT TIME ZONE 'UTC') - make_interval(secs => r.hours * 3600) AS cutoff) c
        JOIN sessions s ON s.user_id = r.user_id AND (s.created_at < c.cutoff OR s.created_at IS NULL)
        WHERE NOT EXISTS (SELECT FROM messages m WHERE m.user_id = r.user_id AND m.sender = 'user'
                          AND (m."timestamp" >= c.cutoff OR m."timestamp" IS NULL) OFFSET 0)
    ), images AS (
        DELETE FROM "imageSent" i USING inactive d WHERE i.session_id = d.id RETURNING d.ordinal
    ), videos AS (
        DELETE FROM "videoSent" v USING inactive d WHERE v.session_id = d.id RETURNING d.ordinal
    ), sessions AS (
        DELETE FROM sessions s USING inactive d WHERE s.id = d.id RETURNING d.ordinal
    )
    SELECT ordinal, sum(s)::int, sum(i)::int, sum(v)::int
    FROM (SELECT ordinal, 1 AS s, 0 AS i, 0 AS v FROM sessions
          UNION ALL SELECT ordinal, 0, 1, 0 FROM images
          UNION ALL SELECT ordinal, 0, 0, 1 FROM videos) counted
    GROUP BY ordinal"""


def clean_up(connection, some):
    """Returns for each command that is new how many sessions, images and videos went."""
    with connection.transaction():
        new = {row[0] for row in connection.execute(REMEMBER, ([command_id for command_id, _, _ in some],))}
        run = [command for command in some if command[0] in new]
        counts = [(0, 0, 0)] * len(run)
        if run:
            arguments = ([user for _, user, _ in run], [hours for _, _, hours in run])
            for ordinal, *found in connection.execute(CLEAN_UP, arguments, prepare=True):
                counts[ordinal - 1] = found
    return [(command_id, user, count) for (command_id, user, _), count in zip(run, counts)]


def main():
    consumer, producer = kafka.open_clients(**{"enable.auto.commit": False})
    with psycopg.connect(kafka.DSN, autocommit=True) as connection:
        connection.execute(PROCESSED)
        while not kafka.stopping():
            messages = [message for message in consumer.consume(SET, 0.02) if not message.error()]
            if not messages:
                continue
            for command_id, user, counts in clean_up(connection, [kafka.read_command(message) for message in messages]):
                producer.produce(kafka.RESULTS, kafka.write_result(command_id, user, counts), command_id)
            producer.flush(30)
            consumer.commit(asynchronous=True)
    consumer.close()


main()

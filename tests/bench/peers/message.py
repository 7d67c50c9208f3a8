"""An idiomatic Python worker, as one would write it first: a message, a transaction, a result; at least once.

A table of processed ids makes redeliveries harmless. psycopg prepares the statements by itself after a few executions.
An offset is stored when its result was delivered, and committed in the background.
"""
import psycopg

import kafka

PROCESSED = "CREATE TABLE IF NOT EXISTS processed (command_id text PRIMARY KEY)"
REMEMBER = "INSERT INTO processed VALUES (%s) ON CONFLICT DO NOTHING"
INACTIVE = """
    SELECT s.id
    FROM sessions s, (SELECT (now() AT TIME ZONE 'UTC') - make_interval(secs => %(hours)s * 3600) AS cutoff) c
    WHERE s.user_id = %(user)s AND (s.created_at < c.cutoff OR s.created_at IS NULL)
      AND NOT EXISTS (SELECT FROM messages m WHERE m.user_id = s.user_id AND m.sender = 'user'
                      AND (m."timestamp" >= c.cutoff OR m."timestamp" IS NULL))"""
DELETE_IMAGES = 'DELETE FROM "imageSent" WHERE session_id = ANY (%s)'
DELETE_VIDEOS = 'DELETE FROM "videoSent" WHERE session_id = ANY (%s)'
DELETE_SESSIONS = 'DELETE FROM sessions WHERE id = ANY (%s)'


def clean_up(connection, command_id, user, hours):
    """Returns how many sessions, images and videos went."""
    with connection.transaction():
        if connection.execute(REMEMBER, (command_id,)).rowcount == 0:
            return 0, 0, 0
        sessions = [row[0] for row in connection.execute(INACTIVE, {"user": user, "hours": hours})]
        if not sessions:
            return 0, 0, 0
        images = connection.execute(DELETE_IMAGES, (sessions,)).rowcount
        videos = connection.execute(DELETE_VIDEOS, (sessions,)).rowcount
        return connection.execute(DELETE_SESSIONS, (sessions,)).rowcount, images, videos


def main():
    consumer, producer = kafka.open_clients(**{"enable.auto.offset.store": False})
    with psycopg.connect(kafka.DSN, autocommit=True) as connection:
        connection.execute(PROCESSED)
        while not kafka.stopping():
            message = consumer.poll(0.1)
            producer.poll(0)
            if message is None or message.error():
                continue
            command_id, user, hours = kafka.read_command(message)
            counts = clean_up(connection, command_id, user, hours)
            producer.produce(kafka.RESULTS, kafka.write_result(command_id, user, counts), command_id,
                             on_delivery=lambda _, __, done=message: consumer.store_offsets(done))
    producer.flush(30)
    consumer.close()


main()

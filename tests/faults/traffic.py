"""The application at work: messages that revive sessions, images sent and looked after, bookings that get confirmed.

Notes every write that was acknowledged; none of them may be lost, and none may fail but for a lost connection or for a
session that is gone.
"""
import time

import psycopg

import harness
from population import PROPERTY
from world import Actor


class Traffic(Actor):
    """One connection of the application."""

    def __init__(self, world, population, rng, pause_seconds):
        super().__init__(world)
        self.population, self.rng, self.pause_seconds = population, rng, pause_seconds
        self.messages = set()   # contents
        self.images = set()     # ids
        self.sessions = set()   # ids of sessions that have just begun
        self.confirmed = set()  # booking ids
        self.slowest_seconds = 0.0
        self.serial = 0

    def turn(self):
        try:
            with self.world.connect("traffic") as connection:
                while not self.ending.wait(self.rng.uniform(0, 2 * self.pause_seconds)):
                    self.act(connection)
        except psycopg.OperationalError as error:
            if error.sqlstate in ("40P01", "40001", "55P03"):
                self.world.violations.add("application", f"the application got {error.sqlstate}: {error}")
            self.ending.wait(0.2)
        except psycopg.Error as error:
            self.world.violations.add("application", f"the application got {error.sqlstate}: {error}")

    def act(self, connection):
        actions = [self.revive, self.converse, self.begin_session, self.send_image, self.keep_image, self.confirm]
        self.rng.choices(actions, [6, 2, 1, 3, 2, 2])[0](connection)

    def execute(self, connection, sql, params):
        started = time.monotonic()
        cursor = connection.execute(sql, params)
        self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - started)
        return cursor

    def token(self, prefix):
        self.serial += 1
        return f"{prefix}-{self.ident}-{self.serial}"

    def users(self, count):
        return [harness.user_id(n) for n in self.population.choose(self.rng, self.population.users, count)]

    def revive(self, connection):
        """Messages of several users at once."""
        texts = {self.token("message"): user for user in self.users(self.rng.randint(1, 12))}
        self.execute(connection, """
            INSERT INTO messages (user_id, sender, content)
            SELECT u, 'user', t FROM unnest(%s::uuid[], %s::text[]) AS new (u, t)""", (list(texts.values()), list(texts)))
        self.messages.update(texts)

    def converse(self, connection):
        """A transaction that stays open for a while with messages of two users, in any order."""
        texts = []
        with connection.transaction():
            for user in self.users(2):
                texts.append(self.token("message"))
                self.execute(connection, "INSERT INTO messages (user_id, sender, content) VALUES (%s, 'user', %s)",
                             (user, texts[-1]))
                time.sleep(self.rng.uniform(0, 0.4))
        self.messages.update(texts)

    def begin_session(self, connection):
        for user in self.users(1):
            session = self.token("young")
            self.execute(connection, "INSERT INTO sessions (id, user_id) VALUES (%s, %s)", (session, user))
            self.sessions.add(session)

    def send_image(self, connection):
        for number in self.population.choose(self.rng, self.population.users, 1):
            try:
                row = self.execute(connection, """
                    INSERT INTO "imageSent" (session_id, property_id) VALUES (%s, %s) RETURNING id""",
                                   (f"s-{number}-1", PROPERTY)).fetchone()
            except psycopg.errors.ForeignKeyViolation:
                return  # the session was cleaned up
            self.images.add(row[0])

    def keep_image(self, connection):
        """A transaction that holds the records of a session for a while, and nothing else of it."""
        for number in self.population.choose(self.rng, self.population.users, 1):
            with connection.transaction():
                self.execute(connection, 'SELECT FROM "imageSent" WHERE session_id = %s FOR UPDATE', (f"s-{number}-1",))
                time.sleep(self.rng.uniform(0, 0.4))

    def confirm(self, connection):
        bookings = sorted(f"b-{n}" for n in self.population.choose(self.rng, self.population.bookings, 3))
        rows = self.execute(connection, """
            UPDATE bookings SET status = 'Confirmed' WHERE booking_id = ANY (%s) AND status = 'Pending'
            RETURNING booking_id""", (bookings,)).fetchall()
        self.confirmed.update(booking for booking, in rows)

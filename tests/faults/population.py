"""The application's users with their inactive sessions and pending bookings; there are always new ones.

Invariant: whatever is made here is old enough for every command of the campaign, and stays so unless the traffic
touches it.
"""
import collections
import threading

import psycopg

import harness
from world import Actor

USERS_AT_ONCE = 25
BOOKINGS_AT_ONCE = 15
CROWDED_EVERY = 97  # one user in so many has more sessions than one batch holds
CROWDED_SESSIONS = 270
KEPT_USERS = 400
PROPERTY = harness.user_id("property")

ADD_USERS = """
    WITH new AS (SELECT n, md5('user ' || n)::uuid AS id FROM generate_series(%(first)s::int, %(last)s::int) n),
    added_users AS (INSERT INTO users SELECT id FROM new),
    added_messages AS (
        INSERT INTO messages (user_id, sender, content, "timestamp")
        SELECT id, 'user', 'old', now() AT TIME ZONE 'UTC' - interval '49 hours' FROM new),
    added_sessions AS (
        INSERT INTO sessions (id, user_id, created_at)
        SELECT 's-' || n || '-' || k, id, now() AT TIME ZONE 'UTC' - interval '72 hours'
        FROM new, generate_series(1, CASE WHEN n %% %(crowded_every)s = 0 THEN %(crowded)s ELSE 1 + n %% 3 END) k
        RETURNING id),
    added_images AS (
        INSERT INTO "imageSent" (session_id, property_id)
        SELECT id, %(property)s FROM added_sessions, generate_series(1, 2))
    INSERT INTO "videoSent" (session_id, property_id) SELECT id, %(property)s FROM added_sessions"""
ADD_BOOKINGS = """
    INSERT INTO bookings (booking_id, status, total_cost, created_at)
    SELECT 'b-' || n, 'Pending', 12.50, now() AT TIME ZONE 'UTC' - interval '70 minutes'
    FROM generate_series(%(first)s::int, %(last)s::int) n"""


class Population(Actor):
    """Grows all the time; `users` and `bookings` are the newest numbers, for whoever wants to touch or clean them."""

    def __init__(self, world, pause_seconds):
        super().__init__(world)
        self.pause_seconds = pause_seconds
        self.lock = threading.Lock()
        self.users = collections.deque(maxlen=KEPT_USERS)
        self.bookings = collections.deque(maxlen=KEPT_USERS)
        self.next_user = self.next_booking = 1
        self.next_crowded = CROWDED_EVERY  # of those that are asked for, with numbers below zero
        with world.connect() as connection:
            connection.execute("INSERT INTO properties VALUES (%s)", (PROPERTY,))

    def choose(self, rng, numbers, count, newest=KEPT_USERS):
        """Of the newest, which are not cleaned yet for the most part."""
        with self.lock:
            newest = list(numbers)[-newest:]
        return rng.sample(newest, min(count, len(newest)))

    def add_crowded(self):
        """One more user with many sessions; returns the id."""
        with self.lock:
            number = -self.next_crowded
            self.next_crowded += CROWDED_EVERY
        with self.world.connect("population") as connection:
            connection.execute(ADD_USERS, {"first": number, "last": number, "crowded_every": CROWDED_EVERY,
                                           "crowded": CROWDED_SESSIONS, "property": PROPERTY})
        return harness.user_id(number)

    def turn(self):
        try:
            with self.world.connect("population") as connection:
                while not self.ending.wait(self.pause_seconds):
                    self.grow(connection)
        except psycopg.OperationalError:
            self.ending.wait(0.2)  # PostgreSQL is away; the numbers in doubt are not used again

    def grow(self, connection):
        users = range(self.next_user, self.next_user + USERS_AT_ONCE)
        bookings = range(self.next_booking, self.next_booking + BOOKINGS_AT_ONCE)
        self.next_user, self.next_booking = users.stop, bookings.stop
        connection.execute(ADD_USERS, {"first": users[0], "last": users[-1], "crowded_every": CROWDED_EVERY,
                                       "crowded": CROWDED_SESSIONS, "property": PROPERTY})
        connection.execute(ADD_BOOKINGS, {"first": bookings[0], "last": bookings[-1]})
        with self.lock:
            self.users.extend(users)
            self.bookings.extend(bookings)

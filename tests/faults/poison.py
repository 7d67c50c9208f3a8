"""Rows of the application that a trigger does not let go, switched on and off; poison.sql has the triggers."""
import harness

# Of PL/pgSQL, of a CHECK, of a computation, and of a statement within the trigger.
SQLSTATES = ("P0001", "23514", "22012", "42P01")
SESSION_PARTS = ("session", "session", "image", "video")
KEPT_IN_FOUR = 1  # the others raise
SESSIONS, BOOKINGS = 25, 15

MARK = "INSERT INTO faults.poison (row_id, part, sqlstate) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
END = "UPDATE faults.poison SET ended = clock_timestamp() WHERE ended IS NULL"
# By last_value alone a sequence that was never used is like one that was used once.
MET = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM faults.poison_met"


OPEN = "SELECT row_id, sqlstate FROM faults.poison WHERE ended IS NULL AND (part = 'booking') = %s"


def cause(sqlstate):
    """What a result says of a row that is refused so: reason and SQLSTATE."""
    return ("trigger", None) if sqlstate is None else ("error", sqlstate)


def said_cause(entry):
    """The same of an entry of skipped_reasons. A record that is kept shows as its session's foreign key, which has a
    SQLSTATE of its own."""
    return cause(None if entry["reason"] == "trigger" else entry["sqlstate"])


class Poison:
    """What is marked stays marked until `end`."""

    def __init__(self, world, population):
        self.world, self.population = world, population
        self.was_used = False

    def mark(self, rng):
        """Some of the newest rows, few enough that a command need not give up (limits.max_row_errors). Returns the users
        whose sessions are among them."""
        users = self.population.choose(rng, self.population.users, SESSIONS, newest=SESSIONS)
        numbers = self.population.choose(rng, self.population.bookings, BOOKINGS, newest=BOOKINGS)
        marks = [(f"s-{number}-1", rng.choice(SESSION_PARTS), self._sqlstate(rng)) for number in users]
        marks += [(f"b-{number}", "booking", self._sqlstate(rng)) for number in numbers]
        with self.world.connect() as connection, connection.cursor() as cursor:
            cursor.executemany(MARK, marks)
        self.was_used = True
        return [harness.user_id(number) for number in users]

    @staticmethod
    def _sqlstate(rng):
        return None if rng.randrange(4) < KEPT_IN_FOUR else rng.choice(SQLSTATES)

    def end(self):
        with self.world.connect() as connection:
            connection.execute(END)

    def met(self):
        """How often a trigger has refused a row."""
        return self.world.rows(MET)[0][0]

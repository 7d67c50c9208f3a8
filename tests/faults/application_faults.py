"""What the application beside the workers does to its own tables: none of it may make a command fail."""
import time

import psycopg

TABLES = ("users", "sessions", "messages", '"imageSent"', '"videoSent"', "bookings")
POISON_SECONDS = (5, 10)
LOCK_SECONDS = (2.5, 6)  # beyond the tries that a command has
MAINTENANCE = ("CREATE INDEX faults_{1} ON {0} ((1))", "ALTER TABLE {0} ADD COLUMN faults_{1} int",
               "VACUUM {0}", "ALTER TABLE {0} DROP COLUMN faults_{1}", "DROP INDEX faults_{1}")


class ApplicationFaults:
    """Each method of KINDS is one kind of fault."""

    KINDS = ("poison_rows", "table_lock", "maintain")

    def __init__(self, actors):
        self.world, self.commander, self.poison = actors.world, actors.commander, actors.poison
        self.serial = 0

    def poison_rows(self, rng):
        """Triggers refuse some rows for a while."""
        met = self.poison.met()
        self.commander.clean_now(self.poison.mark(rng))
        time.sleep(rng.uniform(*POISON_SECONDS))
        self.poison.end()
        return self.poison.met() > met

    def table_lock(self, rng):
        """A table is read by a program that wants it to stay as it is."""
        seconds = rng.uniform(*LOCK_SECONDS)
        return self._execute(f"BEGIN; LOCK TABLE {rng.choice(TABLES)} IN SHARE MODE; SELECT pg_sleep({seconds}); COMMIT")

    def maintain(self, rng):
        """A table gets an index and a column, and is vacuumed."""
        table = rng.choice(TABLES)
        self.serial += 1
        return all(self._execute(statement.format(table, self.serial)) for statement in MAINTENANCE)

    def _execute(self, statement):
        try:
            with self.world.connect("maintenance") as connection:
                connection.execute(statement)
        except psycopg.Error as error:
            self.world.violations.add("application", f"the application got {error.sqlstate} at {statement}: {error}")
            return False
        return True

"""Who waits for whom in the database: how long the application stood behind a worker.

A wait counts as long as a worker is among those that block it, or that block its blockers: those that hold a lock, and
those that queue for one before it.
"""
import time

import psycopg

from world import Actor

PAUSE_SECONDS = 0.03
WORKER = "cleanup-worker"
BOUND_SECONDS = 1.0  # what the product aims at; the longest wait is told, never judged
LOOK = """
    SELECT pid, application_name, left(query, 100), coalesce(query_start, backend_start),
           CASE WHEN wait_event_type = 'Lock' THEN pg_blocking_pids(pid) END
    FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"""


class Wait:
    """One statement of the application that has met a worker."""

    def __init__(self, statement, blockers, fault):
        self.statement, self.blockers, self.fault = statement, blockers, fault
        self.seconds = 0.0

    def facts(self):
        return {"seconds": round(self.seconds, 2), "statement": self.statement, "workers": self.blockers, "during": self.fault}


class Waits(Actor):
    """`done` are the waits that are over."""

    def __init__(self, world):
        super().__init__(world)
        self.done = []
        self.open = {}       # (pid, when its statement began) → Wait
        self.looked_at = 0.0

    def turn(self):
        try:
            with self.world.connect("waits") as connection:
                while not self.ending.wait(PAUSE_SECONDS):
                    self.look(connection)
        except psycopg.OperationalError:
            self.close({})
            self.ending.wait(0.2)

    def look(self, connection):
        rows = connection.execute(LOOK).fetchall()
        now = time.monotonic()
        sessions = {pid: (name, query, since, blockers) for pid, name, query, since, blockers in rows}
        seen = {}
        for pid, (name, query, since, blockers) in sessions.items():
            workers = [] if not blockers or name.startswith(WORKER) else self._workers(sessions, pid)
            if workers:
                wait = self.open.get((pid, since))
                if wait is None:
                    wait = Wait(query, workers, self.world.fault)
                else:
                    wait.seconds += now - self.looked_at
                seen[pid, since] = wait
        self.close(seen)
        self.looked_at = now

    def close(self, seen):
        self.done += [wait for key, wait in self.open.items() if key not in seen]
        self.open = seen

    @staticmethod
    def _workers(sessions, pid):
        """What the workers execute that stand before it, directly or behind others."""
        found, known, ahead = [], {pid}, [pid]
        while ahead:
            for blocker in sessions.get(ahead.pop(), (None,) * 4)[3] or ():
                if blocker not in known:
                    known.add(blocker)
                    ahead.append(blocker)
                    name, query = sessions.get(blocker, ("", ""))[:2]
                    if name.startswith(WORKER):
                        found.append(query)
        return found

    def longest(self):
        """All that took longer than the bound, and the longest, longest first."""
        ordered = sorted(self.done, key=lambda wait: wait.seconds, reverse=True)
        return [wait.facts() for wait in ordered if wait.seconds > BOUND_SECONDS or wait is ordered[0]]

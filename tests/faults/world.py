"""One campaign's own database, topics and group, and what all of its actors note down about it."""
import pathlib
import threading
import uuid

import psycopg

import broker
import harness

HERE = pathlib.Path(__file__).resolve().parent
DEAD_LETTER_BYTES = 20_000  # the largest batch that the dead-letter topic takes
APPLICATION = harness.ROOT / "deploy/postgres/application.sql"


class Violations:
    """What went wrong, by kind; any thread may add."""

    def __init__(self):
        self._lock = threading.Lock()
        self.found = []  # (kind, text, ids)

    def add(self, kind, text, ids=()):
        with self._lock:
            self.found.append((kind, text, sorted(map(str, ids))))

    def kinds(self):
        return {kind for kind, _, _ in self.found}

    def count(self, *kinds):
        """How many ids (or, where there are none, sentences) these kinds have."""
        return sum(max(1, len(ids)) for kind, _, ids in self.found if kind in kinds)


class World:
    """Names, connections and the violations seen so far."""

    def __init__(self, stack, program, delivery):
        self.stack, self.program, self.delivery = stack, program, delivery
        self.name = "faults_" + uuid.uuid4().hex[:8]
        self.folder = stack.folder / self.name
        self.folder.mkdir()
        self.dsn = stack.dsn(self.name)
        self.commands, self.results, self.dead_letters = (f"{self.name}.{part}" for part in ("commands", "results", "dead"))
        self.violations = Violations()
        self.recoveries = []  # (when an outage ended, name of the fault)
        for topic in (self.commands, self.results, self.dead_letters):
            broker.create_topic(stack.bootstrap, topic)
        broker.limit_records(stack.bootstrap, self.dead_letters, DEAD_LETTER_BYTES)
        self._create_database()

    def _create_database(self):
        with psycopg.connect(self.stack.dsn("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {self.name}")
        harness.psql(self.dsn, APPLICATION.read_text())
        done = harness.run([self.program, "migrate"], env=self.worker_env())
        harness.check(done.returncode == 0, f"migrate: {done.stderr}")
        harness.psql(self.dsn, (HERE / "audit.sql").read_text())

    def worker_env(self, **more):
        return {
            "PATH": "/usr/bin:/bin",
            "CLEANUP_KAFKA_BOOTSTRAP_SERVERS": self.stack.worker_bootstrap,
            "CLEANUP_POSTGRES_DSN": self.stack.worker_dsn(self.name),
            "CLEANUP_KAFKA_GROUP_ID": self.name,
            "CLEANUP_TOPICS_COMMANDS": self.commands,
            "CLEANUP_TOPICS_RESULTS": self.results,
            "CLEANUP_TOPICS_DEAD_LETTERS": self.dead_letters,
            "CLEANUP_WORKER_DELIVERY": self.delivery,
            **more,
        }

    def connect(self, application="faults"):
        return psycopg.connect(self.dsn, autocommit=True, application_name=application, connect_timeout=10)

    def rows(self, sql, *params):
        with self.connect() as connection:
            return connection.execute(sql, params or None).fetchall()

    def committed(self):
        return broker.committed(self.stack.bootstrap, self.name, self.commands)

    def ends(self, topic, isolation=broker.READ_COMMITTED):
        return broker.ends(self.stack.bootstrap, topic, isolation)

    def records(self, topic):
        return broker.records(self.stack.bootstrap, topic)


class Actor(threading.Thread):
    """A thread that does something again and again until it is told to stop; what it raises is a violation."""

    def __init__(self, world):
        super().__init__(daemon=True)
        self.world = world
        self.ending = threading.Event()

    def turn(self):
        raise NotImplementedError

    def run(self):
        try:
            while not self.ending.is_set():
                self.turn()
        except Exception as error:  # a campaign whose actor has died proves nothing
            self.world.violations.add("harness", f"{type(self).__name__} died: {type(error).__name__}: {error}")
            raise

    def stop(self):
        self.ending.set()
        self.join(60)

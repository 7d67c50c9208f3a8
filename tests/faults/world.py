"""One campaign's own database, topics and group, and what all of its actors note down about it."""
import json
import os
import pathlib
import re
import threading
import time
import uuid

import psycopg

import broker
import harness

HERE = pathlib.Path(__file__).resolve().parent
DEAD_LETTER_BYTES = 20_000  # the largest batch that the dead-letter topic takes
BEFORE_LOOK_MS = 20_000     # a transaction may be open for so long, and then shows nothing of what is in it
VALID_ID = re.compile("[A-Za-z0-9._:-]{1,64}")
AFTER_DELETION_MS = 5_000   # the broker may hear of a deletion a little later than it is answered
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


def command_of(record):
    """A command as a dict; {} when it is not an object."""
    try:
        command = json.loads(record["payload"])
    except (TypeError, ValueError):
        return {}
    return command if isinstance(command, dict) else {}


def command_id_of(record):
    """None where there is no valid one."""
    command_id = command_of(record).get("command_id") or ""
    return command_id if VALID_ID.fullmatch(command_id) else None


class OperatorActs:
    """What was done to topics and offsets on purpose, and so what the oracle must excuse."""

    def __init__(self):
        self.generation = 0     # of the commands topic; 0 is the first
        self.commands = []      # records of the deleted ones
        self.dead_letters = []  # records of deleted topics
        self.unseen = []        # (from, until), ms: dead letters written then may have gone with their topic, unread
        self.read_again = {}    # (generation, partition) → its commands below this offset are read, and published, again

    def buried_ids(self):
        """Of commands that were in a topic that was deleted; some were executed before."""
        return {command_id for record in self.commands if (command_id := command_id_of(record))}

    def may_come_again(self, source):
        generation, partition, offset = source
        return offset < self.read_again.get((generation, partition), 0)

    def was_unseen(self, published_ms):
        return any(since <= published_ms <= until for since, until in self.unseen)


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
        self.acts = OperatorActs()
        self.fault = None     # that is brought about at present
        self.recoveries = []  # (when an outage ended, name of the fault)
        for topic in (self.commands, self.results):
            broker.create_topic(stack.bootstrap, topic)
        self.make_dead_letters()
        self._create_database()

    def _create_database(self):
        with psycopg.connect(self.stack.dsn("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {self.name}")
        harness.psql(self.dsn, APPLICATION.read_text())
        done = harness.run([self.program, "migrate"], env=self.worker_env())
        harness.check(done.returncode == 0, f"migrate: {done.stderr}")
        for script in ("audit.sql", "poison.sql"):
            harness.psql(self.dsn, (HERE / script).read_text())

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
            **{name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ},  # another librdkafka
            **more,
        }

    def connect(self, application="faults"):
        return psycopg.connect(self.dsn, autocommit=True, application_name=application, connect_timeout=10)

    def rows(self, sql, *params, **named):
        with self.connect() as connection:
            return connection.execute(sql, params or named or None).fetchall()

    def committed(self):
        return broker.committed(self.stack.bootstrap, self.name, self.commands)

    def ends(self, topic, isolation=broker.READ_COMMITTED):
        return broker.ends(self.stack.bootstrap, topic, isolation)

    def records(self, topic):
        return broker.records(self.stack.bootstrap, topic)

    def make_dead_letters(self):
        broker.create_topic(self.stack.bootstrap, self.dead_letters)
        broker.limit_records(self.stack.bootstrap, self.dead_letters, DEAD_LETTER_BYTES)

    def delete_dead_letters(self):
        """Those that are there are kept for the oracle."""
        looked_ms = 1000 * time.time()
        self.acts.dead_letters += self.records(self.dead_letters)
        broker.delete_topic(self.stack.bootstrap, self.dead_letters)
        self.acts.unseen.append((looked_ms - BEFORE_LOOK_MS, 1000 * time.time() + AFTER_DELETION_MS))

    def delete_commands(self):
        """Nothing may be on its way to the topic. Its records are kept for the oracle; what comes from now on belongs to
        the topic that is made in its place."""
        self.acts.commands += self.records(self.commands)
        broker.delete_topic(self.stack.bootstrap, self.commands)
        self.acts.generation += 1

    def make_commands(self):
        broker.create_topic(self.stack.bootstrap, self.commands)

    def move_offset(self, partition, ahead):
        """The group has no member; its committed offset comes to lie beyond the end."""
        end = self.ends(self.commands)[partition]
        broker.commit_offset(self.stack.bootstrap, self.name, self.commands, partition, end + ahead)
        self.acts.read_again[self.acts.generation, partition] = end


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

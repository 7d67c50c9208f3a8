"""What the end-to-end tests stand on: a database and topics of its own for each test, workers, commands, results.

The stack comes from the environment, as `scripts/devstack env` sets it; CLEANUP_TEST_PROGRAM names the program.
"""
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.path.abspath(os.environ.get("CLEANUP_TEST_PROGRAM") or ROOT / "build" / "cleanup-worker")
BOOTSTRAP = os.environ.get("CLEANUP_KAFKA_BOOTSTRAP_SERVERS", "")
DSN = os.environ.get("CLEANUP_POSTGRES_DSN", "")

# The first run over a topic waits for the group's coordinator; sanitizers slow everything down.
PATIENCE_SECONDS = 60


def user_id(number):
    """The id that add_users gives to the user of that number."""
    return str(uuid.UUID(hashlib.md5(f"user {number}".encode()).hexdigest()))


class Skipped(Exception):
    """What a test needs is not there; its text says what."""


def check(condition, text):
    if not condition:
        raise AssertionError(text)


def check_equal(found, expected, what):
    check(found == expected, f"{what}: expected {expected!r}, found {found!r}")


def wait_until(condition, what, seconds=PATIENCE_SECONDS):
    """Polls until the condition holds and returns what it returned."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        check(time.monotonic() < deadline, f"{what}: not within {seconds} s")
        time.sleep(0.05)


def run(arguments, env=None, stdin=None, timeout=PATIENCE_SECONDS + 30):
    return subprocess.run(arguments, env=env, input=stdin, capture_output=True, text=True, timeout=timeout, check=False)


def psql(dsn, sql):
    done = run(["psql", "-X", "-q", "-A", "-t", "-F", "|", "-v", "ON_ERROR_STOP=1", "-d", dsn, "-f", "-"], stdin=sql)
    check(done.returncode == 0, f"psql: {done.stderr}")
    return [line.split("|") for line in done.stdout.splitlines()]


def kcat(*arguments, stdin=None):
    done = run(["kcat", "-b", BOOTSTRAP, "-q", *arguments], stdin=stdin)
    check(done.returncode == 0, f"kcat {arguments}: {done.stderr}")
    return done.stdout


def dsn_of(database):
    return re.sub(r"dbname=\S+", f"dbname={database}", DSN)


class Worker:
    """One running `cleanup-worker run`."""

    def __init__(self, name, arguments, env, log_path, program):
        self.name = name
        self.log_path = log_path
        with open(log_path, "ab") as log:
            self.process = subprocess.Popen([program, "run", "-o", f"worker.id={name}", *arguments], env=env, stdout=log,
                                            stderr=log, stdin=subprocess.DEVNULL)

    def log(self):
        return self.log_path.read_text(errors="replace")

    def is_running(self):
        return self.process.poll() is None

    def terminate(self):
        """Asks it to end; returns the exit code."""
        if self.is_running():
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"worker {self.name} did not end within 40 s of SIGTERM") from None

    def crash(self):
        self.process.kill()
        self.process.wait()


class World:
    """A database with the application's tables, topics and a group, for one test alone."""

    template_ready = False

    def __init__(self, schema=True, topics=True):
        self.name = "e2e_" + uuid.uuid4().hex[:12]
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="cleanup-e2e-"))
        self.workers = []
        self.dsn = dsn_of(self.name)
        self.commands, self.results_topic, self.dead = (f"{self.name}.{part}" for part in ("commands", "results", "dead"))
        self.env = {key: value for key, value in os.environ.items() if not key.startswith("CLEANUP_TEST_")}
        self.env.update(CLEANUP_POSTGRES_DSN=self.dsn, CLEANUP_TOPICS_COMMANDS=self.commands,
                        CLEANUP_TOPICS_RESULTS=self.results_topic, CLEANUP_TOPICS_DEAD_LETTERS=self.dead,
                        CLEANUP_KAFKA_GROUP_ID=self.name)
        self._create_database(schema)
        if topics:
            self._create_topics()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        codes = {}
        for worker in self.workers:
            was_running = worker.is_running()
            code = worker.terminate()
            if was_running:
                codes[worker.name] = code
        if kind is not None:
            for worker in self.workers:
                print(f"--- log of worker {worker.name}\n" + "".join(worker.log().splitlines(True)[-60:]))
        psql(dsn_of("postgres"), f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")
        logs = {worker.name: worker.log()[-4000:] for worker in self.workers}
        shutil.rmtree(self.folder)
        if kind is None:
            check(not any(codes.values()), f"a worker did not end with 0: {codes} {logs}")

    def _create_database(self, schema):
        if not schema:
            psql(dsn_of("postgres"), f"CREATE DATABASE {self.name}")
            psql(self.dsn, (ROOT / "deploy/postgres/application.sql").read_text())
            return
        if not World.template_ready:
            psql(dsn_of("postgres"), "DROP DATABASE IF EXISTS e2e_template WITH (FORCE);\nCREATE DATABASE e2e_template;")
            psql(dsn_of("e2e_template"), (ROOT / "deploy/postgres/application.sql").read_text())
            done = run([PROGRAM, "migrate"], env={**self.env, "CLEANUP_POSTGRES_DSN": dsn_of("e2e_template")})
            check(done.returncode == 0, f"migrate: {done.stderr}")
            World.template_ready = True
        psql(dsn_of("postgres"), f"CREATE DATABASE {self.name} TEMPLATE e2e_template")

    def _create_topics(self):
        for topic in (self.commands, self.results_topic, self.dead):
            # Both brokers create a topic that is asked for; the metadata follow a moment later.
            wait_until(lambda t=topic: re.search(rf'"{t}" with [1-9]', kcat("-L", "-t", t)), f"topic {topic}")

    # Rows

    def sql(self, text):
        return psql(self.dsn, text)

    def number(self, text):
        return int(self.sql(text)[0][0])

    def add_users(self, first, count, last_word_hours=48, session_hours=72):
        """Users with one session each (two images, a video) and one message of their own."""
        self.sql(f"""
            INSERT INTO properties VALUES (md5('property')::uuid) ON CONFLICT DO NOTHING;
            INSERT INTO users SELECT md5('user ' || n)::uuid FROM generate_series({first}, {first + count - 1}) n;
            INSERT INTO sessions (id, user_id, created_at)
            SELECT 'session-' || n, md5('user ' || n)::uuid, now() AT TIME ZONE 'UTC' - interval '{session_hours} hours'
            FROM generate_series({first}, {first + count - 1}) n;
            INSERT INTO messages (user_id, sender, "timestamp")
            SELECT md5('user ' || n)::uuid, 'user', now() AT TIME ZONE 'UTC' - interval '{last_word_hours} hours'
            FROM generate_series({first}, {first + count - 1}) n;
            INSERT INTO "imageSent" (session_id, property_id)
            SELECT 'session-' || n, md5('property')::uuid FROM generate_series({first}, {first + count - 1}) n, generate_series(1, 2);
            INSERT INTO "videoSent" (session_id, property_id)
            SELECT 'session-' || n, md5('property')::uuid FROM generate_series({first}, {first + count - 1}) n;""")

    def add_bookings(self, prefix, count, minutes_old, status="Pending"):
        self.sql(f"""
            INSERT INTO bookings (booking_id, status, total_cost, created_at)
            SELECT '{prefix}-' || n, '{status}', 12.50, now() AT TIME ZONE 'UTC' - interval '{minutes_old} minutes'
            FROM generate_series(1, {count}) n;""")

    def counts(self):
        """sessions, images, videos, pending and expired bookings."""
        row = self.sql("""
            SELECT (SELECT count(*) FROM sessions), (SELECT count(*) FROM "imageSent"), (SELECT count(*) FROM "videoSent"),
                   (SELECT count(*) FROM bookings WHERE status = 'Pending'),
                   (SELECT count(*) FROM bookings WHERE status = 'Expired')""")[0]
        return tuple(int(value) for value in row)

    def fingerprint(self):
        """Of every row of the application's tables."""
        tables = ("users", "sessions", "messages", '"imageSent"', '"videoSent"', "bookings")
        return [self.sql(f"SELECT md5(coalesce(string_agg(t::text, ',' ORDER BY t::text), '')) FROM {table} t") for table in tables]

    # Workers, commands and results

    def start_worker(self, name="w1", *arguments, program=PROGRAM):
        worker = Worker(name, arguments, self.env, self.folder / f"{name}.log", program)
        self.workers.append(worker)
        return worker

    def program(self, *arguments, timeout=PATIENCE_SECONDS + 30, **env):
        return run([PROGRAM, *arguments], env={**self.env, **env}, timeout=timeout)

    def send(self, *arguments):
        """Sends without waiting; returns the command's id."""
        done = self.program("send", *arguments)
        check(done.returncode == 0, f"send {arguments}: {done.stderr}")
        return done.stdout.strip()

    def send_and_wait(self, *arguments):
        """Returns the result, whatever its status."""
        done = self.program("send", "--wait", "--format", "json", "--timeout", f"{PATIENCE_SECONDS}s", *arguments)
        check(done.stdout, f"send {arguments}: no result, exit code {done.returncode}: {done.stderr}")
        result = json.loads(done.stdout)
        check_equal(done.returncode, 0 if result["success"] else 1, "exit code of send --wait")
        return result

    def produce(self, commands):
        """Many commands (dicts) at once, keyed as the contract says."""
        lines = []
        for command in commands:
            key = command.get("params", {}).get("user_id") or command["task"]
            lines.append(f"{key}\t{json.dumps(command)}\n")
        kcat("-P", "-t", self.commands, "-K", "\t", "-X", "topic.partitioner=murmur2_random", stdin="".join(lines))

    def watch(self, count, seconds=PATIENCE_SECONDS):
        """The first `count` results of the topic."""
        done = self.program("watch", "--since", "1h", "--format", "json", "--count", str(count), "--timeout", f"{seconds}s",
                            timeout=seconds + 30)
        check(done.returncode == 0, f"watch for {count} results: {done.stderr}")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def records(self, topic):
        return [json.loads(line) for line in kcat("-C", "-e", "-J", "-t", topic, "-o", "beginning").splitlines()]

    def published(self):
        """Every result on the results topic now, as (key, bytes); not the progress of long commands."""
        return [(record["key"], record["payload"]) for record in self.records(self.results_topic)
                if "cleanup.progress.v1" not in (record.get("headers") or [])]

    def progress(self):
        """How far long commands said to have come, as it was published."""
        return [json.loads(record["payload"]) for record in self.records(self.results_topic)
                if "cleanup.progress.v1" in (record.get("headers") or [])]

    def wait_for_ids(self, ids, seconds=PATIENCE_SECONDS):
        """Waits until every id has a result; returns id → result. Publications of one id must be the same bytes."""
        ids = set(ids)
        published = {}

        def all_there():
            published.clear()
            for key, payload in self.published():
                published.setdefault(key, set()).add(payload)
            return ids <= set(published)

        wait_until(all_there, f"results of {len(ids)} commands", seconds)
        for key, payloads in published.items():
            check_equal(len(payloads), 1, f"different results of command {key}")
        return {key: json.loads(min(payloads)) for key, payloads in published.items()}

    def dead_letters(self):
        """(payload, headers) of every dead letter."""
        letters = []
        for record in self.records(self.dead):
            names = record.get("headers") or []
            letters.append((record["payload"], dict(zip(names[::2], names[1::2]))))
        return letters

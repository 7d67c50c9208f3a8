"""Owns what PostgreSQL alone pays: the CPU time of one backend a command, in sets of a size, without Kafka.

The worker's own code executes them (sets.c), and for comparison the one statement of the worker by hand in Go, which is not
safe. The time is the backend's own, to the nanosecond, so it takes a quiet core rather than a quiet machine.
"""
import os
import subprocess
import tempfile
import uuid

import psycopg

import per_user
from commands import user_commands
from go_program import SOURCE
from stack import TOOLS
from trial import CannotMeasure

# What a page costs that is not in shared buffers yet says nothing of a statement.
WARM = """
    CREATE EXTENSION pg_prewarm;
    SELECT sum(pg_prewarm(c.oid)) FROM pg_class c
    WHERE c.relkind IN ('r', 'i') AND c.relnamespace IN ('public'::regnamespace, 'cleanup_worker'::regnamespace)"""
INDEX_SCANS = "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c jit=off"  # as database.go


def cpu_nanoseconds(pid):
    with open(f"/proc/{pid}/schedstat") as stat:
        return int(stat.read().split()[0])


class SetProgram:
    """bench_sets over so many per-user commands, from the moment it is connected to its end."""

    def __init__(self, bench, database, size, count, gap_ms=0):
        self._commands = tempfile.NamedTemporaryFile("w", dir=bench.stack.folder)
        self._commands.writelines(f"{command}\n" for _, command in user_commands(count, bench.sizes.users))
        self._commands.flush()
        env = {name: value for name, value in os.environ.items() if not name.startswith(("CLEANUP_", "PG"))}
        self._process = subprocess.Popen(
            [TOOLS / "bench_sets", self._commands.name, str(size), str(gap_ms)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, env={**env, "CLEANUP_POSTGRES_DSN": bench.stack.dsn(database)})
        self._expect("ready")

    def _expect(self, word):
        """Reads up to that word; returns the lines before it."""
        lines = []
        for line in self._process.stdout:
            if line.strip() == word:
                return lines
            lines.append(line)
        raise CannotMeasure(f"bench_sets: {self._process.stderr.read()[-500:]}")

    def run(self):
        """The milliseconds of each set."""
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return [int(line) / 1000 for line in self._expect("done")]

    def close(self):
        self._process.stdin.close()
        self._process.wait(60)
        self._commands.close()


def _measure(bench, size, open_runner):
    """What a run over a warm clone costs its backend; `open_runner(database)` has a connection, and `run` and `close`."""
    count = bench.sizes.commands
    database = bench.datasets.clone(per_user.template(bench))
    try:
        bench.datasets.execute(database, WARM)
        runner = open_runner(database)
        try:
            backend = bench.datasets.number(database, """
                SELECT max(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()""")
            before = cpu_nanoseconds(backend)
            runner.run()
            used = cpu_nanoseconds(backend) - before
        finally:
            runner.close()
        per_user.check(bench, database, count)
    finally:
        bench.datasets.drop(database)
    return {"set": size, "cpu_seconds": {"postgres": round(used / 1e9, 6)}, "cpu_results": count}


class UnsafeStatement:
    """The statement of peers/go over the same commands."""

    def __init__(self, bench, database, size):
        users = [uuid.UUID(user) for user, _ in user_commands(bench.sizes.commands, bench.sizes.users)]
        self._sets = [(first, users[first:first + size]) for first in range(0, len(users), size)]
        text = (SOURCE / "set.sql").read_text().replace("$1", "%(ids)b").replace("$2", "%(users)b")
        self._statement = text
        self._connection = psycopg.connect(bench.stack.dsn(database), autocommit=True, options=INDEX_SCANS)
        self._connection.execute((SOURCE / "inbox.sql").read_text())

    def run(self):
        for first, users in self._sets:
            ids = [f"bench-{first + n}" for n in range(len(users))]
            self._connection.execute(self._statement, {"ids": ids, "users": users}, prepare=True)

    def close(self):
        self._connection.close()


def worker_sets(bench, size):
    return _measure(bench, size, lambda database: SetProgram(bench, database, size, bench.sizes.commands))


def unsafe_sets(bench, size):
    return _measure(bench, size, lambda database: UnsafeStatement(bench, database, size))

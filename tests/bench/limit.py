"""PostgreSQL's limit: pgbench runs the worker's own statements over the worker's own sets, two clients, no worker.

    pgbench -n -M prepared -c 2 -j 1

How it is made comparable, each choice in pgbench's favour:
- Statements, order, arrays and sets are those that a worker executed (recording.py). BEGIN and COMMIT are kept; the
  settings that the worker makes for a transaction, and its look at lock_timeout, are left out.
- The arrays come from a table, because pgbench has no other way to get them. What that costs is measured by a second
  pgbench that only reads them, and is taken off.
- The broker is as busy as with a worker: kafka_load consumes a command and publishes a result of the usual size for each
  command that pgbench has finished, with offsets, in transactions; the harness reads these results as it reads a
  worker's. Its CPU time, which a worker spends too, is in the measure as `load`.
- The same start-up is left out as with a worker: what comes before five parts in a hundred of the commands.
"""
import pathlib
import re
import subprocess
import tempfile
import threading
import time

import per_user
from commands import user_commands
from measure import ResultCounter, Usage, cpu_seconds, rate_of
from recording import record, store
from stack import TOOLS
from trial import CannotMeasure, Trial

CLIENTS = 2
FEED_SECONDS = 0.01

READ = """SELECT nextval('bench_next') AS n \\gset
\\if :n <= :sets
SELECT {columns} FROM bench_set WHERE n = :n \\gset
"""


def _rendered(steps):
    """The statements with pgbench's variables for their parameters, numbered through."""
    first = 0
    for _, text, count in steps:
        yield re.sub(r"\$(\d+)", lambda found, base=first: f":p{base + int(found[1])}", text).strip()
        first += count


def scripts(recording):
    """(reads only, reads and executes)"""
    columns = ", ".join(f"p{n}" for n in range(1, len(recording.sets[0]) + 1))
    read = READ.format(columns=columns)
    work = ["BEGIN ISOLATION LEVEL READ COMMITTED", *_rendered(recording.steps), "COMMIT"]
    return read + "\\endif\n", read + ";\n".join(work) + ";\n\\endif\n"


class BrokerLoad:
    """Keeps the broker as busy as a worker would at pgbench's pace."""

    def __init__(self, trial, recording, count):
        self.trial, self.count = trial, count
        self.per_set = count / len(recording.sets)
        self.process = subprocess.Popen(
            [TOOLS / "bench_kafka_load", trial.stack.bootstrap, trial.commands, trial.results,
             str(recording.record_bytes)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            raise CannotMeasure("the broker's load could not be started")
        self._publish(1)  # the first transaction takes a second, which is start-up
        self.finished = threading.Event()
        self.thread = threading.Thread(target=self._feed, daemon=True)

    def start(self):
        self.thread.start()

    def _feed(self):
        with self.trial.stack.connect(self.trial.database) as connection:
            published = 0
            while published < self.count:
                over = self.finished.is_set()
                taken = connection.execute("SELECT last_value FROM bench_next WHERE is_called").fetchone()
                sets_done = max(0, taken[0] - CLIENTS) if taken else 0
                published = self._publish(self.count if over else min(self.count, int(sets_done * self.per_set)))
                time.sleep(FEED_SECONDS)

    def _publish(self, target):
        self.process.stdin.write(f"{target}\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline() or self.count)

    def close(self):
        self.finished.set()
        if self.thread.is_alive():
            self.thread.join(60)
        self.process.stdin.close()
        self.process.wait(60)


def _pgbench(stack, database, script, sets):
    """Runs a script once for each set; returns when each had ended."""
    with tempfile.TemporaryDirectory(dir=stack.folder) as folder:
        path = pathlib.Path(folder) / "set.sql"
        path.write_text(script)
        done = subprocess.run(
            [stack.programs / "pgbench", "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "1", "-t",
             str(-(-sets // CLIENTS)), "-D", f"sets={sets}", "-f", path, "-l", "--log-prefix=log", stack.dsn(database)],
            cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise CannotMeasure(f"pgbench: {done.stderr[-1500:]}")
        ends = [line.split() for path in pathlib.Path(folder).glob("log.*") for line in path.read_text().splitlines()]
    return sorted(int(fields[4]) + int(fields[5]) / 1e6 for fields in ends)[:sets]


def _rate(ends, began, sets):
    return rate_of([(at, n) for n, at in enumerate(ends, 1)], sets, began)


def _read_rate(bench, template, script, sets):
    """Sets a second when they are only read."""
    database = bench.datasets.clone(template)
    try:
        began = time.time()
        return _rate(_pgbench(bench.stack, database, script, sets), began, sets)
    finally:
        bench.datasets.drop(database)


def _recorded(bench):
    """The recording and the template that holds it, made when first asked for."""
    if "recording" not in bench.kept:
        recording = record(bench, per_user.template(bench))
        bench.kept["recording"] = recording, store(bench, per_user.template(bench), recording)
    return bench.kept["recording"]


def pgbench(bench):
    recording, template = _recorded(bench)
    count, sets = bench.sizes.commands, len(recording.sets)
    read_script, work_script = scripts(recording)
    read_rate = _read_rate(bench, template, read_script, sets)
    with Trial(bench, template) as trial:
        trial.produce(user_commands(count, bench.sizes.users))
        load = BrokerLoad(trial, recording, count)
        counter = ResultCounter(trial.stack.bootstrap, trial.results)
        try:
            usage, began = Usage(trial.stack, [load.process.pid]), time.time()
            load.start()
            rate = _rate(_pgbench(trial.stack, trial.database, work_script, sets), began, sets)
            used = usage.seconds()
            load.finished.set()
            if not counter.wait(count, time.monotonic() + 60):
                raise CannotMeasure(f"the broker's load published {counter.count()} of {count} results")
        finally:
            load.close()
            counter.close()
        per_user.check(bench, trial, count)
    used["load"] = used.pop("worker")
    alone = 1 / (1 / rate - 1 / read_rate)
    return {"rate": alone * count / sets, "rate_with_reading": rate * count / sets, "sets": sets, "cpu_seconds": used}

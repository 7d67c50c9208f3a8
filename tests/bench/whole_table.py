"""Owns the contestants that clean a whole table: the worker by one command, transactions by hand, the ORM, and many commands.

The worker is up and idle; its command becomes visible, and the clock starts, when a Kafka transaction is committed. So its
start-up counts as little as psql's or the web application's. The final tables must be the same, or there is no number.
"""
import datetime
import json
import os
import pathlib
import subprocess
import sys
import time

from commands import AtOnce, unknown_user_command, whole_table_commands
from measure import ResultCounter, Usage, cpu_seconds, peak_mb, time_of
from trial import CannotMeasure, Trial

HERE = pathlib.Path(__file__).resolve().parent
# Every statement with its duration, without its parameters: the longest transaction is read off the log afterwards.
LOG_DURATIONS = ("log_min_duration_statement = 0", "log_parameter_max_length = 0")


def _template(bench, users):
    return bench.datasets.template(users)


def _check(bench, users, found):
    expected = bench.kept.setdefault(("whole", users), found)
    if found != expected:
        raise CannotMeasure(f"the final tables differ: {found} instead of {expected}")


def _timed(trial, counter, process, count, limit):
    """Releases so many whole-table commands at once; returns the measure of their execution."""
    at_once = AtOnce(trial.stack.bootstrap, trial.commands)
    at_once.prepare(whole_table_commands(count))
    usage, began = Usage(trial.stack, [process.pid]), time.monotonic()
    at_once.release()
    if not counter.wait(1 + count, began + limit, process.is_running):
        if not process.is_running():
            raise CannotMeasure(f"the worker ended: {process.log()[-1500:]}")
        return {"seconds": limit, "gave_up_at": counter.count() - 1}
    return {"seconds": time_of(counter.marks, 1 + count) - began, "cpu_seconds": usage.seconds(),
            "peak_mb": peak_mb(process.pid)}


def _worker(bench, users, count, limit=None, settings=()):
    """A worker over `count` identical whole-table commands that become visible together."""
    log = bench.stack.postgres_log()
    with Trial(bench, _template(bench, users), settings=settings) as trial:
        counter = ResultCounter(trial.stack.bootstrap, trial.results)
        try:
            trial.produce([unknown_user_command("ready")])
            process = trial.start_worker()
            if not counter.wait(1, time.monotonic() + 60, process.is_running):
                raise CannotMeasure(f"the worker was not ready within 60 s: {process.log()[-1500:]}")
            offset = log.stat().st_size
            measured = _timed(trial, counter, process, count, limit or bench.sizes.give_up_seconds)
        finally:
            counter.close()
        if "gave_up_at" in measured:
            return measured
        trial.stop()
        _check(bench, users, bench.datasets.fingerprint(trial.database))
        if settings:
            measured["longest_transaction_ms"] = longest_transaction_ms(log, offset, trial.database)
        return measured


def longest_transaction_ms(path, offset, database):
    """From BEGIN to the end of COMMIT, on any of the worker's connections, by PostgreSQL's clock (in milliseconds)."""
    longest, began = 0, {}
    with open(path) as log:
        log.seek(offset)
        for entry in map(json.loads, log):
            if entry.get("dbname") != database or not entry.get("application_name", "").startswith("cleanup-worker/"):
                continue
            took, _, what = entry["message"].removeprefix("duration: ").partition(" ms  ")
            if what.startswith("statement: BEGIN"):
                began[entry["pid"]] = _milliseconds(entry["timestamp"]) - float(took)
            elif what.startswith("statement: COMMIT") and entry["pid"] in began:
                longest = max(longest, _milliseconds(entry["timestamp"]) - began.pop(entry["pid"]))
    return round(longest, 1)


def _milliseconds(timestamp):
    """Of the log's time, such as `2026-11-25 02:40:00.123 UTC`."""
    return datetime.datetime.strptime(timestamp, "%Y-%m-%d %H:%M:%S.%f UTC").timestamp() * 1000


def worker(bench):
    return _worker(bench, bench.sizes.whole_users, 1, settings=LOG_DURATIONS)


def _by_hand(bench, script):
    template = _template(bench, bench.sizes.whole_users)
    database = bench.datasets.clone(template)
    try:
        with bench.stack.connect(database) as connection:
            text = (HERE / script).read_text()
            connection.execute("SELECT count(*) FROM properties")
            usage, began = Usage(bench.stack, []), time.monotonic()
            connection.execute(text)
            measured = {"seconds": time.monotonic() - began, "cpu_seconds": usage.seconds()}
        _check(bench, bench.sizes.whole_users, bench.datasets.fingerprint(database))
        return measured
    finally:
        bench.datasets.drop(database)


def by_hand_locked(bench):
    return _by_hand(bench, "by_hand_locked.sql")


def by_hand_plain(bench):
    return _by_hand(bench, "by_hand_plain.sql")


def small_worker(bench):
    """On the table that the ORM gets, too: a larger one would keep it busy for hours."""
    return _worker(bench, bench.sizes.orm_users, 1)


def orm_peer(bench):
    database = bench.datasets.clone(_template(bench, bench.sizes.orm_users))
    try:
        before = cpu_seconds(os.getpid(), with_waited_for=True)
        done = subprocess.run([sys.executable, "-B", HERE / "peers/orm.py"], capture_output=True, text=True, check=False,
                              env={**os.environ, "CLEANUP_POSTGRES_DSN": bench.stack.dsn(database)})
        if done.returncode != 0:
            raise CannotMeasure(f"the ORM peer failed: {done.stderr[-1500:]}")
        _check(bench, bench.sizes.orm_users, bench.datasets.fingerprint(database))
        return {"seconds": float(done.stdout), "cpu_seconds": {"worker": cpu_seconds(os.getpid(), True) - before}}
    finally:
        bench.datasets.drop(database)


def one_command(bench):
    return _worker(bench, bench.sizes.identical_users, 1)


def identical_commands(bench):
    """Gives up after a while, because without shared execution every command goes through the table again."""
    return _worker(bench, bench.sizes.identical_users, bench.sizes.identical_commands, limit=bench.sizes.give_up_seconds / 3)

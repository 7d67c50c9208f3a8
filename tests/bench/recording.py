"""Owns what pgbench replays: the statements of a worker's set transactions, with their parameters, as PostgreSQL logged them.

So pgbench runs the worker's own statements, in its order, over its own sets and arrays, whatever they are in the version
that is measured. The recording is made once, on a clone like every other; it becomes a template with one more table.
"""
import json
import re

from commands import user_commands
from trial import CannotMeasure, Trial

LOG_EVERYTHING = ("log_statement = 'all'",)
PARAMETER = re.compile(r"\$(\d+) = (?:'((?:[^']|'')*)'|NULL)(?:, |$)", re.DOTALL)
EXECUTE = re.compile(r"execute (\w+): (.*)", re.DOTALL)
COMMENT = re.compile(r"^\s*--.*\n", re.MULTILINE)


class Recording:
    """`steps`: (name, SQL text, number of parameters) of one transaction; `sets`: all parameters of each, in that order."""

    def __init__(self, steps, sets, record_bytes):
        self.steps, self.sets, self.record_bytes = steps, sets, record_bytes


def _entries(path, offset, database):
    with open(path) as log:
        log.seek(offset)
        for line in log:
            entry = json.loads(line)
            if entry.get("dbname") == database and entry.get("application_name", "").startswith("cleanup-worker/"):
                yield entry["pid"], entry["message"], entry.get("detail", "")


def _transactions(entries):
    """Lists of (name, text, parameters): what each connection executed between BEGIN and COMMIT."""
    open_ones = {}
    for pid, message, detail in entries:
        if message.startswith("statement: BEGIN"):
            open_ones[pid] = []
        elif message.startswith("statement: COMMIT"):
            yield open_ones.pop(pid)
        elif message.startswith("statement: ROLLBACK"):
            open_ones.pop(pid, None)
        elif pid in open_ones and (found := EXECUTE.match(message)):
            values = [None if value is None else value.replace("''", "'")
                      for value in (match[2] for match in PARAMETER.finditer(detail))]
            open_ones[pid].append((found[1], COMMENT.sub("", found[2]), values))


def _pick_sets(transactions):
    """Those of the commonest shape. What else shares a statement with them did a part of the work and cannot be left out."""
    shapes = {}
    for steps in transactions:
        shapes.setdefault(tuple(name for name, _, _ in steps), []).append(steps)
    if not shapes:
        raise CannotMeasure("PostgreSQL's log has no transaction of the worker's")
    common = max(shapes, key=lambda names: len(shapes[names]))
    others = [names for names in shapes if names != common and set(names) & set(common)]
    if others:
        raise CannotMeasure(f"recorded transactions have different shapes: {others}")
    return shapes[common]


def record(bench, template):
    """Runs a worker over the usual commands with every statement logged."""
    count = bench.sizes.commands
    log = bench.stack.postgres_log()
    with Trial(bench, template, settings=LOG_EVERYTHING) as trial:
        offset = log.stat().st_size
        trial.produce(user_commands(count, bench.sizes.users))
        measured = trial.race(lambda: [trial.start_worker()], count)
        trial.stop()
        sets = _pick_sets(_transactions(_entries(log, offset, trial.database)))
    steps = [(name, text, len(values)) for name, text, values in sets[0]]
    return Recording(steps, [[value for _, _, values in one for value in values] for one in sets], measured["record_bytes"])


def store(bench, template, recording):
    """Puts the sets into a copy of the template, as text that is neither compressed nor parsed before it is used."""
    name = f"{template}_recorded"
    count = len(recording.sets[0])
    columns = ", ".join(f"p{n} text" for n in range(1, count + 1))
    bench.datasets.execute("postgres", f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    with bench.stack.connect(name) as connection, connection.transaction():
        connection.execute(f"CREATE TABLE bench_set (n bigint PRIMARY KEY, {columns})")
        for n in range(1, count + 1):
            connection.execute(f"ALTER TABLE bench_set ALTER p{n} SET STORAGE EXTERNAL")
        connection.execute("CREATE SEQUENCE bench_next")
        placeholders = ", ".join(["%s"] * (count + 1))
        with connection.cursor() as cursor:
            for n, values in enumerate(recording.sets, 1):
                cursor.execute(f"INSERT INTO bench_set VALUES ({placeholders})", [n, *values])
    bench.datasets.execute(name, "VACUUM (FREEZE, ANALYZE) bench_set")
    return name

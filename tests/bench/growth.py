"""Owns what should not change with size: rate and memory by table rows, by backlog, and by workers on a slow database.

The slow database sleeps in a trigger, once for every set, holding what the set has locked. A proxy that delays answers would
take CPU time from the two cores that are measured; sleeping takes none, so more workers can only gain by waiting side by side.
"""
from commands import STRIDE, user_commands, wait_for_members
from trial import CannotMeasure, Trial

SLOW_MS = 200
SLOW_PARTITIONS = 8  # a worker each has as many as another
MESSAGES_OF_LARGE = 2  # a user, in growing tables: ten million users must fit on a disk

SLOW = """
    CREATE FUNCTION bench_sleep() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN PERFORM pg_sleep({seconds}); RETURN NULL; END$$;
    CREATE TRIGGER bench_slow AFTER INSERT ON cleanup_worker.ledger FOR EACH STATEMENT EXECUTE FUNCTION bench_sleep();"""


def _check(trial, users, count):
    """Of the users who were asked for, those that are not active have no session any more; dataset.sql says who is active."""
    asked = {1 + n * STRIDE % users for n in range(count)}
    expected = users - sum(1 for number in asked if number % 5 != 0)
    left = trial.datasets.number(trial.database, "SELECT count(*) FROM sessions")
    if left != expected:
        raise CannotMeasure(f"{left} sessions are left instead of {expected}")


def _race(trial, start, users, count):
    trial.produce(user_commands(count, users))
    measured = trial.race(start, count)
    trial.stop()
    _check(trial, users, count)
    return measured


def table(bench, users):
    """Per-user commands on tables with so many sessions: the same number of commands whatever the size."""
    with Trial(bench, bench.datasets.template(users, MESSAGES_OF_LARGE)) as trial:
        return _race(trial, lambda: [trial.start_worker()], users, min(bench.sizes.table_commands, users))


def backlog(bench, count):
    """So many commands waiting; with more commands than users, later ones find nothing left."""
    with Trial(bench, bench.datasets.template(bench.sizes.users)) as trial:
        return _race(trial, lambda: [trial.start_worker()], bench.sizes.users, count)


def slow_database(bench, workers):
    """So many workers, each of which waits for the database most of the time; they have shared the partitions beforehand."""
    with Trial(bench, bench.datasets.template(bench.sizes.users), SLOW_PARTITIONS) as trial:
        bench.datasets.execute(trial.database, SLOW.format(seconds=SLOW_MS / 1000))
        started = [trial.start_worker() for _ in range(workers)]
        wait_for_members(bench.stack.bootstrap, trial.name, workers)
        return _race(trial, lambda: started, bench.sizes.users, bench.sizes.slow_commands)

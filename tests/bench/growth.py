"""Owns what should not change with size: rate and memory by table rows, by backlog, and by workers on a slow database.

The slow database sleeps in a trigger, once for every set, holding what the set has locked. A proxy that delays answers would
take CPU time from the two cores that are measured; sleeping takes none, so more workers can only gain by waiting side by side.
"""
from commands import user_commands, wait_for_members
from trial import Trial

SLOW_MS = 200
SLOW_PARTITIONS = 8  # a worker each has as many as another
MESSAGES_OF_LARGE = 2  # a user, in growing tables: ten million users must fit on a disk

SLOW = """
    CREATE FUNCTION bench_sleep() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN PERFORM pg_sleep({seconds}); RETURN NULL; END$$;
    CREATE TRIGGER bench_slow AFTER INSERT ON cleanup_worker.ledger FOR EACH STATEMENT EXECUTE FUNCTION bench_sleep();"""


def table(bench, users):
    """Per-user commands on tables with so many sessions: the same number of commands whatever the size."""
    count = min(bench.sizes.table_commands, users)
    with Trial(bench, bench.datasets.template(users, MESSAGES_OF_LARGE)) as trial:
        trial.produce(user_commands(count, users))
        measured = trial.race(lambda: [trial.start_worker()], count)
        trial.stop()
        return measured


def backlog(bench, count):
    """So many commands waiting; with more commands than users, later ones find nothing left."""
    with Trial(bench, bench.datasets.template(bench.sizes.users)) as trial:
        trial.produce(user_commands(count, bench.sizes.users))
        measured = trial.race(lambda: [trial.start_worker()], count)
        trial.stop()
        return measured


def slow_database(bench, workers):
    """So many workers, each of which waits for the database most of the time; they have shared the partitions beforehand."""
    count = bench.sizes.slow_commands
    with Trial(bench, bench.datasets.template(bench.sizes.users), SLOW_PARTITIONS) as trial:
        bench.datasets.execute(trial.database, SLOW.format(seconds=SLOW_MS / 1000))
        started = [trial.start_worker() for _ in range(workers)]
        wait_for_members(bench.stack.bootstrap, trial.name, workers)
        trial.produce(user_commands(count, bench.sizes.users))
        measured = trial.race(lambda: started, count)
        trial.stop()
        return measured

"""Owns the contestants that execute per-user commands: the worker in both deliveries and with other versions of
librdkafka, its replay, and the workers by hand in Go and Python.

Each starts with its commands waiting, from the same database; the clock stops at the Nth result. What it leaves in the
application's tables must be what the worker left: no match, no number.
"""
from commands import user_commands
from go_program import go_program
from trial import CannotMeasure, Trial


def template(bench):
    return bench.datasets.template(bench.sizes.users)


def _check_fingerprint(bench, count, found):
    """The worker sets what the tables must be after so many commands; the others are compared with that."""
    expected = bench.fingerprints.setdefault(("per_user", count), found)
    if found != expected:
        raise CannotMeasure(f"the final tables differ: {found} instead of {expected}")


def _reference(bench, count):
    """Makes sure that the worker has said what the tables must be."""
    if ("per_user", count) in bench.fingerprints:
        return
    with Trial(bench, template(bench)) as trial:
        trial.produce(user_commands(count, bench.sizes.users))
        trial.race(lambda: [trial.start_worker()], count)
        trial.stop()
        bench.fingerprints[("per_user", count)] = bench.datasets.fingerprint(trial.database)


def check(bench, database, count):
    _reference(bench, count)
    _check_fingerprint(bench, count, bench.datasets.fingerprint(database))


def _race(bench, trial, start, count):
    trial.produce(user_commands(count, bench.sizes.users))
    measured = trial.race(start, count)
    trial.stop()
    check(bench, trial.database, count)
    return measured


def worker(bench, **env):
    with Trial(bench, template(bench)) as trial:
        return _race(bench, trial, lambda: [trial.start_worker(**env)], bench.sizes.commands)


def with_librdkafka(bench, folder):
    """The same program on the library in that folder."""
    return worker(bench, LD_LIBRARY_PATH=str(folder))


def at_least_once(bench):
    with Trial(bench, template(bench)) as trial:
        return _race(bench, trial, lambda: [trial.start_worker("-o", "worker.delivery=at_least_once")], bench.sizes.commands)


def replay(bench):
    """The same commands again, all known to the ledger: another group on the same topic, as after a reset of offsets."""
    count = bench.sizes.commands
    with Trial(bench, template(bench)) as trial:
        _race(bench, trial, lambda: [trial.start_worker()], count)
        again = {"CLEANUP_KAFKA_GROUP_ID": f"{trial.name}-again", "CLEANUP_TOPICS_RESULTS": trial.replayed}
        measured = trial.race(lambda: [trial.start_worker(**again)], count, trial.replayed)
        trial.stop()
        check(bench, trial.database, count)
        return measured


def message_peer(bench):
    _reference(bench, bench.sizes.message_commands)
    with Trial(bench, template(bench)) as trial:
        return _race(bench, trial, lambda: [trial.start_peer("message")], bench.sizes.message_commands)


def go_peer(bench):
    program = go_program()
    with Trial(bench, template(bench)) as trial:
        return _race(bench, trial, lambda: [trial.start_program(program)], bench.sizes.commands)


def sets_peer(bench):
    with Trial(bench, template(bench)) as trial:
        return _race(bench, trial, lambda: [trial.start_peer("sets")], bench.sizes.commands)

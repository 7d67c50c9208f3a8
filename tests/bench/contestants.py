"""Owns the list of what is measured: a name, and the function that does one run of it. Order is the order within a round."""
from functools import partial

import application
import backend
import growth
import kafka_load
import latency
import per_user
import whole_table
from sizes import SET_SIZES, WORKERS
from trial import CannotMeasure


def half_load(bench):
    """Half of what the worker reached in this round."""
    if "worker" not in bench.round:
        raise CannotMeasure("there is no rate to take half of")
    return latency.half_load(bench, bench.round["worker"]["rate"])


def contestants(sizes, libraries):
    """name → function(bench) → measure; `libraries`: other versions of librdkafka, and their folders"""
    found = {
        "worker": per_user.worker,
        "go_peer": per_user.go_peer,
        "kafka_load": kafka_load.kafka_load,
        "at_least_once": per_user.at_least_once,
        "sets_peer": per_user.sets_peer,
        "replay": per_user.replay,
        "message_peer": per_user.message_peer,
        "whole": whole_table.worker,
        "by_hand_locked": whole_table.by_hand_locked,
        "by_hand_plain": whole_table.by_hand_plain,
        "whole_small": whole_table.small_worker,
        "orm_peer": whole_table.orm_peer,
        "one_command": whole_table.one_command,
        "identical_commands": whole_table.identical_commands,
        "bare_transaction": latency.bare_transaction,
        "bare_database": latency.bare_database,
        "idle": latency.idle,
        "idle_at_least_once": latency.idle_at_least_once,
        "half_load": half_load,
        "application": application.waits,
    }
    found.update({f"librdkafka_{version}": partial(per_user.with_librdkafka, folder=folder)
                  for version, folder in libraries.items()})
    for size in SET_SIZES:
        found[f"sets_{size}"] = partial(backend.worker_sets, size=size)
        found[f"unsafe_{size}"] = partial(backend.unsafe_sets, size=size)
    found.update({f"table_{users}": partial(growth.table, users=users) for users in sizes.table_users})
    found.update({f"backlog_{count}": partial(growth.backlog, count=count) for count in sizes.backlogs})
    found.update({f"slow_{workers}": partial(growth.slow_database, workers=workers) for workers in WORKERS})
    return found

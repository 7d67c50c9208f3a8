"""Owns the list of what is measured: a name, and the function that does one run of it. Order is the order within a round."""
from functools import partial

import growth
import latency
import limit
import per_user
import whole_table
from trial import CannotMeasure

WORKERS = (1, 2, 4)


def half_load(bench):
    """Half of what the worker reached in this round."""
    if "worker" not in bench.round:
        raise CannotMeasure("there is no rate to take half of")
    return latency.half_load(bench, bench.round["worker"]["rate"])


def contestants(sizes):
    """name → function(bench) → measure"""
    found = {
        "worker": per_user.worker,
        "pgbench": limit.pgbench,
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
        "idle": latency.idle,
        "idle_at_least_once": latency.idle_at_least_once,
        "half_load": half_load,
    }
    found.update({f"table_{users}": partial(growth.table, users=users) for users in sizes.table_users})
    found.update({f"backlog_{count}": partial(growth.backlog, count=count) for count in sizes.backlogs})
    found.update({f"slow_{workers}": partial(growth.slow_database, workers=workers) for workers in WORKERS})
    return found

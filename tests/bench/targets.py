"""Owns the table of targets: each row is one number made of one round's measures, and what it is to be."""
import dataclasses
import typing

from contestants import WORKERS


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    text: str
    target: str
    needs: tuple  # contestants
    value: typing.Callable  # measures of one round → number
    is_met: typing.Callable  # number → bool
    form: str = "{:.2f}"


def at_least(bound):
    return lambda value: value >= bound


def at_most(bound):
    return lambda value: value <= bound


def rate(over, under):
    return lambda measured: measured[over]["rate"] / measured[under]["rate"]


def time_of(slow, fast):
    """How many times as long."""
    return lambda measured: measured[slow]["seconds"] / measured[fast]["seconds"]


def cpu_share(measured):
    used = measured["worker"]["cpu_seconds"]
    return used["worker"] / used["postgres"]


def p50_to_bare(measured):
    return measured["idle"]["p50_ms"] / measured["bare_transaction"]["p50_ms"]


def p99_to_bare(measured):
    return measured["half_load"]["p99_ms"] / measured["bare_transaction"]["p50_ms"]


def peak_of(names):
    return lambda measured: max(measured[name]["peak_mb"] for name in names)


def rows(sizes):
    """The rows in order, for these sizes."""
    backlogs = tuple(f"backlog_{count}" for count in sizes.backlogs)
    tables = tuple(f"table_{users}" for users in sizes.table_users)
    everywhere = (*backlogs, *tables, "worker", "replay", "whole")
    return (
        Row("limit", "per-user commands/s against pgbench with the same statements and sets", "≥ 0.90",
            ("worker", "pgbench"), rate("worker", "pgbench"), at_least(0.90)),
        Row("cpu", "worker's CPU seconds against PostgreSQL's", "≤ 5 %", ("worker",), cpu_share, at_most(0.05), "{:.1%}"),
        Row("message_peer", "against an idiomatic Python worker, a transaction a message", "≥ 30 ×",
            ("worker", "message_peer"), rate("worker", "message_peer"), at_least(30), "{:.1f} ×"),
        Row("sets_peer", "against a tuned Python worker, sets of 500", "≥ 3 ×", ("worker", "sets_peer"),
            rate("worker", "sets_peer"), at_least(3), "{:.2f} ×"),
        Row("orm_peer", f"against the ORM, whole table of {sizes.orm_users:,} sessions", "≥ 100 ×",
            ("whole_small", "orm_peer"), time_of("orm_peer", "whole_small"), at_least(100), "{:.1f} ×"),
        Row("delivery", "exactly_once against at_least_once", "≥ 0.90", ("worker", "at_least_once"),
            rate("worker", "at_least_once"), at_least(0.90)),
        Row("whole_locked", f"whole table of {sizes.whole_users:,} sessions against by hand, same locks", "≥ 1.3 ×",
            ("whole", "by_hand_locked"), time_of("by_hand_locked", "whole"), at_least(1.3), "{:.2f} ×"),
        Row("whole_batch", "its longest transaction", "≤ 250 ms", ("whole",),
            lambda measured: measured["whole"]["longest_transaction_ms"], at_most(250), "{:.0f} ms"),
        Row("whole_plain", "the same against by hand, plain", "≥ 0.8 ×", ("whole", "by_hand_plain"),
            time_of("by_hand_plain", "whole"), at_least(0.8), "{:.2f} ×"),
        Row("identical", f"{sizes.identical_commands:,} identical whole-table commands against one", "≤ 1.2 ×",
            ("one_command", "identical_commands"), time_of("identical_commands", "one_command"), at_most(1.2), "{:.2f} ×"),
        Row("replay", "known commands against fresh ones", "≥ 5 ×", ("worker", "replay"), rate("replay", "worker"),
            at_least(5), "{:.2f} ×"),
        Row("latency", "idle p50 against a bare Kafka transaction's", "≤ 1.5 ×", ("bare_transaction", "idle"), p50_to_bare,
            at_most(1.5), "{:.2f} ×"),
        Row("latency_half_load", "half load p99 against a bare Kafka transaction's p50", "≤ 5 ×",
            ("worker", "bare_transaction", "half_load"), p99_to_bare, at_most(5), "{:.2f} ×"),
        Row("latency_at_least_once", "idle p50, at_least_once", "≤ 5 ms", ("idle_at_least_once",),
            lambda measured: measured["idle_at_least_once"]["p50_ms"], at_most(5), "{:.2f} ms"),
        Row("memory", "most resident memory of any worker here", "≤ 40 MB", everywhere, peak_of(everywhere), at_most(40),
            "{:.1f} MB"),
        Row("memory_flat", "peak with the largest backlog against the one before", "≤ 1.1 ×", backlogs[-2:],
            lambda measured: measured[backlogs[-1]]["peak_mb"] / measured[backlogs[-2]]["peak_mb"], at_most(1.1), "{:.2f} ×"),
        Row("growth", f"commands/s on {sizes.table_users[-1]:,} sessions against {sizes.table_users[0]:,}", "≥ 0.9",
            tables, rate(tables[-1], tables[0]), at_least(0.9)),
    )


def tables(sizes):
    """The growth tables: name → (heading, [(label, contestant)])"""
    return {
        "by_rows": ("commands/s by sessions in the table", [(f"{n:,}", f"table_{n}") for n in sizes.table_users]),
        "by_workers": ("commands/s by workers, on a database that sleeps 200 ms a set", [(str(n), f"slow_{n}") for n in WORKERS]),
        "by_backlog": ("commands/s by backlog", [(f"{n:,}", f"backlog_{n}") for n in sizes.backlogs]),
    }

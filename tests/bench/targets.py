"""Owns the table of targets: each row is one number made of one round's measures, and what it is to be."""
import dataclasses
import typing

from sizes import SET_SIZES, WORKERS


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    text: str
    sign: str  # ≥ or ≤
    bound: float
    unit: str  # "" for a plain ratio
    needs: tuple  # contestants
    value: typing.Callable  # measures of one round → number
    digits: int = 2

    @property
    def target(self):
        return f"{self.sign} {self.bound:g} {self.unit}".strip()

    def is_met(self, value):
        return value >= self.bound if self.sign == "≥" else value <= self.bound

    def show(self, value):
        return f"{value:,.{self.digits}f} {self.unit}".strip()


def at_least(name, text, bound, needs, value, unit="×", digits=2):
    return Row(name, text, "≥", bound, unit, needs, value, digits)


def at_most(name, text, bound, needs, value, unit="×", digits=2):
    return Row(name, text, "≤", bound, unit, needs, value, digits)


def rate(over, under):
    return lambda measured: measured[over]["rate"] / measured[under]["rate"]


def time_of(slow, fast):
    """How many times as long."""
    return lambda measured: measured[slow]["seconds"] / measured[fast]["seconds"]


def figure(name, key):
    return lambda measured: measured[name][key]


def cpu_us(measure, process):
    """Microseconds of CPU time a command; of a process, or all processes, by the names of Usage."""
    return measure["cpu_seconds"][process] * 1e6 / measure["cpu_results"]


def cpu_of(name, process):
    return lambda measured: cpu_us(measured[name], process)


def cpu_ratio(over, under, process):
    return lambda measured: cpu_us(measured[over], process) / cpu_us(measured[under], process)


def idle_to_parts(measured):
    """The client's round trip, a database transaction and a Kafka transaction, one after the other, and nothing between them."""
    idle = measured["idle"]
    parts = idle["client"]["p50_ms"] + measured["bare_database"]["p50_ms"] + measured["bare_transaction"]["p50_ms"]
    return idle["p50_ms"] / parts


def peak_of(names):
    return lambda measured: max(measured[name]["peak_mb"] for name in names)


def _rates():
    return (
        at_least("go_peer", "per-user commands/s against a worker by hand in Go, exactly once both", 1.0, ("worker", "go_peer"),
                 rate("worker", "go_peer")),
        at_least("message_peer", "against an idiomatic Python worker, a transaction a message", 35, ("worker", "message_peer"),
                 rate("worker", "message_peer"), digits=1),
        at_least("sets_peer", "against a tuned Python worker, sets of 500", 2.5, ("worker", "sets_peer"),
                 rate("worker", "sets_peer")),
        at_least("delivery", "exactly_once against at_least_once", 0.90, ("worker", "at_least_once"),
                 rate("worker", "at_least_once"), unit=""),
        at_least("replay", "known commands against fresh ones", 3, ("worker", "replay"), rate("replay", "worker")),
    )


def _costs():
    sets = (at_most(f"backend_{size}", f"PostgreSQL's CPU a command against the unsafe statement, one backend, sets of {size:,}",
                    1.05, (f"sets_{size}", f"unsafe_{size}"), cpu_ratio(f"sets_{size}", f"unsafe_{size}", "postgres"))
            for size in SET_SIZES)
    return (
        *sets,
        at_most("cpu", "worker's CPU a command against kafka_load's", 1.4, ("worker", "kafka_load"),
                cpu_ratio("worker", "kafka_load", "worker")),
        at_most("broker", "broker's CPU a command", 15, ("worker",), cpu_of("worker", "broker"), unit="µs", digits=1),
    )


def _whole_tables(sizes):
    return (
        at_least("orm_peer", f"against the ORM, whole table of {sizes.orm_users:,} sessions", 60, ("whole_small", "orm_peer"),
                 time_of("orm_peer", "whole_small"), digits=1),
        at_least("whole_locked", f"whole table of {sizes.whole_users:,} sessions against by hand, same locks", 1.4,
                 ("whole", "by_hand_locked"), time_of("by_hand_locked", "whole")),
        at_most("whole_batch", "its longest transaction", 250, ("whole",), figure("whole", "longest_transaction_ms"), unit="ms",
                digits=0),
        at_least("whole_plain", "the same against by hand, plain", 0.95, ("whole", "by_hand_plain"),
                 time_of("by_hand_plain", "whole")),
        at_most("identical", f"{sizes.identical_commands:,} identical whole-table commands against one", 1.15,
                ("one_command", "identical_commands"), time_of("identical_commands", "one_command")),
    )


def _latencies():
    return (
        at_most("latency", "idle p50 against the sum of its parts", 1.15, ("bare_transaction", "bare_database", "idle"),
                idle_to_parts),
        at_most("latency_half_load", "half load p99 against its p50", 3, ("worker", "half_load"),
                lambda measured: measured["half_load"]["p99_ms"] / measured["half_load"]["p50_ms"]),
        at_most("latency_at_least_once", "idle p50, at_least_once", 5, ("idle_at_least_once",),
                figure("idle_at_least_once", "p50_ms"), unit="ms"),
        at_most("application", "the longest wait of an application's statement at full load", 150, ("application",),
                figure("application", "worst_ms"), unit="ms", digits=0),
    )


def _sizes(sizes):
    backlogs = tuple(f"backlog_{count}" for count in sizes.backlogs)
    tables = tuple(f"table_{users}" for users in sizes.table_users)
    everywhere = (*backlogs, *tables, "worker", "replay", "whole")
    return (
        at_most("memory", "most resident memory of any worker here", 64, everywhere, peak_of(everywhere), unit="MB", digits=1),
        at_most("memory_flat", "peak with the largest backlog against the one before", 1.1, backlogs[-2:],
                lambda measured: measured[backlogs[-1]]["peak_mb"] / measured[backlogs[-2]]["peak_mb"]),
        at_least("growth", f"commands/s on {sizes.table_users[-1]:,} sessions against {sizes.table_users[0]:,}", 0.8, tables,
                 rate(tables[-1], tables[0]), unit=""),
    )


def rows(sizes):
    """The rows in order, for these sizes."""
    return (*_rates(), *_costs(), *_whole_tables(sizes), *_latencies(), *_sizes(sizes))


def tables(sizes, libraries):
    """The tables without targets: name → (heading, [(label, contestant)])"""
    found = {
        "by_rows": ("commands/s by sessions in the table", [(f"{n:,}", f"table_{n}") for n in sizes.table_users]),
        "by_workers": ("commands/s by workers, on a database that sleeps 200 ms a set", [(str(n), f"slow_{n}") for n in WORKERS]),
        "by_backlog": ("commands/s by backlog", [(f"{n:,}", f"backlog_{n}") for n in sizes.backlogs]),
    }
    if libraries:
        found["by_librdkafka"] = ("commands/s by librdkafka", [("the system's", "worker"), *((version, f"librdkafka_{version}")
                                                                                       for version in libraries)])
    return found

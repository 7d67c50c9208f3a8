"""Runs the bench: picks what was asked for, runs its contestants in interleaved rounds, reports. See NOTES.md."""
import signal
import sys
import time

import history
import machine
import per_user
import report
from contestants import contestants, half_load
from dataset import Datasets
from options import parse_arguments, pick_sizes
from stack import Stack
from targets import rows, tables
from trial import Skipped


class Bench:
    """What every contestant gets: the servers, the databases, the sizes, and what was learnt so far."""

    def __init__(self, stack, sizes):
        self.stack, self.sizes, self.datasets = stack, sizes, Datasets(stack)
        self.fingerprints = {}  # what the tables must be, by kind of work and number of commands
        self.kept = {}  # made once and used by later rounds
        self.round = {}  # measures of this round so far


def pick(sizes, libraries, only):
    """(rows, tables) that were asked for."""
    all_rows, all_tables = rows(sizes), tables(sizes, libraries)
    if not only:
        return all_rows, all_tables
    names = set(only.split(","))
    if unknown := names - {row.name for row in all_rows} - set(all_tables):
        sys.exit(f"bench: no row or table is called {', '.join(sorted(unknown))}; --list names them")
    return [row for row in all_rows if row.name in names], {name: all_tables[name] for name in all_tables if name in names}


def print_names(sizes, libraries):
    for row in rows(sizes):
        print(f"{row.name:<22} {row.target:>9}  {row.text}")
    for name, (heading, _) in tables(sizes, libraries).items():
        print(f"{name:<22} {'table':>9}  {heading}")


def find_libraries(folders):
    """version → folder"""
    for folder in folders:
        if not (folder / "librdkafka.so.1").exists():
            sys.exit(f"bench: --librdkafka: there is no librdkafka.so.1 in {folder}")
    return {machine.librdkafka_version(folder): folder.resolve() for folder in folders}


def run_round(bench, chosen, failures, skipped):
    """One run of each contestant, one after the other."""
    bench.round = {}
    for name, function in chosen.items():
        try:
            bench.round[name] = function(bench)
        except Skipped as reason:
            skipped[name] = str(reason)
            print(f"    {name:<20} SKIPPED: {reason}", flush=True)
        except Exception as failure:  # whatever it was, the others' numbers are still good
            failures[name] = f"{name}: {type(failure).__name__}: {failure}"
            print(f"    {name:<20} no number: {failure}", flush=True)
        else:
            report.print_measure(name, bench.round[name])
    return bench.round


def warm_up(bench):
    """Runs that count for nothing, until the broker's virtual machine has compiled what large and small transactions need."""
    print("\n  warming up", flush=True)
    for _ in range(bench.sizes.warm_ups):
        bench.round["worker"] = per_user.worker(bench)
        report.print_measure("worker", bench.round["worker"])
    report.print_measure("half_load", half_load(bench))


def measure(bench, chosen, keep):
    """Has `keep` called with rounds, failures and what was skipped after each round; the first finds all servers warm."""
    rounds, failures, skipped = [], {}, {}
    warm_up(bench)
    for number in range(1, bench.sizes.runs + 1):
        print(f"\n  round {number} of {bench.sizes.runs}", flush=True)
        rounds.append(run_round(bench, chosen, failures, skipped))
        keep(rounds, failures, skipped)
    return rounds, failures, skipped


def main():
    arguments = parse_arguments()
    sizes = pick_sizes(arguments)
    libraries = find_libraries(arguments.librdkafka)
    if arguments.list:
        print_names(sizes, libraries)
        return 0
    wanted_rows, wanted_tables = pick(sizes, libraries, arguments.only)
    needed = {name for row in wanted_rows for name in row.needs}
    needed |= {name for _, entries in wanted_tables.values() for _, name in entries}
    chosen = {name: function for name, function in contestants(sizes, libraries).items() if name in needed}
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(143))
    began = time.monotonic()
    with Stack(arguments.dir) as stack:
        facts = machine.facts(stack)
        report.print_facts(facts)

        def keep(rounds, failures, skipped):
            lines = report.judge(wanted_rows, rounds, failures, skipped)
            history.write(arguments.json, history.document(facts, sizes, lines, rounds, failures, skipped))

        rounds, failures, skipped = measure(Bench(stack, sizes), chosen, keep)
    lines = report.judge(wanted_rows, rounds, failures, skipped)
    report.print_targets(wanted_rows, lines)
    report.print_tables(wanted_tables, rounds)
    report.print_cpu(rounds)
    print(f"\n  {(time.monotonic() - began) / 60:.1f} minutes; all measures: {arguments.json}")
    return 1 if any(map(report.is_missing, lines)) else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3
"""Fault campaigns against throw-away servers; run it through scripts/faults, whose --help says more."""
import argparse
import json
import pathlib
import signal
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]
sys.dont_write_bytecode = True

import faults  # noqa: E402
import report  # noqa: E402
import short  # noqa: E402
from campaign import Campaign, Plan  # noqa: E402
from stack import Stack  # noqa: E402


def parse(arguments):
    parser = argparse.ArgumentParser(prog="scripts/faults", description=(
        "Sends commands to a pool of workers over a throw-away PostgreSQL and Kafka while servers, connections and workers "
        "fail, and judges at the end whether every promise was kept. Exit codes: 0 kept, 1 violated, 2 usage."))
    kinds = (*faults.FAULTS, faults.KILL_STEP)
    parser.add_argument("--minutes", type=float, default=3, help="how long faults are injected (3)")
    parser.add_argument("--kills", type=int, default=0, help="go on until so many workers were killed")
    parser.add_argument("--seed", default=time.strftime("%Y-%m-%d"), help="of everything random (the date)")
    parser.add_argument("--only", help="kinds of faults, with commas; of " + ", ".join(kinds))
    parser.add_argument("--delivery", choices=("exactly_once", "at_least_once"), default="exactly_once",
                        help="worker.delivery (exactly_once); at_least_once may publish a result again")
    parser.add_argument("--worker-program", type=pathlib.Path, help="the worker (build-debug/cleanup-worker)")
    parser.add_argument("--workers", type=int, default=3, help="size of the pool (3)")
    parser.add_argument("--json", type=pathlib.Path, help="where to write the report as JSON")
    parser.add_argument("--logs", type=pathlib.Path, help="where to put the logs of workers and servers at the end")
    parser.add_argument("--short", action="store_true",
                        help="every fault and step once, then the negative controls; ends with `N passed, N failed, N skipped`")
    options = parser.parse_args(arguments)
    options.kinds = tuple(options.only.split(",")) if options.only else kinds
    if unknown := set(options.kinds) - set(kinds):
        parser.error(f"no such fault: {', '.join(sorted(unknown))}")
    return options


def say(text):
    print(time.strftime("%H:%M:%S"), text, flush=True)


def end_on_signal(number, _):
    """So that what was started is stopped on the way out."""
    sys.exit(128 + number)


def main():
    signal.signal(signal.SIGTERM, end_on_signal)
    options = parse(sys.argv[1:])
    program = (options.worker_program or short.BUILD / "cleanup-worker").resolve()
    print(f"seed {options.seed}", flush=True)
    with Stack(options.logs) as stack:
        if options.short:
            return short.run(stack, options.seed, options.delivery, program, say)
        steps = faults.KILL_STEP in options.kinds
        plan = Plan(options.seed, program, options.delivery, options.minutes,
                    tuple(kind for kind in options.kinds if kind != faults.KILL_STEP), kills=options.kills,
                    crash_program=short.CRASH_PROGRAM, crash_rounds=short.rounds(options) if steps else 0,
                    workers=options.workers)
        facts = report.summary(Campaign(stack, plan, say).run())
    print(report.table(facts))
    if options.json:
        options.json.write_text(json.dumps(facts, indent=1))
    return 1 if facts["violations"] else 0


if __name__ == "__main__":
    sys.exit(main())

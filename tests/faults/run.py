#!/usr/bin/python3
"""Fault campaigns against throw-away servers; run it through scripts/faults, whose --help says more."""
import argparse
import collections
import json
import math
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

KINDS = (*faults.FAULTS, faults.KILL_STEP)
ROUNDS_A_MINUTE = 5  # of all steps; more than are reached


def goal(text):
    """KIND=TIMES,… as a counter."""
    times = collections.Counter({kind: int(number) for kind, number in (part.split("=") for part in text.split(","))})
    if unknown := set(times) - set(KINDS):
        raise ValueError(unknown)
    return times


def parse(arguments):
    parser = argparse.ArgumentParser(prog="scripts/faults", description=(
        "Sends commands to a pool of workers over a throw-away PostgreSQL and Kafka while servers, connections and workers "
        "fail, and judges at the end whether every promise was kept. Exit codes: 0 kept, 1 violated, 2 usage."))
    parser.add_argument("--minutes", type=float, default=3, help="how long faults are injected (3)")
    parser.add_argument("--until", type=goal, metavar="KIND=TIMES,…", default=collections.Counter(),
                        help="only these, and end before the minutes are over as soon as each has taken hold so often; "
                        "kill_step=N: so often at every step")
    parser.add_argument("--kill-seconds", type=float, default=0.0,
                        help="besides, kill a worker at random about every so many seconds")
    parser.add_argument("--named", action="store_true", help="workers have a worker.id, which their successors inherit")
    parser.add_argument("--seed", default=time.strftime("%Y-%m-%d"), help="of everything random (the date)")
    parser.add_argument("--only", help="kinds of faults, with commas (all); of " + ", ".join(KINDS))
    parser.add_argument("--steps", metavar="PATTERN,…", type=lambda text: tuple(text.split(",")), default=("",),
                        help="of the steps at which workers are killed only those in whose names one of these regular "
                        "expressions finds something")
    parser.add_argument("--delivery", choices=("exactly_once", "at_least_once"), default="exactly_once",
                        help="worker.delivery (exactly_once); at_least_once may publish a result again")
    parser.add_argument("--worker-program", type=pathlib.Path, help="the worker (build-debug/cleanup-worker)")
    parser.add_argument("--workers", type=int, default=3, help="size of the pool (3)")
    parser.add_argument("--json", type=pathlib.Path, help="where to write the report as JSON")
    parser.add_argument("--logs", type=pathlib.Path, help="where to put the logs of workers and servers at the end")
    parser.add_argument("--short", action="store_true",
                        help="every fault and step once, then the negative controls; ends with `N passed, N failed, N skipped`")
    options = parser.parse_args(arguments)
    options.kinds = tuple(options.only.split(",")) if options.only else KINDS
    if unknown := set(options.kinds) - set(KINDS):
        parser.error(f"no such fault: {', '.join(sorted(unknown))}")
    return options


def say(text):
    print(time.strftime("%H:%M:%S"), text, flush=True)


def end_on_signal(number, _):
    """So that what was started is stopped on the way out."""
    sys.exit(128 + number)


def make_plan(options, program):
    kinds = tuple(options.until) or options.kinds
    rounds = options.until[faults.KILL_STEP] or math.ceil(options.minutes * ROUNDS_A_MINUTE)
    return Plan(options.seed, program, options.delivery, 0 if options.until else options.minutes, options.minutes,
                tuple(kind for kind in kinds if kind != faults.KILL_STEP), options.until,
                crash_program=short.CRASH_PROGRAM, crash_steps=options.steps, crash_rounds=rounds if faults.KILL_STEP in kinds else 0,
                workers=options.workers, named=options.named, kill_seconds=options.kill_seconds)


def main():
    signal.signal(signal.SIGTERM, end_on_signal)
    options = parse(sys.argv[1:])
    program = (options.worker_program or short.BUILD / "cleanup-worker").resolve()
    print(f"seed {options.seed}", flush=True)
    with Stack(options.logs) as stack:
        if options.short:
            return short.run(stack, options.seed, options.delivery, program, say)
        facts = report.summary(Campaign(stack, make_plan(options, program), say).run())
    print(report.table(facts))
    if options.json:
        options.json.write_text(json.dumps(facts, indent=1))
    return 1 if facts["violations"] else 0


if __name__ == "__main__":
    sys.exit(main())

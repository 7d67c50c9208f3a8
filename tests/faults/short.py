"""The short run of scripts/test: one campaign with each fault of workers, servers, connections and the application, then the negative controls, which have to be caught."""
import collections
import os
import pathlib

import faults
import harness
import report
import scenarios
from campaign import Campaign, Plan

BUILD = pathlib.Path(os.environ.get("CLEANUP_TEST_PROGRAM") or harness.ROOT / "build-debug" / "cleanup-worker").parent.resolve()
CRASH_PROGRAM = BUILD / "tests/faults/cleanup-worker-crash"
MINUTES, MOST_MINUTES = 2.5, 3.5
GAP_SECONDS = (0.5, 1.5)
# What waits for a topic to come back takes longer than there is time for here; `scripts/faults --only` has it.
KINDS = (*faults.Outages.KINDS, *faults.ApplicationFaults.KINDS)
CONTROL_MINUTES = 0.4

# The program, what it is made to suffer (faults; ids that producers send twice), and what the oracle has to find: any of these.
CONTROLS = (
    ("no-metadata", ("kill_random",), False, {"doubled_result"}),
    ("no-ledger", ("kill_random",), True, {"doubled_effect", "doubled_result", "bytes_differ"}),
    ("early-offsets", ("kill_random",), False, {"lost", "missing_result"}),
    ("one-look", (), False, {"wrongly_touched"}),
)


def run(stack, seed, delivery, program, say):
    results = [_campaign(stack, seed, delivery, program, say)]
    results += scenarios.run(stack, program, CRASH_PROGRAM, delivery, say)
    results += [_control(stack, seed, delivery, say, *control) for control in CONTROLS
                if delivery == "exactly_once" or control[3] != {"doubled_result"}]
    print(f"{results.count(True)} passed, {results.count(False)} failed, 0 skipped")
    return 0 if all(results) else 1


def _campaign(stack, seed, delivery, program, say):
    say("every fault and every step once")
    plan = Plan(seed, program, delivery, MINUTES, MOST_MINUTES, KINDS, collections.Counter((*KINDS, faults.KILL_STEP)),
                crash_program=CRASH_PROGRAM, crash_rounds=1, gap_seconds=GAP_SECONDS)
    facts = report.summary(Campaign(stack, plan, say).run())
    print(report.table(facts), flush=True)
    # Which steps are reached, and how many, is chance; a campaign that reaches next to none proves nothing.
    passed = not facts["violations"] and len(facts["steps_not_fired"]) < 3 * len(facts["steps_fired"])
    print("ok the promises hold" if passed else f"FAILED the promises hold; again with --seed {seed}", flush=True)
    return passed


def _control(stack, seed, delivery, say, name, kinds, duplicates, expected):
    """A worker that is wrong on purpose: an oracle that does not notice is worth nothing."""
    say(f"negative control {name}")
    plan = Plan(seed, CRASH_PROGRAM.with_name(f"cleanup-worker-{name}"), delivery, CONTROL_MINUTES, CONTROL_MINUTES, kinds,
                duplicates=duplicates, calm_every=0, traffic_pause_seconds=0.02, traffics=4, whole_table_pace=0.4)
    facts = report.summary(Campaign(stack, plan, say).run())
    found = {violation["kind"] for violation in facts["violations"]}
    caught = bool(found & expected)
    for violation in facts["violations"]:
        say(f"  found {violation['kind']}: {violation['text'].splitlines()[0]} ({len(violation['ids'])} ids)")
    print(f"ok the oracle catches {name}" if caught else f"FAILED the oracle does not catch {name}: {sorted(found)}", flush=True)
    return caught

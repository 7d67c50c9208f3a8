"""Owns the JSON that a bench leaves: one document a run, the same from version to version, so that runs can be compared.

results/result.schema.json describes it, results/README.md says which are kept. A member that is added keeps SCHEMA; one that
changes its meaning or goes makes another SCHEMA.
"""
import dataclasses
import datetime
import json

import report

SCHEMA = "cleanup.bench/1"
# What is told of a contestant: median, least and most over the rounds, of those that were measured.
FIGURES = ("rate", "seconds", "p50_ms", "p99_ms", "worst_ms", "longest_transaction_ms", "kafka_transactions", "peak_mb")


def _contestant(measures, cpu):
    found = {key: report.spread([measure[key] for measure in measures if key in measure])
             for key in FIGURES if any(key in measure for measure in measures)}
    return {"runs": len(measures), **found, "cpu_us": cpu}


def contestants(rounds):
    costs = report.cpu_a_command(rounds)
    return {name: _contestant([measured[name] for measured in rounds if name in measured], costs.get(name, {}))
            for name in report.measured_names(rounds)}


def document(facts, sizes, lines, rounds, failures, skipped):
    """`facts` as machine.facts has them, `lines` as report.judge made them."""
    return {
        "schema": SCHEMA,
        "taken_at": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "commit": facts["commit"],
        "changed": facts["changed"],
        "versions": facts["versions"],
        "machine": facts["machine"],
        "sizes": dataclasses.asdict(sizes),
        "rows": lines,
        "contestants": contestants(rounds),
        "failures": failures,
        "skipped": skipped,
        "rounds": rounds,
    }


def write(path, found):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")

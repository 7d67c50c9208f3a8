"""What a campaign saw: a table for people, JSON for programs."""
import collections
import math

import results

SHOWN_IDS = 8
SHOWN_WAITS = 5


def percentile(values, part):
    ordered = sorted(values)
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)] if ordered else None


def _seconds(value):
    return "–" if value is None else f"{value:.2f}"


def _count(outcome, *kinds):
    return sum(max(1, len(ids)) for kind, _, ids in outcome.violations if kind in kinds)


def _recoveries(outcome, timeline):
    """kind → [(to the next result, until all sent before is answered)] of the faults that took hold."""
    found = collections.defaultdict(list)
    for at, kind, took_hold in outcome.injected:
        if took_hold:
            found[kind].append((timeline.next_result(at), timeline.caught_up(at)))
    return found


def summary(outcome):
    """Everything of the report as plain values."""
    timeline = results.Timeline(outcome.arrivals, outcome.sent)
    recoveries = _recoveries(outcome, timeline)
    everything = [pair for pairs in recoveries.values() for pair in pairs]
    statuses = collections.Counter(result.status for result in outcome.evidence.results)
    return {
        "seed": outcome.plan.seed,
        "delivery": outcome.plan.delivery,
        "named": outcome.plan.named,
        "program": str(outcome.plan.program),
        "seconds": round(outcome.seconds, 1),
        "commands": len(outcome.evidence.commands),
        "results": len(outcome.evidence.results),
        "statuses": dict(statuses),
        "rows_touched": dict(collections.Counter(row[0] for row in outcome.evidence.touched)),
        "kills": outcome.kills,
        "lost": _count(outcome, "lost"),
        "doubled_results": _count(outcome, "doubled_result"),
        "doubled_effects": _count(outcome, "doubled_effect", "bytes_differ"),
        "results_missing": _count(outcome, "missing_result"),
        "wrongly_deleted": _count(outcome, "wrongly_touched"),
        "slowest_answer_s": round(max(timeline.answer_seconds.values(), default=0.0), 1),
        "slowest_application_write_s": round(outcome.slowest_write_seconds, 3),
        "lost_with_their_topic": len(outcome.evidence.lost_with_their_topic()),
        "unpublished_with_their_topic": len(outcome.evidence.unpublished),
        "waits_for_workers": outcome.waits,
        "next_result_s": {"p50": percentile([p[0] for p in everything if p[0] is not None], 0.5),
                          "p99": percentile([p[0] for p in everything if p[0] is not None], 0.99)},
        "caught_up_s": {"p50": percentile([p[1] for p in everything], 0.5), "p99": percentile([p[1] for p in everything], 0.99)},
        "faults": {kind: {
            "count": len(pairs),
            "next_result_s": {"p50": percentile([p[0] for p in pairs if p[0] is not None], 0.5),
                              "p99": percentile([p[0] for p in pairs if p[0] is not None], 0.99)},
            "caught_up_s": {"p50": percentile([p[1] for p in pairs], 0.5), "p99": percentile([p[1] for p in pairs], 0.99)},
        } for kind, pairs in sorted(recoveries.items())},
        "not_taken": dict(collections.Counter(kind for _, kind, took_hold in outcome.injected if not took_hold)),
        "steps_fired": dict(sorted(outcome.crashed.items())),
        "steps_not_fired": sorted(set(outcome.steps) - set(outcome.crashed)),
        "violations": [{"kind": kind, "text": text, "ids": ids} for kind, text, ids in outcome.violations],
    }


def table(facts):
    """The summary for people. Recovery counts from the moment the fault was over."""
    lines = [f"{'fault':22}{'times':>6}{'next result p50':>17}{'p99':>8}{'caught up p50':>15}{'p99':>8}   (seconds)"]
    rows = list(facts["faults"].items())
    rows.append(("all", {"count": sum(row["count"] for _, row in rows), "next_result_s": facts["next_result_s"],
                         "caught_up_s": facts["caught_up_s"]}))
    for kind, row in rows:
        lines.append(f"{kind:22}{row['count']:>6}{_seconds(row['next_result_s']['p50']):>17}"
                     f"{_seconds(row['next_result_s']['p99']):>8}{_seconds(row['caught_up_s']['p50']):>15}"
                     f"{_seconds(row['caught_up_s']['p99']):>8}")
    lines.append(f"commands {facts['commands']}, results {facts['results']} {facts['statuses']}, kills {facts['kills']}, "
                 f"rows {facts['rows_touched']}, {facts['seconds']} s")
    lines.append(f"lost {facts['lost']}, doubled results {facts['doubled_results']}, doubled effects "
                 f"{facts['doubled_effects']}, results missing {facts['results_missing']}, wrongly deleted "
                 f"{facts['wrongly_deleted']}; slowest answer {facts['slowest_answer_s']} s, slowest statement of the "
                 f"application {facts['slowest_application_write_s']} s")
    if facts["lost_with_their_topic"] or facts["unpublished_with_their_topic"]:
        lines.append(f"with a commands topic that was deleted went {facts['lost_with_their_topic']} commands that were not "
                     f"executed, and {facts['unpublished_with_their_topic']} results that were not published")
    for wait in facts["waits_for_workers"][:SHOWN_WAITS]:
        lines.append(f"the application waited {wait['seconds']} s for a worker at {wait['statement']!r}, during {wait['during']}; "
                     f"the worker was at {wait['workers']}")
    if facts["steps_fired"] or facts["steps_not_fired"]:
        lines.append(f"steps that killed: {len(facts['steps_fired'])}, {facts['steps_fired']}; that did not: "
                     f"{facts['steps_not_fired'] or 'none'}")
    if facts["not_taken"]:
        lines.append(f"faults that found nothing to act on: {facts['not_taken']}")
    for violation in facts["violations"]:
        ids = violation["ids"]
        more = f" … {len(ids)} in all" if len(ids) > SHOWN_IDS else ""
        lines.append(f"VIOLATION {violation['kind']}: {violation['text']}" + (f": {', '.join(ids[:SHOWN_IDS])}{more}" if ids else ""))
    return "\n".join(lines)

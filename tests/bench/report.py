"""Owns what is made of the measures: the judged rows, the costs a command, and how both are printed."""
import statistics

NOTE_WIDTH = 160
PROCESSES = {"postgres": "PostgreSQL", "broker": "broker", "worker": "worker", "harness": "harness"}  # in the order of the table


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def _missing(row, failures, skipped):
    """Why there is no number."""
    if reasons := sorted({failures[name] for name in row.needs if name in failures}):
        return {"skipped": False, "note": "no number: " + "; ".join(reasons)}
    if reasons := sorted({skipped[name] for name in row.needs if name in skipped}):
        return {"skipped": True, "note": "SKIPPED: " + "; ".join(reasons)}
    return {"skipped": False, "note": "no number: not measured"}


def _judge(row, rounds, failures, skipped):
    """One line of the table, as data."""
    line = {"name": row.name, "what": row.text, "target": row.target, "sign": row.sign, "bound": row.bound, "unit": row.unit,
            "skipped": False, "met": None, "runs": 0, "values": [], "note": ""}
    complete = [measured for measured in rounds if all(name in measured for name in row.needs)]
    if not complete:
        return {**line, **_missing(row, failures, skipped)}
    values = [row.value(measured) for measured in complete]
    bounded = any("gave_up_at" in measured[name] for measured in complete for name in row.needs)
    found = spread(values)
    return {**line, **found, "runs": len(values), "values": values, "met": row.is_met(found["median"]),
            "note": "given up: at least this" if bounded else ""}


def judge(rows, rounds, failures, skipped):
    return [_judge(row, rounds, failures, skipped) for row in rows]


def is_missing(line):
    """No number, although it could be had here."""
    return line["met"] is None and not line["skipped"]


def measured_names(rounds):
    """The contestants in the order in which they ran."""
    return list(dict.fromkeys(name for measured in rounds for name in measured))


def cpu_a_command(rounds):
    """contestant → process → microseconds a command, with their spread over the rounds"""
    found = {}
    for name in measured_names(rounds):
        measures = [one[name] for one in rounds if name in one and "cpu_results" in one[name]]
        processes = {process for measure in measures for process in measure["cpu_seconds"]}
        if measures:
            found[name] = {process: spread([one["cpu_seconds"][process] * 1e6 / one["cpu_results"] for one in measures])
                           for process in PROCESSES if process in processes}
    return found


def _print_line(row, line, width):
    start = f"  {line['what']:<{width}} {line['target']:>9}"
    if line["met"] is None:
        print(f"{start}  {line['note'][:NOTE_WIDTH]}")
        return
    between = f"{row.show(line['min'])} – {row.show(line['max'])}"
    met = "met" if line["met"] else "NOT MET"
    print(f"{start} {row.show(line['median']):>10}  {between:<21} {met:<7} {line['note']}".rstrip())


def print_targets(rows, lines):
    width = max((len(line["what"]) for line in lines), default=0)
    print(f"\n  {'':<{width}} {'target':>9} {'median':>10}  min – max")
    for row, line in zip(rows, lines):
        _print_line(row, line, width)


def print_tables(tables, rounds):
    for heading, entries in tables.values():
        measured = [(label, [one[name] for one in rounds if name in one]) for label, name in entries]
        if not any(found for _, found in measured):
            continue
        print(f"\n  {heading}")
        for label, found in measured:
            if found:
                rates = [one["rate"] for one in found]
                print(f"  {label:>12} {statistics.median(rates):>9,.0f}/s  ({min(rates):,.0f} – {max(rates):,.0f})   "
                      f"peak memory {max(one['peak_mb'] for one in found):.1f} MB")


def _microseconds(found):
    return f"{found['median']:.1f} ({found['min']:.1f} – {found['max']:.1f})" if found else ""


def print_cpu(rounds):
    costs = cpu_a_command(rounds)
    if not costs:
        return
    print(f"\n  {'CPU a command, µs':<20}" + "".join(f" {heading:>22}" for heading in PROCESSES.values()))
    for name, found in costs.items():
        print(f"  {name:<20}" + "".join(f" {_microseconds(found.get(process)):>22}" for process in PROCESSES))


def _cpu(measure):
    if "cpu_results" not in measure:
        return "CPU seconds: " + ", ".join(f"{name} {seconds:.2f}" for name, seconds in measure["cpu_seconds"].items())
    return "CPU µs a command: " + ", ".join(f"{name} {seconds * 1e6 / measure['cpu_results']:.1f}"
                                            for name, seconds in measure["cpu_seconds"].items())


def _figure(measure):
    parts = []
    if "rate" in measure:
        parts.append(f"{measure['rate']:,.0f}/s")
    if "p50_ms" in measure:
        parts.append(f"p50 {measure['p50_ms']:.1f} ms, p99 {measure['p99_ms']:.1f} ms, worst {measure['worst_ms']:.0f} ms")
    if "seconds" in measure:
        parts.append(f"{measure['seconds']:.2f} s")
    if measure.get("kafka_transactions"):
        parts.append(f"{measure['kafka_transactions']} Kafka transactions")
    if "cpu_seconds" in measure:
        parts.append(_cpu(measure))
    if "peak_mb" in measure:
        parts.append(f"peak {measure['peak_mb']:.1f} MB")
    return "; ".join(parts)


def print_measure(name, measure):
    print(f"    {name:<20} {_figure(measure)}", flush=True)


def print_facts(facts):
    changes = " with changes" if facts["changed"] else ""
    for name, value in {"commit": facts["commit"] + changes, **facts["versions"], **facts["machine"]}.items():
        print(f"  {name:<15} {value}")

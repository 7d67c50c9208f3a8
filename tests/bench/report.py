"""Owns how results are shown: the table of targets, the growth tables, the measures behind them, and the JSON."""
import json
import statistics

NOTE_WIDTH = 160


def _judge(row, rounds, failures):
    """One line of the table, as data."""
    line = {"name": row.name, "what": row.text, "target": row.target, "runs": 0, "met": None}
    complete = [measured for measured in rounds if all(name in measured for name in row.needs)]
    if not complete:
        reasons = {failures[name] for name in row.needs if name in failures}
        return {**line, "note": "no number: " + ("; ".join(sorted(reasons)) or "not measured")}
    values = [row.value(measured) for measured in complete]
    middle = statistics.median(values)
    bounded = any("gave_up_at" in measured[name] for measured in complete for name in row.needs)
    return {**line, "runs": len(values), "values": values, "median": middle, "min": min(values), "max": max(values),
            "met": row.is_met(middle), "note": "given up: at least this" if bounded else "", "form": row.form}


def judge(rows, rounds, failures):
    return [_judge(row, rounds, failures) for row in rows]


def _print_line(line, width):
    start = f"  {line['what']:<{width}} {line['target']:>8}"
    if line["met"] is None:
        print(f"{start}  {line['note'][:NOTE_WIDTH]}")
        return
    form = line["form"]
    spread = f"{form.format(line['min'])} – {form.format(line['max'])}"
    print(f"{start} {form.format(line['median']):>9}  {spread:<21} {'met' if line['met'] else 'NOT MET':<7} {line['note']}".rstrip())


def print_targets(lines):
    width = max((len(line["what"]) for line in lines), default=0)
    print(f"\n  {'':<{width}} {'target':>8} {'median':>9}  min – max")
    for line in lines:
        _print_line(line, width)


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


def _figure(measure):
    parts = []
    if "rate" in measure:
        parts.append(f"{measure['rate']:,.0f}/s")
    if "p50_ms" in measure:
        parts.append(f"p50 {measure['p50_ms']:.1f} ms, p99 {measure['p99_ms']:.1f} ms")
    if "seconds" in measure:
        parts.append(f"{measure['seconds']:.2f} s")
    if "cpu_seconds" in measure:
        parts.append("CPU " + ", ".join(f"{name} {seconds:.2f}" for name, seconds in measure["cpu_seconds"].items()))
    if "peak_mb" in measure:
        parts.append(f"peak {measure['peak_mb']:.1f} MB")
    return "; ".join(parts)


def print_measure(name, measure):
    print(f"    {name:<20} {_figure(measure)}", flush=True)


def print_facts(facts):
    for name, text in facts.items():
        print(f"  {name:<13} {text}")


def write_json(path, facts, sizes, lines, rounds, failures):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"machine": facts, "sizes": sizes, "targets": lines, "rounds": rounds,
                                "failures": failures}, indent=1, ensure_ascii=False) + "\n")

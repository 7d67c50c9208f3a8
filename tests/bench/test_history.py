"""What the bench writes: rows are judged right, and the JSON of a run is what results/result.schema.json says.

Without servers, with measures that are made up. Prints as cmocka does, so that scripts/test counts the tests.
"""
import json
import pathlib
import sys
import tempfile
import traceback

try:
    import jsonschema
except ImportError:
    print("SKIPPED: Python's jsonschema is missing; run scripts/setup")
    sys.exit(77)

import history
import report
import sizes
import targets

HERE = pathlib.Path(__file__).resolve().parent
SCHEMA = json.loads((HERE / "results" / "result.schema.json").read_text())
FACTS = {"commit": "0123abc", "changed": False,
         "versions": dict.fromkeys(("cleanup-worker", "PostgreSQL", "Kafka", "librdkafka", "compiler", "Python", "Go"), "1"),
         "machine": {"cpu": "a CPU", "cores": 2, "memory_gib": 23.5, "kernel": "6.1", "load_average": [0.0, 0.1, 0.2]}}


def measure_of(factor):
    """With every figure that a row may ask for."""
    return {"rate": 1000 * factor, "seconds": 10 * factor, "p50_ms": 2 * factor, "p99_ms": 4 * factor, "worst_ms": 5 * factor,
            "longest_transaction_ms": 100 * factor, "peak_mb": 30 * factor, "kafka_transactions": 20, "client": {"p50_ms": 1},
            "cpu_seconds": {"postgres": 5 * factor, "broker": 2 * factor, "worker": factor, "harness": 0.5}, "cpu_results": 100000}


def names_needed(rows):
    return sorted({name for row in rows for name in row.needs})


def as_read(document):
    """Written to a file and read again."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "new" / "result.json"
        history.write(path, document)
        return json.loads(path.read_text())


def made_document(rounds, failures=None, skipped=None):
    rows = targets.rows(sizes.QUICK)
    lines = report.judge(rows, rounds, failures or {}, skipped or {})
    return as_read(history.document(FACTS, sizes.QUICK, lines, rounds, failures or {}, skipped or {}))


def validate(document):
    jsonschema.Draft202012Validator(SCHEMA).validate(document)


def row_of(document, name):
    return next(line for line in document["rows"] if line["name"] == name)


def test_write_complete_run_fits_schema():
    names = names_needed(targets.rows(sizes.QUICK))
    found = made_document([dict.fromkeys(names, measure_of(1)), dict.fromkeys(names, measure_of(2))])
    validate(found)
    assert all(line["runs"] == 2 and line["met"] is not None for line in found["rows"])
    assert found["contestants"]["worker"]["cpu_us"]["postgres"] == {"median": 75, "min": 50, "max": 100}


def test_judge_rounds_takes_median_of_ratios_within_round():
    rounds = [{"worker": measure_of(3), "go_peer": measure_of(1)}, {"worker": measure_of(1), "go_peer": measure_of(2)},
              {"worker": measure_of(9), "go_peer": measure_of(9)}]
    line = row_of(made_document(rounds), "go_peer")
    assert line["values"] == [3, 0.5, 1]
    assert (line["median"], line["min"], line["max"], line["met"]) == (1, 0.5, 3, True)


def test_judge_value_beyond_bound_misses_target():
    rounds = [{"worker": measure_of(0.99), "go_peer": measure_of(1)}]
    found = made_document(rounds)
    assert row_of(found, "go_peer")["met"] is False
    assert row_of(found, "broker")["met"] is False  # at most 15 µs, and it took 20
    assert row_of(made_document([{"worker": measure_of(0.75)}]), "broker")["met"] is True


def test_judge_skipped_contestant_gives_no_number_and_no_failure():
    found = made_document([{"worker": measure_of(1)}], skipped={"go_peer": "Go is not here"})
    line = row_of(found, "go_peer")
    validate(found)
    assert line["met"] is None and line["note"] == "SKIPPED: Go is not here"
    assert not report.is_missing(line)


def test_judge_failed_contestant_gives_no_number():
    found = made_document([{"worker": measure_of(1)}], failures={"go_peer": "go_peer: it ended"})
    line = row_of(found, "go_peer")
    validate(found)
    assert report.is_missing(line) and "it ended" in line["note"]


def test_validate_row_without_number_or_reason_is_refused():
    measured, empty = made_document([{"worker": measure_of(1)}]), made_document([])
    validate(measured)
    validate(empty)
    row_of(measured, "broker").pop("median")
    row_of(empty, "broker")["note"] = ""
    assert_refused(measured)
    assert_refused(empty)


def assert_refused(document):
    try:
        validate(document)
    except jsonschema.ValidationError:
        return
    raise AssertionError("the schema takes it")


def test_rows_have_names_of_their_own():
    names = [row.name for row in targets.rows(sizes.FULL)] + list(targets.tables(sizes.FULL, {}))
    assert len(names) == len(set(names)) > 0


def test_kept_results_fit_schema():
    for path in sorted((HERE / "results").glob("*.json")):
        if path.name != "result.schema.json":
            validate(json.loads(path.read_text()))
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def main():
    tests = {name: test for name, test in globals().items() if name.startswith("test_")}
    failed = []
    for name, test in tests.items():
        print(f"[ RUN      ] {name}")
        try:
            test()
        except Exception:
            traceback.print_exc(file=sys.stdout)
            failed.append(name)
        print(f"[{'  FAILED  ' if name in failed else '       OK '}] {name}", flush=True)
    print(f"[  PASSED  ] {len(tests) - len(failed)} test(s).")
    if failed:
        print(f"[  FAILED  ] {len(failed)} test(s), listed below:")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

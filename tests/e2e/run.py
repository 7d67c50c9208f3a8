#!/usr/bin/env python3
"""Runs the end-to-end tests of this folder against the stack that the environment names.

Usage: tests/e2e/run.py [PART-OF-A-NAME…]
The last line is `N passed, N failed, N skipped`.
"""
import importlib
import pathlib
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

import harness  # noqa: E402


def tests():
    for path in sorted(HERE.glob("test_*.py")):
        module = importlib.import_module(path.stem)
        for name, function in vars(module).items():
            if name.startswith("test_") and callable(function):
                yield name, function


def main():
    if not harness.BOOTSTRAP or not harness.DSN:
        print('no stack: run scripts/devstack up, then eval "$(scripts/devstack env)"', file=sys.stderr)
        return 2
    passed = failed = skipped = 0
    for name, function in tests():
        if sys.argv[1:] and not any(part in name for part in sys.argv[1:]):
            continue
        started = time.monotonic()
        try:
            function()
        except harness.Skipped as reason:
            print(f"SKIPPED {name}: {reason}", flush=True)
            skipped += 1
        except Exception:  # whatever a test raises is its failure; the others go on
            traceback.print_exc(file=sys.stdout)
            print(f"FAILED {name}", flush=True)
            failed += 1
        else:
            print(f"ok {name} ({time.monotonic() - started:.1f} s)", flush=True)
            passed += 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())

"""Owns the program of the worker by hand in Go (peers/go): built once, into the cache that git ignores."""
import functools
import os
import pathlib
import shutil
import subprocess

from stack import ROOT
from trial import CannotMeasure, Skipped

SOURCE = pathlib.Path(__file__).resolve().parent / "peers" / "go"
PROGRAM = ROOT / ".cache" / "bench" / "go_peer"
USUAL_FOLDER = "/usr/local/go/bin"  # of Go, where the PATH has none
FETCH_SECONDS = 300


def find_go():
    return shutil.which("go") or shutil.which("go", path=USUAL_FOLDER)


def _go(go, *arguments):
    """The Go that is there, whatever go.mod asks for, and the versions of go.sum, whatever came out since."""
    return subprocess.run([go, *arguments], cwd=SOURCE, capture_output=True, text=True, check=False, timeout=FETCH_SECONDS,
                          env={**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly", "CGO_ENABLED": "0"})


@functools.cache
def _built():
    """(program, what is missing)"""
    go = find_go()
    if go is None:
        return None, f"Go is neither on the PATH nor in {USUAL_FOLDER}"
    try:
        fetched = _go(go, "mod", "download")
    except subprocess.TimeoutExpired:
        return None, f"the modules of {SOURCE.name} could not be fetched within {FETCH_SECONDS} s"
    if fetched.returncode != 0:
        return None, f"the modules of the Go worker cannot be had: {fetched.stderr.strip()[-500:]}"
    PROGRAM.parent.mkdir(parents=True, exist_ok=True)
    built = _go(go, "build", "-trimpath", "-buildvcs=false", "-o", PROGRAM, ".")
    if built.returncode != 0:
        raise CannotMeasure(f"the Go worker cannot be built: {built.stderr.strip()[-500:]}")
    return PROGRAM, None


def go_program():
    program, missing = _built()
    if missing:
        raise Skipped(missing)
    return program

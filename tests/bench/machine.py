"""Owns what is said of the machine and the versions, because figures mean nothing without them."""
import os
import pathlib
import platform
import subprocess
import sys

import confluent_kafka

from go_program import find_go
from stack import PROGRAM, ROOT, run

# Asks a library for its version in a process of its own, which ends with it.
ASK_VERSION = """import ctypes, sys
library = ctypes.CDLL(sys.argv[1])
library.rd_kafka_version_str.restype = ctypes.c_char_p
print(library.rd_kafka_version_str().decode())"""


def _first_line(arguments):
    try:
        return run(arguments).splitlines()[0].strip()
    except (RuntimeError, OSError, IndexError):
        return "unknown"


def _cpu_model():
    with open("/proc/cpuinfo") as info:
        return next((line.split(":", 1)[1].strip() for line in info if line.startswith("model name")), platform.machine())


def _memory_gib():
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)


def _compiler():
    with open(ROOT / "build" / "CMakeCache.txt") as cache:
        compiler = next((line.split("=", 1)[1].strip() for line in cache if line.startswith("CMAKE_C_COMPILER:")), "cc")
    return _first_line([compiler, "--version"])


def _kafka_version():
    jars = sorted((ROOT / ".cache").glob("kafka-*/lib/kafka_2.13-*.jar"))
    return jars[-1].stem.rsplit("-", 1)[1] if jars else "unknown"


def _go_version():
    go = find_go()
    return _first_line([go, "env", "GOVERSION"]) if go else "none"


def librdkafka_version(folder):
    """Of the library in that folder; fails where there is none."""
    return run([sys.executable, "-c", ASK_VERSION, pathlib.Path(folder) / "librdkafka.so.1"]).strip()


def facts(stack):
    """commit, changed, versions, machine: as the JSON has them"""
    with stack.connect() as connection:
        postgres = connection.execute("SHOW server_version").fetchone()[0]
    return {
        "commit": _first_line(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"]),
        "changed": subprocess.run(["git", "-C", ROOT, "diff", "--quiet", "HEAD"], check=False, capture_output=True).returncode != 0,
        "versions": {
            "cleanup-worker": _first_line([PROGRAM, "--version"]).rpartition(" ")[2],
            "PostgreSQL": postgres,
            "Kafka": _kafka_version(),
            "librdkafka": confluent_kafka.libversion()[0],
            "compiler": _compiler(),
            "Python": platform.python_version(),
            "Go": _go_version(),
        },
        "machine": {
            "cpu": _cpu_model(),
            "cores": os.cpu_count(),
            "memory_gib": _memory_gib(),
            "kernel": platform.release(),
            "load_average": [round(load, 2) for load in os.getloadavg()],
        },
    }

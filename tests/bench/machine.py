"""Owns what is said of the machine and the versions, because figures mean nothing without them."""
import os
import platform
import subprocess

import confluent_kafka

from stack import ROOT, run


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


def _commit():
    commit = _first_line(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"])
    dirty = subprocess.run(["git", "-C", ROOT, "diff", "--quiet", "HEAD"], check=False, capture_output=True).returncode
    return commit + (" with changes" if dirty else "")


def facts(stack):
    """name → text, in the order in which they are printed."""
    with stack.connect() as connection:
        postgres = connection.execute("SHOW server_version").fetchone()[0]
    return {
        "CPU": f"{_cpu_model()}, {os.cpu_count()} cores",
        "memory": f"{_memory_gib()} GiB",
        "load average": " ".join(f"{load:.2f}" for load in os.getloadavg()),
        "kernel": platform.release(),
        "PostgreSQL": postgres,
        "Kafka": _kafka_version(),
        "librdkafka": confluent_kafka.libversion()[0],
        "compiler": _compiler(),
        "Python": platform.python_version(),
        "commit": _commit(),
    }

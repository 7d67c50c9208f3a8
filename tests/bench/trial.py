"""Owns one run of one contestant: its database, its topics, the processes that work on them; nothing is left behind."""
import os
import signal
import subprocess
import sys
import time
import uuid

import commands
from measure import WARM_UP, ResultCounter, Usage, peak_mb, rate_of, time_of
from stack import PROGRAM

HERE = os.path.dirname(os.path.abspath(__file__))
STOP_SECONDS = 40


class CannotMeasure(Exception):
    """No number, and why."""


class Skipped(Exception):
    """No number, because what it needs cannot be had here; and why."""


class Process:
    """A worker or a peer, with its log."""

    def __init__(self, arguments, env, log_path):
        self.log_path = log_path
        with open(log_path, "ab") as log:
            self._process = subprocess.Popen(arguments, env=env, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.pid = self._process.pid

    def is_running(self):
        return self._process.poll() is None

    def log(self):
        with open(self.log_path, errors="replace") as log:
            return log.read()

    def stop(self):
        if self.is_running():
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


class Trial:
    """A context: entered with everything ready to start, left with everything gone."""

    def __init__(self, bench, template, partitions=commands.PARTITIONS, settings=()):
        self.bench, self.stack, self.datasets = bench, bench.stack, bench.datasets
        self.name = "trial-" + uuid.uuid4().hex[:8]
        self.commands, self.results, self.dead, self.replayed = (
            f"{self.name}.{part}" for part in ("commands", "results", "dead", "replayed"))
        self.template, self.partitions, self.settings = template, partitions, settings
        self.processes = []
        self.database = None

    def __enter__(self):
        commands.create_topics(self.stack.bootstrap, self._topics(), self.partitions)
        self.database = self.datasets.clone(self.template, self.settings)
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.stop()
        if self.database:
            self.datasets.drop(self.database)
        commands.delete_topics(self.stack.bootstrap, self._topics())

    def _topics(self):
        return self.commands, self.results, self.dead, self.replayed

    # Who works

    def environment(self, **more):
        env = {name: value for name, value in os.environ.items() if not name.startswith(("CLEANUP_", "PG"))}
        return {**env, "CLEANUP_POSTGRES_DSN": self.stack.dsn(self.database),
                "CLEANUP_KAFKA_BOOTSTRAP_SERVERS": self.stack.bootstrap, "CLEANUP_KAFKA_GROUP_ID": self.name,
                "CLEANUP_TOPICS_COMMANDS": self.commands, "CLEANUP_TOPICS_RESULTS": self.results,
                "CLEANUP_TOPICS_DEAD_LETTERS": self.dead, **more}

    def _start(self, arguments, env):
        log_path = self.stack.folder / f"{self.name}-{len(self.processes)}.log"
        self.processes.append(Process(arguments, env, log_path))
        return self.processes[-1]

    def start_worker(self, *options, **env):
        return self._start([PROGRAM, "run", *options], self.environment(**env))

    def start_peer(self, name, **env):
        return self._start([sys.executable, "-B", os.path.join(HERE, "peers", f"{name}.py")], self.environment(**env))

    def start_program(self, path):
        return self._start([path], self.environment())

    def stop(self):
        """Ends them all; a worker that did not end well has measured nothing."""
        for process in self.processes:
            code = process.stop()
            if code != 0:
                raise CannotMeasure(f"a process ended with {code}: {process.log()[-1500:]}")
        self.processes = []

    # Races

    def produce(self, some):
        commands.produce(self.stack.bootstrap, self.commands, some)

    def race(self, start, total, topic=None):
        """Starts what `start` starts and stops the clock at the `total`th result; returns what was measured.

        CPU seconds are those between the warm-up's end and the last result, as the rate's."""
        counter = ResultCounter(self.stack.bootstrap, topic or self.results)
        began = time.monotonic()
        try:
            started = start()
            self._await(counter, started, total * WARM_UP, began)
            usage, warm_count = Usage(self.stack, [process.pid for process in started]), counter.count()
            self._await(counter, started, total, began)
            return {"rate": rate_of(counter.marks, total, began), "seconds": time_of(counter.marks, total) - began,
                    "cpu_seconds": usage.seconds(), "cpu_results": max(1, total - warm_count),
                    "record_bytes": counter.record_bytes, "kafka_transactions": counter.transactions(),
                    "peak_mb": max(peak_mb(process.pid) for process in started)}
        finally:
            counter.close()

    def _await(self, counter, started, count, began):
        limit = self.bench.sizes.give_up_seconds
        if not counter.wait(count, began + limit, lambda: all(process.is_running() for process in started)):
            raise CannotMeasure(f"{counter.count()} of {count} results within {limit} s: {started[0].log()[-1500:]}")

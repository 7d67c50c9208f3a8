"""Owns the latency of one command, from produce to a read_committed result, and that of its parts.

The client is Python's confluent_kafka, without linger on either side. What it costs itself is measured beside: the round trip
of a record that it produces and reads back without a worker, which is in every latency here, and is not taken off.
"""
import itertools
import random
import statistics
import subprocess
import threading
import time

from confluent_kafka import OFFSET_END, Producer

import per_user
from backend import SetProgram
from commands import ERRORS_ONLY, create_topics, delete_topics, unknown_user_command, user_commands
from measure import is_result, open_reader
from stack import TOOLS
from trial import CannotMeasure, Trial

GAP_MS = 100  # between one and the next: what came before has long ended
PATIENCE_SECONDS = 30
READY_COMMANDS = 50  # of as many users, so that every partition gets some
TICK_SECONDS = 0.005  # how often commands are produced under load


def percentile(values, part):
    return statistics.quantiles(values, n=100, method="inclusive")[part - 1] if len(values) > 1 else values[0]


def summary(milliseconds):
    return {"p50_ms": round(percentile(milliseconds, 50), 3), "p99_ms": round(percentile(milliseconds, 99), 3),
            "worst_ms": round(max(milliseconds), 3), "samples": len(milliseconds)}


def open_producer(bootstrap):
    return Producer({"bootstrap.servers": bootstrap, "acks": "all", "enable.idempotence": True, "linger.ms": 0,
                     "partitioner": "murmur2_random", "socket.nagle.disable": True, "log_level": ERRORS_ONLY})


def _wait_for(reader, key):
    """When the result of that command came."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        message = reader.poll(0.5)
        if message is not None and is_result(message) and message.key() == key.encode():
            return time.monotonic()
    raise CannotMeasure(f"no result of {key} within {PATIENCE_SECONDS} s")


def _probe(bootstrap, topic, results, some):
    """The milliseconds from each command to its result, one at a time; the first, which sets everything up, is left out."""
    producer, reader = open_producer(bootstrap), open_reader(bootstrap, results)
    found = []
    for key, value, name in some:
        time.sleep((GAP_MS + random.uniform(0, GAP_MS)) / 1000)
        began = time.monotonic()
        producer.produce(topic, value, key)
        producer.poll(0)
        found.append((_wait_for(reader, name) - began) * 1000)
    producer.flush(PATIENCE_SECONDS)
    reader.close()
    return found[1:]


def _named(some):
    """Adds the command's id, under which its result comes."""
    for n, (key, value) in enumerate(some):
        yield key, value, f"bench-{n}"


def _client_round_trip(bench):
    """A record that comes back without any worker."""
    topic = "client-round-trip-" + str(time.monotonic_ns())
    create_topics(bench.stack.bootstrap, [topic])
    try:
        echoes = ((f"echo-{n}", "x" * 700, f"echo-{n}") for n in range(1 + bench.sizes.probes))
        return _probe(bench.stack.bootstrap, topic, topic, echoes)
    finally:
        delete_topics(bench.stack.bootstrap, [topic])


def _idle(bench, *options):
    with Trial(bench, per_user.template(bench)) as trial:
        trial.start_worker(*options)
        some = _named(user_commands(1 + bench.sizes.probes, bench.sizes.users))
        found = _probe(trial.stack.bootstrap, trial.commands, trial.results, some)
        trial.stop()
    return {**summary(found), "client": summary(_client_round_trip(bench))}


def idle(bench):
    return _idle(bench)


def idle_at_least_once(bench):
    return _idle(bench, "-o", "worker.delivery=at_least_once")


def bare_transaction(bench):
    """One record and one offset in a Kafka transaction, by the same library with the worker's settings."""
    topics = [f"bare-{time.monotonic_ns()}.{part}" for part in ("commands", "results")]
    create_topics(bench.stack.bootstrap, topics)
    try:
        done = subprocess.run([TOOLS / "bench_kafka_transaction", bench.stack.bootstrap, *topics,
                               str(1 + bench.sizes.probes), str(round(GAP_MS * 1.5))], capture_output=True, text=True, check=False)
    finally:
        delete_topics(bench.stack.bootstrap, topics)
    if done.returncode != 0:
        raise CannotMeasure(f"bare transaction: {done.stderr}")
    return summary([int(line) / 1000 for line in done.stdout.split()][1:])


def bare_database(bench):
    """One command in a database transaction, by the worker's own code and statements, without Kafka."""
    database = bench.datasets.clone(per_user.template(bench))
    try:
        program = SetProgram(bench, database, 1, 1 + bench.sizes.probes, round(GAP_MS * 1.5))
        try:
            return summary(program.run()[1:])
        finally:
            program.close()
    finally:
        bench.datasets.drop(database)


class PacedCommands:
    """Produces per-user commands at a steady rate on a thread of its own; `sent` says when each was produced.

    A new producer keeps its first records for a second; so it is used before, for commands that find nothing."""

    def __init__(self, trial, rate, seconds, users):
        self.sent = {}
        self._producer = open_producer(trial.stack.bootstrap)
        self._topic, self._rate, self._total = trial.commands, rate, int(rate * seconds)
        self._commands = itertools.islice(user_commands(self._total, users), self._total)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def prepare(self, names):
        for name in names:
            key, value = unknown_user_command(name)
            self._producer.produce(self._topic, value, key)
        self._producer.flush(PATIENCE_SECONDS)

    def start(self):
        self._thread.start()

    def _run(self):
        began = time.monotonic()
        while len(self.sent) < self._total:
            due = min(self._total, int((time.monotonic() - began) * self._rate))
            for key, value in itertools.islice(self._commands, due - len(self.sent)):
                self.sent[f"bench-{len(self.sent)}".encode()] = time.monotonic()
                self._producer.produce(self._topic, value, key)
            self._producer.poll(0)
            time.sleep(TICK_SECONDS)
        self._producer.flush(PATIENCE_SECONDS)

    def total(self):
        return self._total

    def is_over(self):
        return not self._thread.is_alive()


def _read_latencies(reader, paced):
    """The milliseconds of every command, as long as there are results to come."""
    found = []
    quiet_since = time.monotonic()
    while len(found) < paced.total() and time.monotonic() - quiet_since < PATIENCE_SECONDS:
        messages = reader.consume(500, 0.001)
        now = time.monotonic()
        taken = [(now - paced.sent[message.key()]) * 1000 for message in messages
                 if is_result(message) and message.key() in paced.sent]
        found.extend(taken)
        if taken:
            quiet_since = now
    return found


def half_load(bench, full_rate):
    """Every command's latency while they come at half the rate that a worker was measured at; the first fifth is left out."""
    rate = full_rate / 2
    with Trial(bench, per_user.template(bench)) as trial:
        reader = open_reader(trial.stack.bootstrap, trial.results, OFFSET_END)
        trial.start_worker()
        paced = PacedCommands(trial, rate, bench.sizes.load_seconds, bench.sizes.users)
        paced.prepare(f"ready-{n}" for n in range(READY_COMMANDS))
        _wait_for(reader, f"ready-{READY_COMMANDS - 1}")
        paced.start()
        found = _read_latencies(reader, paced)
        reader.close()
        trial.stop()
    if len(found) < paced.total():
        raise CannotMeasure(f"{len(found)} of {paced.total()} results under half load")
    return {**summary(found[len(found) // 5:]), "rate": rate}

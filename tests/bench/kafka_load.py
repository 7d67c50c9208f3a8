"""Owns the floor of a worker's CPU time: a program on the worker's library that makes the worker's records and nothing else.

It consumes as many commands and publishes as many results of the same size, with their offsets, in as many Kafka transactions,
at the pace at which the worker did it in this round; it neither parses nor renders, and knows no database.
"""
import subprocess
import time

import per_user
from commands import user_commands
from measure import ResultCounter, Usage
from stack import TOOLS
from trial import CannotMeasure, Trial


class Load:
    """The program while it runs, told line by line how many results there may be."""

    def __init__(self, trial, record_bytes):
        self.process = subprocess.Popen([TOOLS / "bench_kafka_load", trial.stack.bootstrap, trial.commands, trial.results,
                                         str(record_bytes)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            raise CannotMeasure("the load could not be started")

    def publish(self, target):
        self.process.stdin.write(f"{target}\n")
        self.process.stdin.flush()
        if self.process.stdout.readline() != f"{target}\n":
            raise CannotMeasure(f"the load ended before result {target}")

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)


def _publish_all(load, count, transactions, rate):
    """The first transaction takes a second, which is start-up, and comes before; here the clock starts with the second."""
    began = time.monotonic()
    for number in range(1, transactions + 1):
        target = 1 + (count - 1) * number // transactions
        time.sleep(max(0, began + (target - 1) / rate - time.monotonic()))
        load.publish(target)


def kafka_load(bench):
    if "worker" not in bench.round:
        raise CannotMeasure("there is no worker to keep pace with")
    like, count = bench.round["worker"], bench.sizes.commands
    with Trial(bench, per_user.template(bench)) as trial:
        trial.produce(user_commands(count, bench.sizes.users))
        counter = ResultCounter(trial.stack.bootstrap, trial.results)
        load = Load(trial, like["record_bytes"])
        try:
            load.publish(1)
            usage, began = Usage(trial.stack, [load.process.pid]), time.monotonic()
            _publish_all(load, count, max(1, like["kafka_transactions"]), like["rate"])
            seconds, used = time.monotonic() - began, usage.seconds()
        finally:
            load.close()
            counter.close()
    del used["postgres"]  # it has nothing to do here
    return {"rate": (count - 1) / seconds, "cpu_seconds": used, "cpu_results": count - 1}

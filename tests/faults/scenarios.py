"""Faults that only hurt at one moment, which a campaign meets by chance: each is brought about on purpose."""
import collections
import functools
import json
import time

import broker
import harness
from stack import Stack
from workers import Worker
from world import World

# Longer than a look-up of committed offsets may take, so that it is given up while there is nobody to answer it.
OUTAGE_SECONDS = 7
COMMANDS = 60
LOAD_COMMANDS = 12000
GRACE_SECONDS = 3
# Far above the grace, because machines are slow, and below the minute that librdkafka would wait for a broker.
END_SECONDS = 20
# Beyond two sessions, so that a member misses the group, asks to join again and loses patience with that, too.
STANDSTILL_SECONDS = 14
# Some results fit in, all that wait do not.
SMALL_BATCH_BYTES = 5000
LARGE_BATCH_COMMANDS = 300


def _produce(stack, world, commands):
    lines = "".join(json.dumps({"task": "cleanup_inactive_sessions_for_user", **command}) + "\n" for command in commands)
    done = harness.run(["kcat", "-b", stack.bootstrap, "-P", "-t", world.commands], stdin=lines)
    harness.check(done.returncode == 0, f"kcat: {done.stderr}")


def broker_away_while_offsets_are_looked_up(stack, program, crash_program):
    """A worker that waits for a dead one's transaction loses the broker, and goes on when it is back."""
    world = World(stack, program, "exactly_once")
    _produce(stack, world, [{"params": {"user_id": harness.user_id(1)}}] * COMMANDS)
    dead = Worker(world, crash_program, 1, "after_kafka_producer_send_offsets:1")
    dead.process.wait(60)
    heir = Worker(world, program, 2)
    try:
        harness.wait_until(lambda: "offsets_unstable" in heir.log_path.read_text(), "the heir waits for the transaction", 30)
        stack.kill_kafka()
        time.sleep(OUTAGE_SECONDS)
        stack.start_kafka()
        harness.wait_until(lambda: heir.process.poll() is not None or _answered(world) == COMMANDS, "every command is answered", 90)
        harness.check(heir.process.poll() is None, f"the heir ended with {heir.process.poll()}:\n{heir.log_tail(3)}")
        heir.process.terminate()
        harness.check(heir.process.wait(30) == 0, "the heir did not end with 0")
    finally:
        if heir.process.poll() is None:
            heir.process.kill()


def _answered(world):
    return sum(offset for offset, _ in world.committed().values() if offset > 0)


def _end_without_broker(leave, come_back, stack, world, worker):
    """It ends within its grace, which is printed; asserted is that it did not wait for a time-out of librdkafka's."""
    leave(stack)
    try:
        harness.check(world.rows("SELECT count(*) FROM cleanup_worker.ledger")[0][0] < LOAD_COMMANDS, "it was over too soon")
        worker.process.terminate()
        told = time.monotonic()
        harness.check(worker.process.wait(END_SECONDS) == 0, f"the worker did not end with 0:\n{worker.log_tail()}")
        harness.check("Timed out LeaveGroupRequest" not in worker.log_path.read_text(), f"it waited for the group:\n{worker.log_tail()}")
        print(f"ended {time.monotonic() - told:.1f} s after SIGTERM; the grace is {GRACE_SECONDS} s", flush=True)
    finally:
        come_back(stack)


def _results_are(world, names):
    harness.wait_until(lambda: world.ends(world.results) == world.ends(world.results, broker.READ_UNCOMMITTED),
                       "what the worker left open is timed out", 60)
    found = collections.Counter(json.loads(record["payload"])["command_id"] for record in world.records(world.results))
    wanted = collections.Counter(names)
    harness.check(found == wanted, f"results: {(found - wanted).most_common(3)} too many, {(wanted - found).most_common(3)} missing")


def sigterm_while_the_broker_is_away(leave, come_back, stack, program, _crash_program):
    """In the middle of its work a worker loses the broker and is told to end: it does, and what it left undone or
    unpublished is done and published once."""
    world = World(stack, program, "exactly_once")
    names = [f"c-{number}" for number in range(LOAD_COMMANDS)]
    _produce(stack, world, [{"command_id": name, "params": {"user_id": harness.user_id(number)}} for number, name in enumerate(names)])
    workers = [Worker(world, program, 1, options=("-o", f"worker.shutdown_grace={GRACE_SECONDS}s"))]
    try:
        harness.wait_until(lambda: "unit finished" in workers[0].log_path.read_text(), "the worker has begun", 60)
        _end_without_broker(leave, come_back, stack, world, workers[0])
        workers.append(Worker(world, program, 2))
        harness.wait_until(lambda: _answered(world) == LOAD_COMMANDS, "every command is answered", 120)
        _results_are(world, names)
    finally:
        for worker in workers:
            worker.process.kill()
            worker.process.wait()


def named_workers_while_the_broker_stands_still(stack, program, _crash_program):
    """The broker comes back to requests of members whose session is over, and may fence an id for a request of its own:
    nobody ends by that."""
    world = World(stack, program, "exactly_once")
    workers = [Worker(world, program, number, name=f"w-{number}") for number in (1, 2)]
    try:
        names = [f"c-{number}" for number in range(COMMANDS)]
        harness.wait_until(lambda: all("partitions assigned" in worker.log_path.read_text() for worker in workers), "the group", 60)
        stack.freeze_kafka()
        time.sleep(STANDSTILL_SECONDS)
        stack.thaw_kafka()
        _produce(stack, world, [{"command_id": name, "params": {"user_id": harness.user_id(number)}} for number, name in enumerate(names)])
        harness.wait_until(lambda: _answered(world) == COMMANDS, "every command is answered", 120)
        _results_are(world, names)
        for worker in workers:
            harness.check(worker.process.poll() is None, f"a worker ended:\n{worker.log_tail()}")
        print(f"fenced {sum(worker.log_path.read_text().count('fenced in the group') for worker in workers)} times", flush=True)
    finally:
        for worker in workers:
            worker.process.kill()
            worker.process.wait()


def topic_takes_small_batches_alone(delivery, sign, stack, program, _crash_program):
    """The results that wait go into batches that the topic refuses, as the log tells, until they are few enough."""
    world = World(stack, program, delivery)
    names = [f"c-{number}" for number in range(LARGE_BATCH_COMMANDS)]
    worker = Worker(world, program, 1)
    try:
        # A worker refuses to start where the longest result does not fit.
        harness.wait_until(lambda: "partitions assigned" in worker.log_path.read_text(), "the worker's partitions", 60)
        broker.limit_records(stack.bootstrap, world.results, SMALL_BATCH_BYTES)
        _produce(stack, world, [{"command_id": name, "params": {"user_id": harness.user_id(number)}} for number, name in enumerate(names)])
        harness.wait_until(lambda: _answered(world) == LARGE_BATCH_COMMANDS, "every command is answered", 120)
        harness.check(sign in worker.log_path.read_text(), "no batch was too large")
        _results_are(world, names)
    finally:
        worker.process.kill()
        worker.process.wait()


# Name → (function, the delivery of the campaign with which it runs).
SCENARIOS = {
    "an outage while committed offsets are looked up": (broker_away_while_offsets_are_looked_up, "exactly_once"),
    "a topic that takes small batches alone": (
        functools.partial(topic_takes_small_batches_alone, "exactly_once", "ending=abortable"), "exactly_once"),
    "the same, at least once": (
        functools.partial(topic_takes_small_batches_alone, "at_least_once", "delivery failed, sending again"), "exactly_once"),
    "named workers while the broker stands still": (named_workers_while_the_broker_stands_still, "exactly_once"),
    "SIGTERM while the broker stands still": (
        functools.partial(sigterm_while_the_broker_is_away, Stack.freeze_kafka, Stack.thaw_kafka), "exactly_once"),
    "SIGTERM while there is no broker": (
        functools.partial(sigterm_while_the_broker_is_away, Stack.kill_kafka, Stack.start_kafka), "exactly_once"),
}


def run(stack, program, crash_program, delivery, say):
    """True or False for each."""
    results = []
    for name, (scenario, wanted) in SCENARIOS.items():
        if wanted != delivery:
            continue
        say(f"scenario: {name}")
        try:
            scenario(stack, program, crash_program)
        except AssertionError as failure:
            print(f"{failure}\nFAILED {name}", flush=True)
            results.append(False)
        else:
            print(f"ok {name}", flush=True)
            results.append(True)
    return results

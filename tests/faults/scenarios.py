"""Faults that only hurt at one moment, which a campaign meets by chance: each is brought about on purpose."""
import json
import time

import harness
from workers import Worker
from world import World

# Longer than a look-up of committed offsets may take, so that it is given up while there is nobody to answer it.
OUTAGE_SECONDS = 7
COMMANDS = 60


def broker_away_while_offsets_are_looked_up(stack, program, crash_program):
    """A worker that waits for a dead one's transaction loses the broker, and goes on when it is back."""
    world = World(stack, program, "exactly_once")
    command = json.dumps({"task": "cleanup_inactive_sessions_for_user", "params": {"user_id": harness.user_id(1)}})
    done = harness.run(["kcat", "-b", stack.bootstrap, "-P", "-t", world.commands], stdin=(command + "\n") * COMMANDS)
    harness.check(done.returncode == 0, f"kcat: {done.stderr}")
    dead = Worker(world, crash_program, 1, "after_kafka_producer_send_offsets:1")
    dead.process.wait(60)
    heir = Worker(world, program, 2)
    try:
        harness.wait_until(lambda: "offsets_unstable" in heir.log_path.read_text(), "the heir waits for the transaction", 30)
        stack.kill_kafka()
        time.sleep(OUTAGE_SECONDS)
        stack.start_kafka()
        harness.wait_until(lambda: heir.process.poll() is not None or _answered(world), "every command is answered", 90)
        harness.check(heir.process.poll() is None, f"the heir ended with {heir.process.poll()}:\n{heir.log_tail(3)}")
        heir.process.terminate()
        harness.check(heir.process.wait(30) == 0, "the heir did not end with 0")
    finally:
        if heir.process.poll() is None:
            heir.process.kill()


def _answered(world):
    return sum(offset for offset, _ in world.committed().values() if offset > 0) == COMMANDS


# Name → (function, the delivery it is about).
SCENARIOS = {"an outage while committed offsets are looked up": (broker_away_while_offsets_are_looked_up, "exactly_once")}


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

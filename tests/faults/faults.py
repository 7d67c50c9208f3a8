"""What can go wrong, and the seeded plan of when it does; here the failures of workers, servers and connections.

A fault returns False when it found nothing to act on (no COMMIT came by in time, no worker was there).
"""
import dataclasses
import random
import threading
import time

from application_faults import ApplicationFaults
from topic_faults import TopicFaults

# Kafka's numbers of the requests that are cut in the middle; a request the delivery does not use is not in its list.
PRODUCE, OFFSET_COMMIT, ADD_OFFSETS, END_TXN, TXN_OFFSET_COMMIT = 0, 8, 25, 26, 28
CUT_REQUESTS = {
    "exactly_once": (END_TXN, END_TXN, TXN_OFFSET_COMMIT, ADD_OFFSETS, PRODUCE),
    "at_least_once": (OFFSET_COMMIT, PRODUCE),
}
COMMIT = 0
CUT_PATIENCE_SECONDS = 8
ZOMBIE_SECONDS = (8, 11)         # beyond the session time-out of 6 s
BROKER_FREEZE_SECONDS = (3, 14)
STALL_SECONDS = (2, 9)


@dataclasses.dataclass
class Actors:
    """Who takes part in a campaign, for the faults."""

    world: object
    pool: object
    population: object
    commander: object
    stream: object
    poison: object


class Outages:
    """Each method of KINDS is one kind of fault."""

    KINDS = ("kill_random", "kill_all", "zombie", "join", "leave", "broker_kill", "broker_freeze", "postgres_crash",
             "postgres_cut", "postgres_stall", "kafka_cut", "kafka_stall", "commit_unsent", "commit_unanswered",
             "request_unsent", "request_unanswered")

    def __init__(self, actors):
        self.world, self.stack, self.pool = actors.world, actors.world.stack, actors.pool

    def kill_random(self, rng):
        return self.pool.kill_one(rng)

    def kill_all(self, rng):
        return [self.pool.kill_one(rng) for _ in range(self.pool.size)].count(True) > 0

    def zombie(self, rng):
        worker = self.pool.freeze_one(rng)
        if worker is None:
            return False
        time.sleep(rng.uniform(*ZOMBIE_SECONDS))
        return self.pool.thaw(worker)

    def join(self, rng):
        self.pool.join_one()
        time.sleep(rng.uniform(0.5, 3))
        return True

    def leave(self, rng):
        if self.pool.size < 2:
            self.pool.join_one()
        self.pool.leave_one(rng)
        return True

    def broker_kill(self, rng):
        self.pool.outage(15)
        self.stack.kill_kafka()
        time.sleep(rng.uniform(0, 3))
        self.stack.start_kafka()
        return True

    def broker_freeze(self, rng):
        seconds = rng.uniform(*BROKER_FREEZE_SECONDS)
        self.pool.outage(seconds)
        self.stack.freeze_kafka()
        time.sleep(seconds)
        self.stack.thaw_kafka()
        return True

    def postgres_crash(self, rng):
        self.pool.outage(10)
        self.stack.crash_postgres()
        time.sleep(rng.uniform(0, 3))
        self.stack.start_postgres()
        return True

    def postgres_cut(self, rng):
        self.pool.outage(1)
        self.stack.postgres_proxy.tell("cut")
        return True

    def postgres_stall(self, rng):
        return self._stall(self.stack.postgres_proxy, rng)

    def kafka_cut(self, rng):
        self.pool.outage(1)
        self.stack.kafka_proxy.tell("cut")
        return True

    def kafka_stall(self, rng):
        return self._stall(self.stack.kafka_proxy, rng)

    def _stall(self, proxy, rng):
        seconds = rng.uniform(*STALL_SECONDS)
        self.pool.outage(seconds)
        proxy.tell("stall")
        time.sleep(seconds)
        proxy.tell("resume")
        return True

    def commit_unsent(self, rng):
        return self.stack.postgres_proxy.cut_within("before", COMMIT, CUT_PATIENCE_SECONDS)

    def commit_unanswered(self, rng):
        return self.stack.postgres_proxy.cut_within("after", COMMIT, CUT_PATIENCE_SECONDS)

    def request_unsent(self, rng):
        return self._cut_request("before", rng)

    def request_unanswered(self, rng):
        return self._cut_request("after", rng)

    def _cut_request(self, when, rng):
        kind = rng.choice(CUT_REQUESTS[self.world.delivery])
        return self.stack.kafka_proxy.cut_within(when, kind, CUT_PATIENCE_SECONDS)


class Killer(threading.Thread):
    """Kills a random worker again and again, whatever else fails; not while the pool is calm."""

    def __init__(self, pool, rng, seconds):
        super().__init__(daemon=True)
        self.pool, self.rng, self.seconds = pool, rng, seconds
        self.ending = threading.Event()

    def run(self):
        while self.seconds > 0 and not self.ending.wait(self.rng.uniform(0, 2 * self.seconds)):
            if not self.pool.calm and self.pool.kill_one(self.rng):
                self.pool.world.recoveries.append((time.monotonic(), "kill_random"))

    def stop(self):
        self.ending.set()
        self.join()


FAULTS = (*Outages.KINDS, *TopicFaults.KINDS, *ApplicationFaults.KINDS)
KILL_STEP = "kill_step"  # not in the plan: every worker that starts takes the next step


def doers(actors):
    """Kind → function of the fault's random numbers."""
    return {kind: getattr(doer, kind) for doer in (Outages(actors), TopicFaults(actors), ApplicationFaults(actors))
            for kind in doer.KINDS}


def plan(seed, kinds, gap_seconds):
    """An endless plan: (pause before it, kind, the fault's own random numbers). All kinds come before any comes again."""
    rng = random.Random(f"{seed}/plan")
    while True:
        for kind in rng.sample(kinds, len(kinds)):
            yield rng.uniform(*gap_seconds), kind, random.Random(rng.getrandbits(64))


def crash_points(seed, steps, rounds):
    """Every step once a round, each at one of its first passes."""
    rng = random.Random(f"{seed}/steps")
    points = []
    for _ in range(rounds):
        points += [f"{step}:{rng.choice((1, 1, 1, 2, 3))}" for step in rng.sample(steps, len(steps))]
    return points

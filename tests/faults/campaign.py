"""One campaign: load, faults, a quiet end, and the oracle's judgement."""
import collections
import dataclasses
import random
import time

import broker
import faults
import harness
import oracle
import results
from commands import LAST, Commander
from poison import Poison
from population import Population
from traffic import Traffic
from waits import Waits
from workers import Pool, crash_steps
from world import World

TRANSACTION_SECONDS = 40  # worker's transaction time-out, and the broker's interval of looking for them
STILL_SECONDS = 75        # a time-out of the session, and one of a transaction; while it goes on, it may take its time
MOST_SECONDS = 600
BESIDE_POISON = "beside-poison"
LAST_COMMANDS = ("cleanup_inactive_sessions", "expire_pending_bookings")


@dataclasses.dataclass
class Plan:
    """What to do to whom, and for how long."""

    seed: str
    program: str
    delivery: str
    minutes: float               # at least
    most_minutes: float          # while the goal is not reached
    kinds: tuple
    goal: collections.Counter = dataclasses.field(default_factory=collections.Counter)  # kind → times it has to take hold
    crash_program: str = None
    crash_steps: tuple = ("",)   # parts of their names
    crash_rounds: int = 0        # how often every step is taken
    named: bool = False          # workers have a worker.id
    kill_seconds: float = 0.0    # from one random kill to the next, besides the other faults; 0: none
    gap_seconds: tuple = (1.5, 4.0)
    workers: int = 3
    commands_per_second: float = 60
    traffic_pause_seconds: float = 0.06
    traffics: int = 2
    duplicates: bool = True
    whole_table_pace: float = 1.0  # seconds between two commands for the whole table, as part of the usual
    calm_every: int = 8          # faults; 0: never


@dataclasses.dataclass
class Outcome:
    """What happened, for the report."""

    plan: Plan
    violations: list
    evidence: object
    injected: list               # (when it was over, kind, took hold)
    arrivals: list
    sent: dict
    crashed: dict
    steps: list
    kills: int
    slowest_write_seconds: float
    waits: list                  # of the application for workers, as facts, longest first
    seconds: float


class Campaign:
    """The actors of one campaign over a stack that is up."""

    def __init__(self, stack, plan, say):
        self.plan, self.say = plan, say
        self.world = World(stack, plan.program, plan.delivery)
        self.steps = crash_steps(plan.crash_program, plan.crash_steps) if plan.crash_rounds else []
        points = faults.crash_points(plan.seed, self.steps, plan.crash_rounds)
        self.pool = Pool(self.world, plan.workers, points, plan.crash_program, plan.named)
        self.killer = faults.Killer(self.pool, self._rng("killer"), plan.kill_seconds)
        self.population = Population(self.world, pause_seconds=0.5)
        self.commander = Commander(self.world, self.population, self._rng("commands"), plan.commands_per_second,
                                   plan.duplicates, plan.whole_table_pace)
        self.traffics = [Traffic(self.world, self.population, self._rng(f"traffic {n}"), plan.traffic_pause_seconds)
                         for n in range(plan.traffics)]
        self.stream = results.ResultStream(self.world)
        self.poison = Poison(self.world, self.population)
        self.waits = Waits(self.world)
        self.injected = []

    def _rng(self, name):
        return random.Random(f"{self.plan.seed}/{name}")

    def run(self):
        started = time.monotonic()
        actors = [self.population, self.commander, *self.traffics]
        for thread in [self.stream, self.waits, self.pool, *actors]:
            thread.start()
        self.killer.start()
        try:
            return self._run(started, actors)
        except BaseException:
            self.pool.abandon()
            self.stream.stop()
            self.waits.stop()
            raise

    def _run(self, started, actors):
        self._inject(started)
        self.killer.stop()
        for actor in actors:
            actor.stop()
        self._settle()
        self.pool.stop()
        self.waits.stop()
        self.stream.stop()
        self._end_transactions()
        evidence = oracle.judge(self.world, self.traffics)
        return Outcome(self.plan, self.world.violations.found, evidence,
                       sorted(self.injected + [(at, kind, True) for at, kind in self.world.recoveries]),
                       self.stream.arrivals, self.commander.sent, self.pool.crashed, self.steps, self.pool.kills,
                       max(traffic.slowest_seconds for traffic in self.traffics), self.waits.longest(),
                       time.monotonic() - started)

    def _inject(self, started):
        doers = faults.doers(faults.Actors(self.world, self.pool, self.population, self.commander, self.stream, self.poison))
        least, most = started + 60 * self.plan.minutes, started + 60 * self.plan.most_minutes
        if not self.plan.kinds:
            time.sleep(max(0.0, least - time.monotonic()))
            return
        for pause, kind, rng in faults.plan(self.plan.seed, self.plan.kinds, self.plan.gap_seconds):
            now, missing = time.monotonic(), self._missing()
            if now >= most or (now >= least and not missing):
                return
            time.sleep(pause)
            if now >= least and kind not in missing:
                continue  # it has happened often enough
            self.say(f"fault {kind}")
            self.world.fault = kind
            took_hold = doers[kind](rng)
            self.world.fault = None
            self.injected.append((time.monotonic(), kind, took_hold))
            if self.plan.calm_every and len(self.injected) % self.plan.calm_every == 0:
                self._calm()

    def _missing(self):
        """What has not happened as often as it has to: kinds of faults, and crash points that wait for a worker."""
        happened = collections.Counter(kind for _, kind, took_hold in self.injected if took_hold)
        happened.update(kind for _, kind in self.world.recoveries)
        steps = self.pool.waiting_steps() if self.plan.goal[faults.KILL_STEP] else ()
        return set(self.plan.goal - happened) | set(steps)

    def _calm(self):
        """Once nothing fails, all that was sent by then is answered before long."""
        self.say(f"calm, {self.pool.kills} killed so far")
        self.pool.calm = True
        sent = set(self.commander.sent) - self.world.acts.buried_ids()
        if not dwindles(lambda: len(sent - self.stream.answered)):
            self.world.violations.add("stalled", "not answered, although nothing fails any more", sent - self.stream.answered)
        self.pool.calm = False

    def _end_transactions(self):
        """The broker ends what a killed worker left open; if it does not, the oracle says so."""
        topics = (self.world.results, self.world.dead_letters)
        try:
            harness.wait_until(lambda: all(self.world.ends(topic) == self.world.ends(topic, broker.READ_UNCOMMITTED)
                                           for topic in topics), "no open transactions", TRANSACTION_SECONDS)
        except AssertionError:
            pass

    def _settle(self):
        """Everything sent is answered; then two last clean-ups, with nobody in their way."""
        self.say("settling")
        self.pool.settle()
        self.commander.finish()
        if not self._answered():
            return
        if self.poison.was_used:
            self._clean_up_beside_poison()
        self._clean_up(LAST)

    def _clean_up(self, prefix):
        """Everything, with nobody in the way."""
        for task in LAST_COMMANDS:
            self.commander.send([self.commander.last(prefix, task)])
        self.commander.finish()
        return self._answered()

    def _clean_up_beside_poison(self):
        """What is not refused goes, and what is, is named."""
        with self.world.connect("population") as connection:
            self.population.grow(connection)
        self.poison.mark(self._rng("poison"))
        if self._clean_up(BESIDE_POISON):
            oracle.only_poisoned_left(self.world, BESIDE_POISON)
        self.poison.end()

    def _answered(self):
        """Waits until the group has committed every partition's end."""
        if dwindles(self._left):
            return True
        left = {partition: (self.world.committed()[partition][0], end)
                for partition, end in self.world.ends(self.world.commands).items()}
        self.world.violations.add("stalled", f"not settled; partition: (committed, end) {left}")
        return False

    def _left(self):
        """Commands above the committed offsets; also when a partition begins anew."""
        committed = self.world.committed()
        return sum(abs(end - max(committed[partition][0], 0))
                   for partition, end in self.world.ends(self.world.commands).items())


def dwindles(count):
    """Whether it gets to 0, and never stands still for long on its way."""
    least, began = count(), time.monotonic()
    at = began
    while least > 0 and time.monotonic() - at < STILL_SECONDS and time.monotonic() - began < MOST_SECONDS:
        time.sleep(0.3)
        now = count()
        if now < least:
            least, at = now, time.monotonic()
    return least == 0

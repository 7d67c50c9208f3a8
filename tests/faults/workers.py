"""The pool of workers: whoever ends is replaced at once, and whoever ends without being made to is a violation."""
import collections
import contextlib
import itertools
import math
import os
import re
import signal
import subprocess
import threading
import time

import harness

# A member that is gone without a word is missed soon; batches are small, so that long commands take many.
ARGUMENTS = ("-X", "session.timeout.ms=6000", "-X", "heartbeat.interval.ms=1000", "-o", "worker.batch_sessions=100",
             "-o", "worker.set_commands=60", "-o", "worker.hold_backoff_max=1s")
LEAVE_SECONDS = 30  # worker.shutdown_grace is 25 s
UNREACHABLE = 3     # a worker that starts while a server is away ends with this
REFUSED = 1         # and one that starts while a topic is away, or too narrow, with this
WHY_REFUSED = "must be mended before it starts"
UP_SECONDS = 60
LOG_HEAD_BYTES = 100_000
OUTAGE_ECHO_SECONDS = 30


class Worker:
    """One `cleanup-worker run`; `crash_at` is the step at which it is to die, `name` its worker.id, `options` are more
    arguments."""

    def __init__(self, world, program, number, crash_at=None, name=None, options=()):
        self.number, self.crash_at, self.name = number, crash_at, name
        self.log_path = world.folder / f"worker-{number}.log"
        self.doomed = self.leaving = self.frozen = False
        more = {"CLEANUP_TEST_CRASH_AT": crash_at} if crash_at else {}
        arguments = [*ARGUMENTS, *(["-o", f"worker.id={name}"] if name else ()), *options]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([program, "run", *arguments], env=world.worker_env(**more), stdout=log,
                                            stderr=log, stdin=subprocess.DEVNULL)

    def has_joined(self):
        """The group, once; its log begins with that."""
        with open(self.log_path, errors="replace") as log:
            return "partitions assigned" in log.read(LOG_HEAD_BYTES)

    def log_tail(self, lines=15):
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])


class Pool(threading.Thread):
    """Keeps `size` workers alive. The next crash point goes to whoever starts next, and so does, of `named` workers,
    the worker.id of one that is gone."""

    def __init__(self, world, size, crash_points=(), crash_program=None, named=False):
        super().__init__(daemon=True)
        self.world, self.size, self.named = world, size, named
        self.crash_points, self.crash_program = list(crash_points), crash_program
        self.lock = threading.RLock()
        self.workers = []
        self.started = self.kills = 0
        self.crashed = collections.Counter()  # step → how often it fired
        self.outage_until = 0.0    # starts may fail for want of a server until then
        self.topic_unfit_until = 0.0
        self.resting = False       # nobody starts now
        self.calm = False          # whoever starts now has no crash point
        self.ending = threading.Event()

    def run(self):
        while not self.ending.wait(0.1):
            with self.lock:
                for worker in list(self.workers):
                    self._reap(worker)
                while len(self.workers) < self.size and not self.resting:
                    self._start()

    def _start(self):
        self.started += 1
        crash_at = self.crash_points.pop(0) if self.crash_points and not self.calm else None
        program = self.crash_program if crash_at else self.world.program
        self.workers.append(Worker(self.world, program, self.started, crash_at, self._free_name()))

    def _free_name(self):
        taken = {worker.name for worker in self.workers}
        return next(name for name in map("w-{}".format, itertools.count(1)) if name not in taken) if self.named else None

    def _reap(self, worker):
        code = worker.process.poll()
        if code is None or worker.leaving:
            return
        self.workers.remove(worker)
        if code == -signal.SIGKILL:
            self.kills += 1
            self._note_kill(worker)
        elif self._may_end(worker, code):
            time.sleep(0.3)
        else:
            self.world.violations.add("worker", f"worker {worker.number} ended by itself with {code}:\n{worker.log_tail()}")

    @staticmethod
    def _is_over(moment):
        return time.monotonic() >= moment

    def _may_end(self, worker, code):
        """Whether what it needs at its start was away."""
        if code == REFUSED and WHY_REFUSED in worker.log_tail(1):
            return not self._is_over(self.topic_unfit_until)
        return code == UNREACHABLE and not self._is_over(self.outage_until)

    def _note_kill(self, worker):
        if worker.doomed and worker.crash_at:
            self.crash_points.append(worker.crash_at)  # something else was quicker: the next one tries
        elif worker.crash_at:
            self.crashed[step_of(worker.crash_at)] += 1
            self.world.recoveries.append((time.monotonic(), "kill_step"))
        elif not worker.doomed:
            self.world.violations.add("worker", f"worker {worker.number} was killed by somebody else")

    def waiting_steps(self):
        """Crash points that have not fired yet."""
        with self.lock:
            return self.crash_points + [worker.crash_at for worker in self.workers if worker.crash_at]

    def outage(self, seconds):
        """Servers are away for about so long."""
        self.outage_until = max(self.outage_until, time.monotonic() + seconds + OUTAGE_ECHO_SECONDS)

    @contextlib.contextmanager
    def topic_unfit(self):
        """What is wrong with a topic is mended at the end; a worker that starts before is refused."""
        self.topic_unfit_until = math.inf
        try:
            yield
        finally:
            self.topic_unfit_until = time.monotonic() + OUTAGE_ECHO_SECONDS

    @contextlib.contextmanager
    def peace(self):
        """Nobody dies, and everybody has partitions."""
        self.calm = True
        with self.lock:
            for worker in self.workers:
                if worker.crash_at and not (worker.doomed or worker.leaving):
                    worker.doomed = True  # its successor has no crash point
                    worker.process.kill()
        try:
            harness.wait_until(self._all_up, "all workers are up", UP_SECONDS)
            yield
        finally:
            self.calm = False

    def _all_up(self):
        with self.lock:
            return len(self.workers) == self.size and all(
                worker.process.poll() is None and not worker.doomed and worker.has_joined() for worker in self.workers)

    @contextlib.contextmanager
    def rest(self):
        """There is no worker at all."""
        self.resting = True
        try:
            self._leave_all()
            harness.wait_until(lambda: not self.workers, "no worker is left", UP_SECONDS)
            yield
        finally:
            self.resting = False

    def _leave_all(self):
        with self.lock:
            staying = [worker for worker in self.workers if not worker.doomed]
            for worker in staying:
                worker.leaving = True
        leaving = [threading.Thread(target=self._leave, args=(worker,)) for worker in staying]
        for thread in leaving:
            thread.start()
        for thread in leaving:
            thread.join()

    def _choose(self, rng, best=lambda worker: True):
        with self.lock:
            choice = [worker for worker in self.workers if not (worker.doomed or worker.leaving or worker.frozen)]
            choice = [worker for worker in choice if best(worker)] or choice
            return rng.choice(choice) if choice else None

    def kill_one(self, rng):
        worker = self._choose(rng)
        if worker is None:
            return False
        worker.doomed = True
        worker.process.kill()
        return True

    def freeze_one(self, rng):
        """Returns the worker that stands still now: best one that is to die when it aborts, as awakened ones do."""
        worker = self._choose(rng, lambda worker: "abort" in (worker.crash_at or ""))
        if worker is not None:
            worker.frozen = True
            worker.process.send_signal(signal.SIGSTOP)
        return worker

    def thaw(self, worker):
        """False when it is gone: somebody else had it in mind, too."""
        worker.process.send_signal(signal.SIGCONT)
        worker.frozen = False
        return worker.process.poll() is None

    def join_one(self):
        with self.lock:
            self.size += 1

    def leave_one(self, rng):
        worker = self._choose(rng)
        if worker is not None:
            with self.lock:
                self.size -= 1
            self._leave(worker)

    def _leave(self, worker):
        """SIGTERM has to end it with 0 within the grace; a crash point may be quicker."""
        worker.leaving = True
        worker.process.terminate()
        try:
            code = worker.process.wait(LEAVE_SECONDS)
        except subprocess.TimeoutExpired:
            self.world.violations.add("worker", f"worker {worker.number} outlived SIGTERM by {LEAVE_SECONDS} s:\n"
                                      f"{worker.log_tail()}")
            worker.process.kill()
            code = worker.process.wait()
        crashed = code == -signal.SIGKILL and worker.crash_at
        if crashed:
            self.crashed[step_of(worker.crash_at)] += 1
        elif code == -signal.SIGKILL and worker.doomed:
            self.kills += 1  # the killer was quicker
        elif code not in (0, UNREACHABLE if time.monotonic() < self.outage_until else 0):
            self.world.violations.add("worker", f"worker {worker.number} ended with {code} after SIGTERM:\n{worker.log_tail()}")
        with self.lock:
            self.workers.remove(worker)
            if worker.crash_at and not crashed:
                self.crash_points.append(worker.crash_at)

    def settle(self):
        """From here on nobody dies: those with a crash point make room for those without."""
        with self.lock:
            self.crash_points.clear()
            for worker in self.workers:
                if worker.crash_at and not worker.doomed:
                    worker.crash_at, worker.doomed = None, True
                    worker.process.kill()

    def stop(self):
        self.ending.set()
        self.join()
        self._leave_all()

    def abandon(self):
        """Nobody outlives a campaign that broke off."""
        self.ending.set()
        self.join()
        for worker in self.workers:
            worker.process.kill()
            worker.process.wait()


def step_of(crash_point):
    """Its name without the number of the pass."""
    return crash_point.split(":")[0]


def crash_steps(program, patterns):
    """The names of the crash executable's steps that one of these regular expressions finds something in."""
    done = harness.run([program], env={**os.environ, "CLEANUP_TEST_CRASH_AT": "list"})
    harness.check(done.returncode == 0, f"{program}: {done.stderr}")
    found = [step for step in done.stdout.split() if any(re.search(pattern, step) for pattern in patterns)]
    harness.check(found, f"no step's name is like any of {patterns}")
    return found

"""The results topic as a follower sees it, live: when which result arrived."""
import bisect
import itertools
import math
import subprocess
import threading
import time


class ResultStream(threading.Thread):
    """Notes (arrival, command id) of every result; read_committed, through a kcat that survives outages."""

    def __init__(self, world):
        super().__init__(daemon=True)
        self.world = world
        self.arrivals = []
        self.answered = set()
        self.process = None
        self.ending = threading.Event()

    def run(self):
        while not self.ending.is_set():
            self.process = subprocess.Popen(
                ["kcat", "-b", self.world.stack.bootstrap, "-q", "-u", "-C", "-E", "-t", self.world.results, "-o", "beginning",
                 "-X", "isolation.level=read_committed", "-X", "reconnect.backoff.max.ms=500", "-f", "%k\n"],
                stdout=subprocess.PIPE, stderr=open(self.world.folder / "kcat-results.log", "ab"), text=True)
            for line in self.process.stdout:
                self.arrivals.append((time.monotonic(), line.rstrip("\n")))
                self.answered.add(line.rstrip("\n"))
            self.process.wait()

    def stop(self):
        self.ending.set()
        if self.process is not None:
            self.process.terminate()
        self.join(20)


class Timeline:
    """When commands were sent and answered, ready for one question a fault."""

    def __init__(self, arrivals, sent):
        self.moments = [at for at, _ in arrivals]
        first = {}
        for at, command_id in arrivals:
            first.setdefault(command_id, at)
        self.answer_seconds = {name: first[name] - when for name, when in sent.items() if name in first}
        self.sent = sorted((when, when + self.answer_seconds[name]) for name, when in sent.items() if name in first)
        self.last_answers = list(itertools.accumulate((answered for _, answered in self.sent), max))

    def next_result(self, moment):
        """Seconds from the moment to the next result, or None."""
        place = bisect.bisect_left(self.moments, moment)
        return self.moments[place] - moment if place < len(self.moments) else None

    def caught_up(self, moment):
        """Seconds from the moment until all that was sent by then has its result."""
        count = bisect.bisect_right(self.sent, (moment, math.inf))
        return max(0.0, self.last_answers[count - 1] - moment) if count else 0.0

"""The results topic as a follower sees it, live: when which result arrived."""
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


def next_after(arrivals, moment):
    """Seconds from the moment to the next result, or None."""
    return next((at - moment for at, _ in arrivals if at >= moment), None)


def _first_arrivals(arrivals):
    first = {}
    for at, command_id in arrivals:
        first.setdefault(command_id, at)
    return first


def answer_seconds(arrivals, sent):
    """command id → seconds from sending to the first result, of those that have one."""
    first = _first_arrivals(arrivals)
    return {name: first[name] - when for name, when in sent.items() if name in first}


def caught_up(arrivals, sent, moment):
    """Seconds from the moment until all that was sent by then has its result."""
    first = _first_arrivals(arrivals)
    waits = [first[name] - moment for name, when in sent.items() if when <= moment and name in first]
    return max(0.0, max(waits, default=0.0))

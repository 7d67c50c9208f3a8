"""Owns the clocks: results as a read_committed consumer sees them, CPU seconds and resident memory from /proc."""
import collections
import os
import threading
import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from commands import ERRORS_ONLY

WARM_UP = 0.05  # of the results: what comes before that is start-up, and counts for nobody
TICKS = os.sysconf("SC_CLK_TCK")
READ_SECONDS = 0.01


def open_reader(bootstrap, topic, start=OFFSET_BEGINNING):
    """A consumer of all partitions, of no group, that sees what was committed."""
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": f"bench-{topic}", "isolation.level": "read_committed",
                       "enable.auto.commit": False, "socket.nagle.disable": True, "log_level": ERRORS_ONLY})
    partitions = reader.list_topics(topic, 30).topics[topic].partitions
    reader.assign([TopicPartition(topic, partition, start) for partition in partitions])
    return reader


def is_result(message):
    """Errors and the progress of long commands are none."""
    return message.error() is None and b"cleanup.progress" not in message.value()[:40]


def bytes_of(message):
    """Value and headers; the key is small."""
    return len(message.value()) + sum(len(name) + len(value) for name, value in message.headers() or [])


class ResultCounter:
    """Counts results by distinct command id while others work; marks when how many were there."""

    def __init__(self, bootstrap, topic):
        self.marks = []
        self.record_bytes = 0  # of the first result: value and headers
        self._seen = set()
        self._next = {}  # partition → the offset behind what was read
        self._gaps = collections.Counter()  # by partition
        self._reader = open_reader(bootstrap, topic)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._count, daemon=True)
        self._thread.start()

    def _count(self):
        while not self._stop.is_set():
            messages = self._reader.consume(5000, READ_SECONDS)
            if not messages:
                continue
            now = time.monotonic()
            results = [message for message in messages if is_result(message)]
            self._note_gaps(results)
            self._seen.update(message.key() for message in results)
            if results and self.record_bytes == 0:
                self.record_bytes = bytes_of(results[0])
            self.marks.append((now, len(self._seen)))

    def count(self):
        return self.marks[-1][1] if self.marks else 0

    def wait(self, total, until, alive=lambda: True):
        """True when there were so many results before `until`; `alive` says whether waiting makes sense."""
        while self.count() < total:
            if time.monotonic() > until or not alive():
                return False
            time.sleep(0.005)
        return True

    def _note_gaps(self, results):
        for message in results:
            partition, offset = message.partition(), message.offset()
            if self._next.get(partition, 0) != offset:
                self._gaps[partition] += 1
            self._next[partition] = offset + 1

    def transactions(self):
        """In how many Kafka transactions the results were written: each leaves a marker in every partition it wrote to, which
        shows as a gap before the next result. Large ones write to all partitions; where some did not, there were more. 0: none."""
        return max((gaps + 1 for gaps in self._gaps.values()), default=0)

    def close(self):
        self._stop.set()
        self._thread.join()
        self._reader.close()


def time_of(marks, count):
    """When there were so many; `marks` are (time, how many so far)."""
    return next(at for at, there in marks if there >= count)


def rate_of(marks, total, began):
    """Things a second between the warm-up's end and the last one; all in one burst count from the beginning."""
    warm_time, warm_count = next(((at, count) for at, count in marks if count >= total * WARM_UP), (began, 0))
    end = time_of(marks, total)
    if warm_count >= total:
        warm_time, warm_count = began, 0
    return (total - warm_count) / (end - warm_time)


def _stat(pid):
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rsplit(")", 1)[1].split()


def cpu_seconds(pid, with_waited_for=False):
    """User and system time of a process; with that of its children that have ended and were waited for."""
    fields = _stat(pid)[11:15 if with_waited_for else 13]
    return sum(map(int, fields)) / TICKS


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as listed:
        return [int(child) for child in listed.read().split()]


def postgres_seconds(postmaster):
    """Of the server with all its processes, those that have ended too."""
    total = cpu_seconds(postmaster, with_waited_for=True)
    for child in children(postmaster):
        try:
            total += cpu_seconds(child)
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has just ended, and is counted with the postmaster's next time
    return total


def peak_mb(pid):
    """The most memory that was ever resident."""
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) * 1024 / 1e6 for line in status if line.startswith("VmHWM:"))


class Usage:
    """CPU seconds since it was made: of PostgreSQL, the broker, this harness, and the processes under test."""

    def __init__(self, stack, processes):
        self._stack = stack
        self._processes = list(processes)
        self._before = self._now()

    def _now(self):
        return {"postgres": postgres_seconds(self._stack.postmaster_pid()), "broker": cpu_seconds(self._stack.broker_pid()),
                "harness": sum(os.times()[:2]), "worker": sum(map(cpu_seconds, self._processes))}

    def seconds(self):
        now = self._now()
        return {name: round(now[name] - self._before[name], 3) for name in now}

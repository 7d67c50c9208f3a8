"""What programs send: a mix of every task, of duplicates, of commands without id, and of faulty ones.

The commands topic itself says what was sent; nothing here is trusted by the oracle but the time of sending. A header says
in which generation of the topic a command is: one that is made anew has the same offsets again.
"""
import json
import subprocess
import threading
import time

import harness
from world import DEAD_LETTER_BYTES, Actor

PER_USER = "cleanup_inactive_sessions_for_user"
# Tasks that change the whole table, with their seconds from one to the next.
WHOLE_TABLE = (("cleanup_inactive_sessions", 9.0), ("expire_pending_bookings", 2.5), ("scheduled_cleanup", 14.0))
FAULTY = (
    "this is no JSON",
    '{"task":"cleanup_inactive_sessions_for_user"}',
    '{"task":"no_such_task","command_id":"%s"}',
    '{"task":"cleanup_inactive_sessions","params":{"inactive_hours":0},"command_id":"%s"}',
    '{"task":"cleanup_inactive_sessions","params":{"inactive_hour":24},"command_id":"%s"}',
    '{"task":"expire_pending_bookings","params":{"expiration_minutes":"15"},"command_id":"%s"}',
    '{"task":"cleanup_inactive_sessions","command_id":"not an id"}',
    "[]",
)
ONE_TOO_LONG_IN = 12  # faulty ones
# Its dead letter is refused by the broker, and with it the transaction, until it is cut short enough.
TOO_LONG = "x" * (2 * DEAD_LETTER_BYTES)
GENERATION_HEADER = "tracestate"  # workers pass it on
LAST = "last"  # begins the ids of the commands that close a campaign
LONG_AGO = "2020-01-01T00:00:00Z"
DUPLICATES_OF_LAST = 500


class Commander(Actor):
    """Sends bursts through one long-lived kcat."""

    def __init__(self, world, population, rng, per_second, duplicates, pace):
        super().__init__(world)
        self.population, self.rng, self.per_second, self.duplicates = population, rng, per_second, duplicates
        self.sent = {}       # command id → when
        self.recent = []     # lines of commands with an id
        self.serial = 0
        self.whole_table = [(task, seconds * pace) for task, seconds in WHOLE_TABLE]
        self.due = {task: time.monotonic() + seconds / 2 for task, seconds in self.whole_table}
        self.kcat = None
        self.lock = threading.RLock()  # who has it sends alone

    def turn(self):
        self.ending.wait(0.25)
        count = self.rng.randint(0, max(1, round(self.per_second / 2)))
        with self.lock:
            self.send([self.make() for _ in range(count)] + self.whole_table_due())

    def clean_now(self, users):
        """Besides the usual; returns the commands' ids."""
        with self.lock:
            commands = [{"command_id": self.new_id("now"), "task": PER_USER, "params": {"user_id": user}} for user in users]
            self.send([self.line(command) for command in commands])
        return {command["command_id"] for command in commands}

    def preview_now(self, user):
        """A long list of one user's sessions; returns the command's id."""
        with self.lock:
            command_id = self.new_id("now")
            self.send([self.line({"command_id": command_id, "task": "get_inactive_sessions_preview",
                                  "params": {"user_id": user, "limit": 1000}})])
        return command_id

    def reject_now(self, count):
        with self.lock:
            self.send([f"faulty-{number}\t{FAULTY[0]}" for number in range(count)])

    def send(self, lines):
        if self.kcat is None or self.kcat.poll() is not None:
            # Idempotent, and patient: what it was given arrives once, however long the broker is away.
            self.kcat = subprocess.Popen(
                ["kcat", "-b", self.world.stack.bootstrap, "-q", "-P", "-E", "-t", self.world.commands, "-K", "\t",
                 "-X", "topic.partitioner=murmur2_random", "-X", "enable.idempotence=true",
                 "-X", "message.timeout.ms=600000", "-X", "linger.ms=20", "-X", "allow.auto.create.topics=false",
                 "-H", f"{GENERATION_HEADER}=faults={self.world.acts.generation}"],
                stdin=subprocess.PIPE, stderr=open(self.world.folder / "kcat-commands.log", "ab"), text=True)
        self.kcat.stdin.write("".join(line + "\n" for line in lines))
        self.kcat.stdin.flush()

    def finish(self):
        """Returns when everything is on the topic."""
        if self.kcat is not None:
            self.kcat.stdin.close()
            self.kcat.wait(120)
            self.kcat = None

    def line(self, command):
        """Of a whole-table task the key changes, so that every worker gets some, at the same time too."""
        key = command.get("params", {}).get("user_id") or f"{command['task']}-{self.rng.randrange(24)}"
        return f"{key}\t{json.dumps(command)}"

    def new_id(self, prefix="c"):
        self.serial += 1
        command_id = f"{prefix}-{self.serial}"
        self.sent[command_id] = time.monotonic()
        return command_id

    def last(self, prefix, task):
        """A command that closes the campaign; unlike others it never comes too late to be executed."""
        return self.line({"command_id": self.new_id(prefix), "task": task, "params": {}})

    def with_id(self, task, **params):
        command = {"command_id": self.new_id(), "task": task, "params": params}
        if self.rng.random() < 0.01:
            command["expires_at"] = LONG_AGO
        line = self.line(command)
        self.recent = self.recent[-DUPLICATES_OF_LAST:] + [line]
        return line

    def whole_table_due(self):
        lines = []
        for task, seconds in self.whole_table:
            if time.monotonic() >= self.due[task]:
                self.due[task] = time.monotonic() + seconds
                lines.append(self.with_id(task, dry_run=True) if self.rng.random() < 0.1 else self.with_id(task))
        return lines

    def make(self):
        kinds = [(self.clean_user, 78), (self.without_id, 5), (self.faulty, 5), (self.preview, 5), (self.dry_run, 3)]
        if self.duplicates:
            kinds.append((self.duplicate, 6))
        return self.rng.choices([kind for kind, _ in kinds], [weight for _, weight in kinds])[0]()

    def user(self):
        numbers = self.population.choose(self.rng, self.population.users, 1)
        return harness.user_id(numbers[0] if numbers else 0)

    def hours(self):
        return self.rng.choice(({}, {"inactive_hours": 12}, {"inactive_hours": 36.5}))

    def clean_user(self):
        return self.with_id(PER_USER, user_id=self.user(), **self.hours())

    def without_id(self):
        return self.line({"task": PER_USER, "params": {"user_id": self.user(), **self.hours()}})

    def dry_run(self):
        return self.with_id(PER_USER, user_id=self.user(), dry_run=True)

    def preview(self):
        if self.rng.random() < 0.5:
            return self.with_id("get_expired_bookings_preview", limit=5)
        return self.with_id("get_inactive_sessions_preview", user_id=self.user(), limit=5)

    def duplicate(self):
        return self.rng.choice(self.recent) if self.recent else self.clean_user()

    def faulty(self):
        text = TOO_LONG if self.rng.random() < 1 / ONE_TOO_LONG_IN else self.rng.choice(FAULTY)
        if "%s" in text:
            text = text % self.new_id("faulty")
        return f"faulty\t{text}"

"""Everything the oracle judges, read once from the topics, the ledger and the audit when all is settled."""
import collections
import datetime
import json

import broker
from commands import GENERATION_HEADER
from world import command_id_of, command_of

COUNTS = ("deleted_sessions", "deleted_image_records", "deleted_video_records", "expired_bookings")
RESULT_TYPE = "cleanup.result.v1"  # the topic holds progress of long commands, too
READ_TASKS = ("get_inactive_sessions_preview", "get_expired_bookings_preview")
PARTS = {"sessions": slice(0, 3), "bookings": slice(3, 4)}  # of COUNTS, by the ledger's name of the table
# What a command has there goes with its end.
TABLES_OF_COMMANDS = """
    SELECT table_name FROM information_schema.tables WHERE table_schema = 'cleanup_worker' AND table_name ~ '^ledger_'"""


def generation(headers):
    """Of the commands topic in which the command was that a record's headers come from."""
    return int(headers[GENERATION_HEADER].split("=")[1])


class Evidence:
    """Plain collections; nothing here decides what is right. A source is (generation of the topic, partition, offset)."""

    def __init__(self, world):
        self.acts = world.acts
        self.commands = {(generation(broker.headers(record)), record["partition"], record["offset"]): record
                         for record in self.acts.commands + world.records(world.commands)}
        self.buried = {(record["partition"], record["offset"], record["ts"]): generation(broker.headers(record))
                       for record in self.acts.commands}
        self.results = [Result(record) for record in world.records(world.results)
                        if broker.headers(record).get("ce_type") == RESULT_TYPE]
        letters = self.acts.dead_letters + world.records(world.dead_letters)
        self.dead_letters = [broker.headers(record) for record in letters]
        self.ledger = {row[0]: row for row in world.rows(
            """SELECT command_id, state, source_partition, source_offset, convert_from(result, 'UTF8'), source_topic,
                      source_timestamp_ms
               FROM cleanup_worker.ledger""")}
        self.abandoned = {name for name, row in self.ledger.items()
                          if row[1] == "running" and self._place(row) in self.buried}
        abandoned = list(self.abandoned)
        self.left_over = {table: world.rows(
            f"SELECT count(*) FROM cleanup_worker.{table} WHERE command_id <> ALL (%(abandoned)s)", abandoned=abandoned)[0][0]
            for table, in world.rows(TABLES_OF_COMMANDS)}
        self.unfinished = world.rows(
            "SELECT target, counts FROM cleanup_worker.ledger_range WHERE command_id = ANY (%(abandoned)s)", abandoned=abandoned)
        self.touched = world.rows("SELECT kind, row_id, parent, wrong, actor, txid::text FROM faults.touched ORDER BY seq")
        self.poison = world.rows("SELECT row_id, part, sqlstate, began, ended FROM faults.poison")
        self.committed = {partition: offset for partition, (offset, _) in world.committed().items()}
        self.stable = {topic: world.ends(topic, broker.READ_COMMITTED) for topic in self._topics(world)}
        self.highest = {topic: world.ends(topic, broker.READ_UNCOMMITTED) for topic in self._topics(world)}
        self.by_id = collections.defaultdict(list)
        for result in self.results:
            self.by_id[result.command_id].append(result)

        self.unpublished = {name: self._as_result(row) for name, row in self.ledger.items()
                            if row[1] != "running" and self._place(row) in self.buried and name not in self.by_id}

    @staticmethod
    def _place(row):
        return row[2], row[3], row[6]

    def _as_result(self, row):
        """Of a command whose topic went before its result was published: only the ledger has it."""
        headers = [GENERATION_HEADER, f"faults={self.buried[self._place(row)]}"]
        return Result({"payload": row[4], "headers": headers, "key": row[0], "ts": 0, "partition": None, "offset": None})

    @staticmethod
    def _topics(world):
        return world.commands, world.results, world.dead_letters

    def command_of(self, result):
        """The command at the result's source, as a dict; {} when it is not an object."""
        return command_of(self.commands[result.source]) if result.source in self.commands else {}

    def sent_ids(self):
        """id → sources of the commands that carry it; what is no valid id is none."""
        sent = collections.defaultdict(list)
        for source, record in self.commands.items():
            if command_id := command_id_of(record):
                sent[command_id].append(source)
        return sent

    def is_buried(self, source):
        return source[0] < self.acts.generation

    def lost_with_their_topic(self):
        """Commands with an id that were never executed, and could not be any more."""
        known = set(self.ledger) | set(self.by_id)
        return {name for name, sources in self.sent_ids().items() if name not in known and all(map(self.is_buried, sources))}

    @staticmethod
    def letter_source(letter):
        return generation(letter), int(letter["__dlq.errors.partition"]), int(letter["__dlq.errors.offset"])

    def counts_unfinished(self):
        """What commands did that went with their topic and so have no result."""
        done = collections.Counter()
        for target, counts in self.unfinished:
            done.update(dict(zip(COUNTS[PARTS[target]], counts)))
        return done

    def changes_rows(self, result):
        command = self.command_of(result)
        dry_run = (command.get("params") or {}).get("dry_run", False)
        return result.data is not None and not dry_run and result.task not in READ_TASKS


class Result:
    """One record of the results topic."""

    def __init__(self, record):
        value = json.loads(record["payload"])
        self.bytes = record["payload"]
        self.publisher = broker.headers(record).get("ce_source")
        self.key = record["key"]
        self.published_ms = record["ts"]
        self.place = (record["partition"], record["offset"])
        self.command_id, self.task, self.status = value["command_id"], value["task"], value["status"]
        self.data, self.message = value["data"], value["message"]
        self.source = (generation(broker.headers(record)), value["source"]["partition"], value["source"]["offset"])
        self.started_at, self.finished_at = (value[name] and datetime.datetime.fromisoformat(value[name])
                                             for name in ("started_at", "finished_at"))

    def __str__(self):
        at = datetime.datetime.fromtimestamp(self.published_ms / 1000, datetime.timezone.utc)
        return f"at {self.place} of {self.source} published {at:%H:%M:%S.%f} by {self.publisher}"

    def halves(self):
        """The objects that hold counts: of scheduled_cleanup both halves, else the data itself."""
        if self.data is None:
            return []
        return [self.data[name] for name in ("session_cleanup", "booking_expiration") if name in self.data] or [self.data]

    def counts(self):
        return [sum(half.get(name, 0) for half in self.halves()) for name in COUNTS]

    def booking_ids(self):
        return [booking for half in self.halves() for booking in half.get("expired_booking_ids", [])]

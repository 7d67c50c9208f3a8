"""Everything the oracle judges, read once from the topics, the ledger and the audit when all is settled."""
import collections
import datetime
import json
import re

import broker

COUNTS = ("deleted_sessions", "deleted_image_records", "deleted_video_records", "expired_bookings")
VALID_ID = re.compile("[A-Za-z0-9._:-]{1,64}")
RESULT_TYPE = "cleanup.result.v1"  # the topic holds progress of long commands, too
READ_TASKS = ("get_inactive_sessions_preview", "get_expired_bookings_preview")


class Evidence:
    """Plain collections; nothing here decides what is right."""

    def __init__(self, world):
        self.commands = {(record["partition"], record["offset"]): record for record in world.records(world.commands)}
        self.results = [Result(record) for record in world.records(world.results)
                        if broker.headers(record).get("ce_type") == RESULT_TYPE]
        self.dead_letters = [broker.headers(record) for record in world.records(world.dead_letters)]
        self.ledger = {row[0]: row for row in world.rows(
            """SELECT command_id, state, source_partition, source_offset, convert_from(result, 'UTF8'), source_topic
               FROM cleanup_worker.ledger""")}
        self.left_over = dict(world.rows(
            """SELECT 'ledger_range', count(*) FROM cleanup_worker.ledger_range UNION ALL
               SELECT 'ledger_skipped', count(*) FROM cleanup_worker.ledger_skipped UNION ALL
               SELECT 'ledger_skip_reason', count(*) FROM cleanup_worker.ledger_skip_reason UNION ALL
               SELECT 'ledger_listed_id', count(*) FROM cleanup_worker.ledger_listed_id"""))
        self.touched = world.rows("SELECT kind, row_id, parent, wrong, actor FROM faults.touched ORDER BY seq")
        self.committed = {partition: offset for partition, (offset, _) in world.committed().items()}
        self.stable = {topic: world.ends(topic, broker.READ_COMMITTED) for topic in self._topics(world)}
        self.highest = {topic: world.ends(topic, broker.READ_UNCOMMITTED) for topic in self._topics(world)}
        self.by_id = collections.defaultdict(list)
        for result in self.results:
            self.by_id[result.command_id].append(result)

    @staticmethod
    def _topics(world):
        return world.commands, world.results, world.dead_letters

    def command_of(self, result):
        """The command at the result's source, as a dict; {} when it is not an object."""
        try:
            command = json.loads(self.commands[result.source]["payload"])
        except (KeyError, TypeError, ValueError):
            return {}
        return command if isinstance(command, dict) else {}

    def sent_ids(self):
        """id → sources of the commands that carry it; what is no valid id is none."""
        sent = collections.defaultdict(list)
        for source, record in self.commands.items():
            try:
                command = json.loads(record["payload"])
            except (TypeError, ValueError):
                continue
            if isinstance(command, dict) and VALID_ID.fullmatch(command.get("command_id") or ""):
                sent[command["command_id"]].append(source)
        return sent

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
        self.source = (value["source"]["partition"], value["source"]["offset"])

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

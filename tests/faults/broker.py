"""What the harness reads from and writes to Kafka, without a line of the product's code: kcat, and seven requests by hand.

The requests kcat does not have are a group's committed offsets (OffsetFetch, OffsetCommit), a partition's end as readers
of either isolation level see it (ListOffsets), what is done to a topic (CreateTopics, DeleteTopics) and its settings
(IncrementalAlterConfigs), and that a broker is gone (UnregisterBroker).
"""
import contextlib
import json
import re
import socket
import struct

import harness

OFFSET_FETCH, LIST_OFFSETS, INCREMENTAL_ALTER_CONFIGS, UNREGISTER_BROKER = 9, 2, 44, 64
OFFSET_COMMIT, CREATE_TOPICS, DELETE_TOPICS = 8, 19, 20
TIMEOUT_MS = 20000
PARTITIONS = 6
TOPIC, SET = 2, 0  # a type of resource, and what to do with its setting
NO_TAGS = b"\0"
READ_UNCOMMITTED, READ_COMMITTED = 0, 1


def kcat(bootstrap, *arguments):
    done = harness.run(["kcat", "-b", bootstrap, "-q", *arguments], timeout=300)
    harness.check(done.returncode == 0, f"kcat {arguments}: {done.stderr}")
    return done.stdout


def create_topic(bootstrap, topic):
    """The metadata follow a moment later."""
    body = struct.pack("!i", 1) + _text(topic) + struct.pack("!ihiii?", PARTITIONS, 1, 0, 0, TIMEOUT_MS, False)
    answer = _Answer(_ask(bootstrap, CREATE_TOPICS, 2, body))
    answer.take("i")  # throttle time
    answer.take("i")
    answer.text()
    error = answer.take("h")
    harness.check(error == 0, f"creating {topic}: Kafka's error {error}")
    harness.wait_until(lambda: re.search(rf'"{topic}" with [1-9]', kcat(bootstrap, "-L", "-t", topic)), f"topic {topic}")


def records(bootstrap, topic):
    """Every record that a read_committed consumer sees, as kcat's JSON."""
    lines = kcat(bootstrap, "-C", "-e", "-J", "-t", topic, "-o", "beginning", "-X", "isolation.level=read_committed",
                 "-X", "check.crcs=true")
    return [json.loads(line) for line in lines.splitlines()]


def headers(record):
    names = record.get("headers") or []
    return dict(zip(names[::2], names[1::2]))


def partitions(bootstrap, topic):
    return range(int(re.search(rf'"{topic}" with (\d+)', kcat(bootstrap, "-L", "-t", topic)).group(1)))


def _text(value):
    data = value.encode()
    return struct.pack("!h", len(data)) + data


def _ask(bootstrap, api_key, version, body):
    """One request; returns what follows the correlation id of the answer."""
    host, port = bootstrap.split(":")
    head = struct.pack("!hhi", api_key, version, 1) + _text("faults")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        with contextlib.closing(connection.makefile("rb")) as answers:
            connection.sendall(struct.pack("!i", len(head + body)) + head + body)
            (size,) = struct.unpack("!i", answers.read(4))
            return answers.read(size)[4:]


def _topic_partitions(topic, parts):
    return struct.pack("!i", 1) + _text(topic) + struct.pack("!i", len(parts)) + b"".join(parts)


class _Answer:
    """Reads the fields of an answer one after the other."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, layout):
        values = struct.unpack_from("!" + layout, self.data, self.at)
        self.at += struct.calcsize("!" + layout)
        return values[0]

    def text(self):
        length = max(self.take("h"), 0)
        self.at += length
        return self.data[self.at - length:self.at].decode()


def _committed_now(bootstrap, group, topic):
    parts = [struct.pack("!i", partition) for partition in partitions(bootstrap, topic)]
    answer = _Answer(_ask(bootstrap, OFFSET_FETCH, 1, _text(group) + _topic_partitions(topic, parts)))
    answer.take("i")
    answer.text()
    found = {}
    for _ in range(answer.take("i")):
        partition, offset, metadata, error = answer.take("i"), answer.take("q"), answer.text(), answer.take("h")
        if error != 0:  # the group's coordinator is not there yet, or no more
            return None
        found[partition] = (offset, metadata)
    return found


def committed(bootstrap, group, topic):
    """partition → (offset, metadata); -1 is none."""
    return harness.wait_until(lambda: _committed_now(bootstrap, group, topic), f"committed offsets of {group}")


def ends(bootstrap, topic, isolation=READ_COMMITTED):
    """partition → last stable offset (READ_COMMITTED) or high watermark (READ_UNCOMMITTED)."""
    parts = [struct.pack("!iq", partition, -1) for partition in partitions(bootstrap, topic)]
    body = struct.pack("!ib", -1, isolation) + _topic_partitions(topic, parts)
    answer = _Answer(_ask(bootstrap, LIST_OFFSETS, 2, body))
    answer.take("i")  # throttle time
    answer.take("i")
    answer.text()
    found = {}
    for _ in range(answer.take("i")):
        partition, error, _, offset = answer.take("i"), answer.take("h"), answer.take("q"), answer.take("q")
        harness.check(error == 0, f"end of {topic}/{partition}: Kafka's error {error}")
        found[partition] = offset
    return found


def limit_records(bootstrap, topic, max_bytes):
    """No batch of records for the topic may be larger from now on."""
    setting = _text("max.message.bytes") + struct.pack("!b", SET) + _text(str(max_bytes))
    resource = struct.pack("!b", TOPIC) + _text(topic) + struct.pack("!i", 1) + setting
    body = struct.pack("!i", 1) + resource + struct.pack("!b", False)
    answer = _Answer(_ask(bootstrap, INCREMENTAL_ALTER_CONFIGS, 0, body))
    answer.take("i")  # throttle time
    answer.take("i")
    error, text = answer.take("h"), answer.text()
    harness.check(error == 0, f"max.message.bytes of {topic}: Kafka's error {error} {text}")


def delete_topic(bootstrap, topic):
    body = struct.pack("!i", 1) + _text(topic) + struct.pack("!i", TIMEOUT_MS)
    answer = _Answer(_ask(bootstrap, DELETE_TOPICS, 1, body))
    answer.take("i")  # throttle time
    answer.take("i")
    answer.text()
    error = answer.take("h")
    harness.check(error == 0, f"deleting {topic}: Kafka's error {error}")


def _commit_now(bootstrap, group, topic, partition, offset):
    part = struct.pack("!iq", partition, offset) + _text("")
    body = _text(group) + struct.pack("!i", -1) + _text("") + struct.pack("!q", -1) + _topic_partitions(topic, [part])
    answer = _Answer(_ask(bootstrap, OFFSET_COMMIT, 2, body))
    answer.take("i")
    answer.text()
    answer.take("i")
    answer.take("i")
    return answer.take("h") == 0


def commit_offset(bootstrap, group, topic, partition, offset):
    """As an administrator does, who is refused while the group has members."""
    harness.wait_until(lambda: _commit_now(bootstrap, group, topic, partition, offset), f"an offset of {group}")


def unregister(controller, node_id):
    """Tells the controller that a broker is gone; it registers again when it starts."""
    answer = _Answer(_ask(controller, UNREGISTER_BROKER, 0, NO_TAGS + struct.pack("!i", node_id) + NO_TAGS))
    answer.take("b")  # no tags
    answer.take("i")  # throttle time
    error = answer.take("h")
    harness.check(error == 0, f"unregistering broker {node_id}: Kafka's error {error}")

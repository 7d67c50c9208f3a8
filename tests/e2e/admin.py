"""What an administrator does to topics and groups: requests by hand, because kcat has none of them."""
import socket
import struct
import time

from harness import BOOTSTRAP, check, wait_until

OFFSET_COMMIT, CREATE_TOPICS, DELETE_TOPICS, INCREMENTAL_ALTER_CONFIGS = 8, 19, 20, 44
TOPIC, SET = 2, 0  # a type of resource, and what to do with its setting
UNKNOWN_TOPIC, ALREADY_EXISTS, NON_EMPTY_GROUP = 3, 36, 25
TIMEOUT_MS = 10000


def _text(value):
    data = value.encode()
    return struct.pack("!h", len(data)) + data


def _ask(api_key, version, body):
    """One request; returns what follows the correlation id of the answer."""
    host, port = BOOTSTRAP.split(",")[0].split(":")
    head = struct.pack("!hhi", api_key, version, 1) + _text("e2e")
    with socket.create_connection((host, int(port)), timeout=20) as connection, connection.makefile("rb") as answers:
        connection.sendall(struct.pack("!i", len(head + body)) + head + body)
        (size,) = struct.unpack("!i", answers.read(4))
        return answers.read(size)[4:]


def delete_topic(topic):
    answer = _ask(DELETE_TOPICS, 1, struct.pack("!i", 1) + _text(topic) + struct.pack("!i", TIMEOUT_MS))
    (code,) = struct.unpack("!h", answer[-2:])
    check(code in (0, UNKNOWN_TOPIC), f"topic {topic} was not deleted: error {code}")


def create_topic(topic, partitions=6, **configs):
    def created():
        settings = b"".join(_text(name.replace("_", ".")) + _text(str(value)) for name, value in configs.items())
        body = (struct.pack("!i", 1) + _text(topic) + struct.pack("!ihi", partitions, 1, 0) +
                struct.pack("!i", len(configs)) + settings + struct.pack("!i?", TIMEOUT_MS, False))
        answer = _ask(CREATE_TOPICS, 2, body)
        (code,) = struct.unpack_from("!h", answer, 4 + 4 + 2 + len(topic))
        return code in (0, ALREADY_EXISTS)
    wait_until(created, f"topic {topic}")


def set_topic_config(topic, name, value):
    body = (struct.pack("!ib", 1, TOPIC) + _text(topic) + struct.pack("!i", 1) + _text(name) + struct.pack("!b", SET) +
            _text(str(value)) + struct.pack("!?", False))
    answer = _ask(INCREMENTAL_ALTER_CONFIGS, 0, body)
    (code,) = struct.unpack_from("!h", answer, 8)
    check(code == 0, f"setting {name} of {topic}: error {code}")


def commit_offset(group, topic, partition, offset):
    """As kafka-consumer-groups --reset-offsets does, once nobody is in the group."""
    def committed():
        body = (_text(group) + struct.pack("!i", -1) + _text("") + struct.pack("!q", -1) + struct.pack("!i", 1) +
                _text(topic) + struct.pack("!iiq", 1, partition, offset) + _text(""))
        (code,) = struct.unpack("!h", _ask(OFFSET_COMMIT, 2, body)[-2:])
        return code == 0
    time.sleep(0.1)
    wait_until(committed, f"the offset of {topic}")

"""Owns what goes to Kafka before a run: topics of the run's own, and commands on them."""
import json
import time

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from dataset import user_id

PARTITIONS = 6
STRIDE = 7919  # a prime: users are asked for in an order that has nothing to do with how they were inserted

PER_USER = "cleanup_inactive_sessions_for_user"
WHOLE_TABLE = "cleanup_inactive_sessions"

ERRORS_ONLY = 3  # of what librdkafka logs
# Small batches cost the broker more than the producer; linger lets them fill.
PRODUCER = {"acks": "all", "enable.idempotence": True, "partitioner": "murmur2_random", "linger.ms": 20,
            "queue.buffering.max.messages": 1000000, "log_level": ERRORS_ONLY}


def user_commands(count, users):
    """(key, value) of per-user commands; beyond `users` the same users come again under new ids."""
    for n in range(count):
        user = user_id(1 + n * STRIDE % users)
        yield user, json.dumps({"command_id": f"bench-{n}", "task": PER_USER, "params": {"user_id": user}})


def whole_table_commands(count):
    for n in range(count):
        yield WHOLE_TABLE, json.dumps({"command_id": f"whole-{n}", "task": WHOLE_TABLE})


def unknown_user_command(name):
    """A command that finds nothing: its result says that the worker is at work."""
    user = user_id(f"nobody {name}")
    return user, json.dumps({"command_id": name, "task": PER_USER, "params": {"user_id": user}})


def _open_admin(bootstrap):
    return AdminClient({"bootstrap.servers": bootstrap, "log_level": ERRORS_ONLY})


def _is_known(admin, name, partitions):
    found = admin.list_topics(name, 30).topics[name].partitions
    return len(found) == partitions and all(partition.leader >= 0 for partition in found.values())


def create_topics(bootstrap, names, partitions=PARTITIONS):
    """Returns when the broker knows them, which is a moment after it has created them."""
    admin = _open_admin(bootstrap)
    for future in admin.create_topics([NewTopic(name, partitions, 1) for name in names]).values():
        future.result()
    until = time.monotonic() + 30
    while not all(_is_known(admin, name, partitions) for name in names):
        if time.monotonic() > until:
            raise RuntimeError(f"topics {names} have no leaders")
        time.sleep(0.02)


def wait_for_members(bootstrap, group, count):
    """Until so many consumers share the group's partitions and nothing moves any more."""
    admin = _open_admin(bootstrap)
    until = time.monotonic() + 60
    while True:
        found = admin.list_groups(group, 30)
        if found and found[0].state == "Stable" and len(found[0].members) == count:
            return
        if time.monotonic() > until:
            raise RuntimeError(f"group {group} did not come to {count} members")
        time.sleep(0.1)


def delete_topics(bootstrap, names):
    admin = _open_admin(bootstrap)
    for future in admin.delete_topics(list(names)).values():
        future.result()


def _send_all(producer, topic, commands):
    for key, value in commands:
        while True:
            try:
                producer.produce(topic, value, key)
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)


def produce(bootstrap, topic, commands):
    producer = Producer({"bootstrap.servers": bootstrap, **PRODUCER})
    _send_all(producer, topic, commands)
    if producer.flush(120) > 0:
        raise RuntimeError("commands could not be delivered")


class AtOnce:
    """Commands that become visible together, when their transaction ends."""

    def __init__(self, bootstrap, topic):
        self.topic = topic
        self.producer = Producer({"bootstrap.servers": bootstrap, **PRODUCER, "transactional.id": f"at-once-{topic}"})
        self.producer.init_transactions(30)

    def prepare(self, commands):
        self.producer.begin_transaction()
        _send_all(self.producer, self.topic, commands)
        self.producer.flush(60)

    def release(self):
        self.producer.commit_transaction(30)

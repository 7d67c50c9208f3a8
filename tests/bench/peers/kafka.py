"""What both Python workers share of Kafka: a consumer, a producer, a command in, a result out."""
import json
import os
import signal

from confluent_kafka import Consumer, Producer

COMMANDS = os.environ["CLEANUP_TOPICS_COMMANDS"]
RESULTS = os.environ["CLEANUP_TOPICS_RESULTS"]
DSN = os.environ["CLEANUP_POSTGRES_DSN"]
_BOOTSTRAP = os.environ["CLEANUP_KAFKA_BOOTSTRAP_SERVERS"]

_stopping = []


def stopping():
    return bool(_stopping)


def open_clients(**consumer_settings):
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: _stopping.append(True))
    consumer = Consumer({"bootstrap.servers": _BOOTSTRAP, "group.id": os.environ["CLEANUP_KAFKA_GROUP_ID"],
                         "auto.offset.reset": "earliest", **consumer_settings})
    consumer.subscribe([COMMANDS])
    producer = Producer({"bootstrap.servers": _BOOTSTRAP, "acks": "all", "enable.idempotence": True,
                         "queue.buffering.max.messages": 1000000})
    return consumer, producer


def read_command(message):
    """(command id, user id, inactive hours)"""
    command = json.loads(message.value())
    params = command["params"]
    return command["command_id"], params["user_id"], params.get("inactive_hours", 24)


def write_result(command_id, user, counts):
    sessions, images, videos = counts
    return json.dumps({"command_id": command_id, "task": "cleanup_inactive_sessions_for_user", "status": "succeeded",
                       "success": True, "message": f"Successfully cleaned up {sessions} inactive sessions for user {user}",
                       "data": {"deleted_sessions": sessions, "deleted_image_records": images,
                                "deleted_video_records": videos, "user_id": user}})

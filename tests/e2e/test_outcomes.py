"""One bad thing stops only itself: outcomes that cannot be written, and topics that are not what they were."""
import functools
import json
import time

import admin
from harness import World, check, check_equal, kcat, wait_until
from test_exactly_once import assigned, produce_to_partition, results_seen
from test_pool import SOON_MISSED

PREVIEW = "get_inactive_sessions_preview"
SET_ASIDE = "an outcome cannot be written"
TOPIC_OUT = "a topic takes no records"
SMALL_BYTES = 20000
USUAL_BYTES = 1048588


def harmless(name):
    return {"command_id": name, "task": "expire_pending_bookings"}


def in_both_deliveries(test):
    """Two tests of one function."""
    return [functools.partial(test, delivery) for delivery in ("exactly_once", "at_least_once")]


def start(world, delivery, *more):
    return world.start_worker("w", "-o", f"worker.delivery={delivery}", *SOON_MISSED, *more)



def wait_for_results(world, names, seconds=60):
    wait_until(lambda: set(names) <= set(results_seen(world)), f"results of {names}", seconds)


def once_each(world, delivery, names):
    if delivery == "exactly_once":
        check_equal({name: results_seen(world)[name] for name in names}, {name: 1 for name in names}, "results")


def _dead_letter_topic_is_deleted(delivery):
    with World() as world:
        worker = start(world, delivery)
        world.send("expire_pending_bookings", "--id", "first")
        wait_for_results(world, ["first"])
        admin.delete_topic(world.dead)
        kcat("-P", "-t", world.commands, "-p", "0", stdin="{\n")
        wait_until(lambda: TOPIC_OUT in worker.log() or SET_ASIDE in worker.log(), "the word about the dead letters")
        produce_to_partition(world, 1, [harmless("other-partition")])
        produce_to_partition(world, 0, [harmless("same-partition")])
        wait_for_results(world, ["other-partition", "same-partition"], 30)
        admin.create_topic(world.dead)
        wait_until(lambda: len(world.dead_letters()) >= 1, "the dead letter, once its topic is back", 90)
        produce_to_partition(world, 1, [harmless("last")])
        wait_for_results(world, ["last"])
        check(world.dead in [line for line in worker.log().splitlines() if TOPIC_OUT in line][0], "the topic is named")
        once_each(world, delivery, ["first", "other-partition", "same-partition", "last"])
        if delivery == "exactly_once":
            check_equal(len(world.dead_letters()), 1, "dead letters")


def _results_topic_is_deleted(delivery):
    with World() as world:
        worker = start(world, delivery)
        world.send("expire_pending_bookings", "--id", "first")
        wait_for_results(world, ["first"])
        admin.delete_topic(world.results_topic)
        names = [f"c-{number}" for number in range(50)]
        for partition in range(3):
            produce_to_partition(world, partition, [harmless(name) for name in names[partition::3]])
        wait_until(lambda: TOPIC_OUT in worker.log(), "the word about the results")
        time.sleep(2)
        check(worker.log().count("level=warn") < 20, f"the log is flooded:\n{worker.log()[-3000:]}")
        admin.create_topic(world.results_topic)
        wait_for_results(world, names, 90)
        once_each(world, delivery, names)


def _result_is_too_large_for_its_topic(delivery):
    with World() as world:
        world.add_users(1, 300)
        worker = start(world, delivery)
        wait_until(lambda: assigned(worker), "the worker's partitions")
        admin.set_topic_config(world.results_topic, "max.message.bytes", SMALL_BYTES)
        produce_to_partition(world, 0, [{"command_id": "large", "task": PREVIEW, "params": {"limit": 300}}])
        produce_to_partition(world, 0, [harmless(f"same-{number}") for number in range(20)])
        produce_to_partition(world, 1, [harmless(f"other-{number}") for number in range(20)])
        others = [f"{kind}-{number}" for kind in ("same", "other") for number in range(20)]
        wait_for_results(world, others, 60)
        wait_until(lambda: SET_ASIDE in worker.log(), "the word about the result")
        line = [line for line in worker.log().splitlines() if SET_ASIDE in line][0]
        for part in ("command_id=large", f"topic={world.results_topic}", "partition=0", "code=message_too_large"):
            check(part in line, f"{part} in {line}")
        check("large" not in results_seen(world), "the result was written")
        admin.set_topic_config(world.results_topic, "max.message.bytes", USUAL_BYTES)
        wait_for_results(world, ["large"], 90)
        once_each(world, delivery, [*others, "large"])


def _sigterm_leaves_what_is_set_aside_to_the_next_owner(delivery):
    with World() as world:
        world.add_users(1, 300)
        worker = start(world, delivery)
        wait_until(lambda: assigned(worker), "the worker's partitions")
        admin.set_topic_config(world.results_topic, "max.message.bytes", SMALL_BYTES)
        produce_to_partition(world, 0, [{"command_id": "large", "task": PREVIEW, "params": {"limit": 300}}])
        wait_until(lambda: SET_ASIDE in worker.log(), "the word about the result")
        produce_to_partition(world, 0, [harmless("behind")])
        wait_for_results(world, ["behind"])
        began = time.monotonic()
        check_equal(worker.terminate(), 0, "exit code")
        check(time.monotonic() - began < 25, "SIGTERM waited for what was set aside")
        admin.set_topic_config(world.results_topic, "max.message.bytes", USUAL_BYTES)
        start(world, delivery)
        wait_for_results(world, ["large"], 60)
        once_each(world, delivery, ["behind", "large"])


def _huge_trace_header_is_dropped(delivery):
    with World() as world:
        start(world, delivery)
        kcat("-P", "-t", world.commands, "-p", "0", "-H", "tracestate=" + "a" * 100000, "-H", "traceparent=00-a-b-01",
             stdin=json.dumps(harmless("traced")))
        kcat("-P", "-t", world.commands, "-p", "1", "-H", "tracestate=" + "a" * 100000, stdin="{")
        wait_for_results(world, ["traced"])
        wait_until(lambda: world.dead_letters(), "the dead letter")
        record = next(record for record in world._records(world.results_topic) if record["key"] == "traced")
        headers = dict(zip(record["headers"][::2], record["headers"][1::2]))
        check_equal((headers.get("traceparent"), headers.get("tracestate"), headers.get("cleanup-headers-dropped")),
                    ("00-a-b-01", None, "tracestate"), "headers")


def _committed_offset_beyond_the_end_is_followed(delivery):
    with World() as world:
        worker = start(world, delivery)
        produce_to_partition(world, 0, [harmless("before")])
        wait_for_results(world, ["before"])
        check_equal(worker.terminate(), 0, "exit code")
        admin.commit_offset(world.name, world.commands, 0, 1000)
        again = start(world, delivery)
        produce_to_partition(world, 0, [harmless("after")])
        wait_for_results(world, ["after"])
        check("old_offset=1000 offset=0" in again.log(), f"the word about the position:\n{again.log()[-2000:]}")
        produce_to_partition(world, 0, [harmless("last")])
        wait_for_results(world, ["last"])
        check_equal(again.terminate(), 0, "exit code")
        third = start(world, delivery)
        produce_to_partition(world, 0, [harmless("third")])
        wait_for_results(world, ["third"])
        check_equal(third.log().count("old_offset="), 1, "positions set back, in the log of all three")
        once_each(world, delivery, ["after", "last", "third"])


def _topic_made_anew_is_read_from_its_beginning(delivery):
    with World() as world:
        worker = start(world, delivery)
        produce_to_partition(world, 0, [harmless(f"old-{number}") for number in range(30)])
        wait_for_results(world, [f"old-{number}" for number in range(30)])
        admin.delete_topic(world.commands)
        admin.create_topic(world.commands)
        names = [f"new-{number}" for number in range(5)]
        wait_until(lambda: _produced(world, names), "the new topic")
        wait_for_results(world, names, 90)
        once_each(world, delivery, names)
        check(worker.is_running(), "the worker goes on")


def _produced(world, names):
    try:
        produce_to_partition(world, 0, [harmless(name) for name in names])
    except AssertionError:
        return False
    return True


test_dead_letter_topic_deleted_eo, test_dead_letter_topic_deleted_alo = in_both_deliveries(_dead_letter_topic_is_deleted)
test_results_topic_deleted_eo, test_results_topic_deleted_alo = in_both_deliveries(_results_topic_is_deleted)
test_result_too_large_eo, test_result_too_large_alo = in_both_deliveries(_result_is_too_large_for_its_topic)
test_sigterm_with_set_aside_eo, test_sigterm_with_set_aside_alo = in_both_deliveries(
    _sigterm_leaves_what_is_set_aside_to_the_next_owner)
test_huge_trace_header_eo, test_huge_trace_header_alo = in_both_deliveries(_huge_trace_header_is_dropped)
test_committed_beyond_the_end_eo, test_committed_beyond_the_end_alo = in_both_deliveries(
    _committed_offset_beyond_the_end_is_followed)
test_topic_made_anew_eo, test_topic_made_anew_alo = in_both_deliveries(_topic_made_anew_is_read_from_its_beginning)

"""The commands topic is deleted under workers and made anew: they go on with the new one, without a restart."""
import signal

import admin
from harness import World, check, check_equal, kcat, wait_until
from test_exactly_once import assigned, produce_to_partition, results_seen
from test_outcomes import harmless, in_both_deliveries, once_each, wait_for_results
from test_pool import SOON_MISSED

PARTITIONS = 6
REVOKED = "partitions revoked"
AWAY = "the commands topic is away"
THREE_EACH = 3  # more than were in the topic before: its old offsets lie within the new one


def start_two(world, delivery):
    workers = [world.start_worker(name, "-o", f"worker.delivery={delivery}", *SOON_MISSED) for name in ("w1", "w2")]
    wait_until(lambda: all(assigned(worker) for worker in workers), "partitions of both workers")
    return workers


def produce_to_all(world, name, each=1):
    """Returns the ids."""
    ids = {partition: [f"{name}-{partition}-{number}" for number in range(each)] for partition in range(PARTITIONS)}
    for partition, names in ids.items():
        produce_to_partition(world, partition, [harmless(command_id) for command_id in names])
    return [command_id for names in ids.values() for command_id in names]


def make_anew(world):
    admin.create_topic(world.commands, PARTITIONS)
    wait_until(lambda: f'"{world.commands}" with {PARTITIONS}' in kcat("-L", "-t", world.commands), "the new topic")


def _topic_goes_and_comes_back(delivery):
    with World() as world:
        workers = start_two(world, delivery)
        wait_for_results(world, produce_to_all(world, "old"))
        admin.delete_topic(world.commands)
        wait_until(lambda: all(AWAY in worker.log() for worker in workers), "the word about the topic")
        line = next(line for line in workers[0].log().splitlines() if AWAY in line)
        check(f"topic={world.commands}" in line and "level=warn" in line, f"the topic's name in {line}")
        make_anew(world)
        names = produce_to_all(world, "new", THREE_EACH)
        wait_for_results(world, names, 90)
        once_each(world, delivery, names)
        check_equal([worker.log().count(AWAY) for worker in workers], [1, 1], "words about the topic")


def _topic_is_away_while_the_group_rebalances(delivery):
    """Its leader then assigns nothing, which librdkafka does not mend when the topic is back."""
    with World() as world:
        stays, stops = start_two(world, delivery)
        stops.process.send_signal(signal.SIGSTOP)
        revoked = stays.log().count(REVOKED)
        joins = world.start_worker("w3", "-o", f"worker.delivery={delivery}", *SOON_MISSED)
        wait_until(lambda: stays.log().count(REVOKED) > revoked, "the rebalance, which waits for the one that stands still")
        admin.delete_topic(world.commands)
        wait_until(lambda: "partitions=0" in joins.log() and "partitions=0" in stays.log(), "an assignment of nothing")
        stops.crash()
        make_anew(world)
        names = produce_to_all(world, "new")
        wait_for_results(world, names, 90)
        once_each(world, delivery, names)


test_topic_goes_and_comes_back_eo, test_topic_goes_and_comes_back_alo = in_both_deliveries(_topic_goes_and_comes_back)
test_topic_away_in_rebalance_eo, test_topic_away_in_rebalance_alo = in_both_deliveries(
    _topic_is_away_while_the_group_rebalances)

"""Several workers, shutdown and crash: counts add up and no result is missing."""
from harness import World, check, check_equal, user_id, wait_until

# A member that has gone without a word is missed after its session timeout; the default of 45 s is long for a test.
SOON_MISSED = ("-X", "session.timeout.ms=6000", "-X", "heartbeat.interval.ms=1000")


def per_user_commands(first, count):
    return [{"command_id": f"user-{n}", "task": "cleanup_inactive_sessions_for_user", "params": {"user_id": user_id(n)}}
            for n in range(first, first + count)]


def check_sums(world, results, sessions):
    """The sums over the result stream are what has gone."""
    sums = [sum(result["data"][name] for result in results.values())
            for name in ("deleted_sessions", "deleted_image_records", "deleted_video_records")]
    check_equal({result["status"] for result in results.values()}, {"succeeded"}, "statuses")
    check_equal(sums, [sessions, 2 * sessions, sessions], "sums over the results")


def test_thousand_commands_over_two_workers_add_up():
    with World() as world:
        world.add_users(1, 700)
        world.add_users(701, 300, last_word_hours=1)
        world.start_worker("w1")
        world.start_worker("w2")
        world.produce(per_user_commands(1, 1000))
        results = world.wait_for_ids(f"user-{n}" for n in range(1, 1001))
        check_equal(len(results), 1000, "results")
        check_sums(world, results, 700)
        check_equal(world.counts()[:3], (300, 600, 300), "rows of the active users")
        active = sum(results[f"user-{n}"]["data"]["deleted_sessions"] for n in range(701, 1001))
        check_equal(active, 0, "sessions of active users that went")


def produce_slowly_executed(world, count):
    """Starts a worker that takes one command a transaction, and waits until it is in the middle of them."""
    world.add_users(1, count)
    world.produce(per_user_commands(1, count))
    worker = world.start_worker("first", "-o", "worker.set_commands=1", "-o", "worker.executors=1", *SOON_MISSED)
    wait_until(lambda: count - world.counts()[0] > 20, "the first commands")
    return worker


def finish_with_a_second_worker(world, count):
    left = world.counts()[0]
    check(left > 0, "nothing is left to do: the worker was not stopped in the middle")
    world.start_worker("second", *SOON_MISSED)
    results = world.wait_for_ids(f"user-{n}" for n in range(1, count + 1))
    check_equal(len(results), count, "results")
    check_sums(world, results, count)
    check_equal(world.counts()[:3], (0, 0, 0), "rows")


def test_sigterm_in_the_middle_loses_nothing():
    with World() as world:
        worker = produce_slowly_executed(world, 3000)
        check_equal(worker.terminate(), 0, "exit code after SIGTERM")
        finish_with_a_second_worker(world, 3000)


def test_kill_in_the_middle_loses_nothing():
    with World() as world:
        worker = produce_slowly_executed(world, 3000)
        worker.crash()
        finish_with_a_second_worker(world, 3000)


def test_long_command_goes_on_after_sigterm():
    with World() as world:
        world.add_users(1, 2000)
        world.send("cleanup_inactive_sessions", "--id", "long")
        worker = world.start_worker("first", "-o", "worker.batch_sessions=10", "-o", "worker.executors=1", *SOON_MISSED)
        wait_until(lambda: world.counts()[0] < 1950, "the first batches")
        check_equal(worker.terminate(), 0, "exit code after SIGTERM")
        world.start_worker("second", *SOON_MISSED)
        result = world.wait_for_ids(["long"])["long"]
        check_equal((result["status"], result["data"]["deleted_sessions"]), ("succeeded", 2000), "status and sessions")
        check_equal(world.counts()[:3], (0, 0, 0), "rows")

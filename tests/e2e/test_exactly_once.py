"""Exactly once, where it takes a real broker: takeovers, one id used twice, ids that come back, databases that fail."""
import collections
import json
import re
import subprocess

from harness import World, check, check_equal, kcat, user_id, wait_until
from test_pool import SOON_MISSED, check_sums, per_user_commands

AHEAD = 40


class LockedUser:
    """The application in the middle of something: holds the row of one user until it is released."""

    def __init__(self, world, number):
        self.process = subprocess.Popen(["psql", "-X", "-q", "-d", world.dsn], stdin=subprocess.PIPE, text=True,
                                        stdout=subprocess.DEVNULL)
        self.process.stdin.write(f"BEGIN; SELECT FROM users WHERE user_id = '{user_id(number)}' FOR UPDATE;\n")
        self.process.stdin.flush()
        wait_until(lambda: world.number("SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' "
                                        f"AND datname = '{world.name}'"), "the lock")

    def release(self):
        self.process.communicate("COMMIT;\n", timeout=30)


def produce_to_partition(world, partition, commands):
    lines = "".join(json.dumps(command) + "\n" for command in commands)
    kcat("-P", "-t", world.commands, "-p", str(partition), stdin=lines)


def results_seen(world):
    """How often each id is on the results topic for a read_committed consumer, which kcat is."""
    return collections.Counter(key for key, _ in world.published())


def run_into_a_lock(world, first):
    """One partition: a long command that cannot end while a user is locked, and commands behind it that can."""
    world.add_users(1, AHEAD + 1)
    locked = LockedUser(world, 1)
    produce_to_partition(world, 0, [{"command_id": "long", "task": "cleanup_inactive_sessions"}])
    worker = world.start_worker(first, "-o", "worker.lock_wait=60s", *SOON_MISSED)
    wait_until(lambda: world.counts()[0] == 1, "everything but the locked user's session")
    produce_to_partition(world, 0, per_user_commands(2, AHEAD))
    ids = {f"user-{n}" for n in range(2, AHEAD + 2)}
    wait_until(lambda: ids <= set(results_seen(world)), "the results of the commands behind the long one")
    check("long" not in results_seen(world), "the long command ended although a user is locked")
    return locked, worker, ids


def take_over(world, end):
    """Whoever gets the partition next neither executes nor publishes again what was finished ahead."""
    locked, worker, ids = run_into_a_lock(world, "first")
    end(worker)
    second = world.start_worker("second", "-o", "worker.lock_wait=60s", "-o", "log.level=debug", *SOON_MISSED)
    wait_until(lambda: second.log().count("finished ahead in an earlier assignment") == AHEAD, "records that are passed over")
    locked.release()
    wait_until(lambda: "long" in results_seen(world), "the result of the long command")
    check_equal(results_seen(world), {name: 1 for name in ids | {"long"}}, "how often each result was published")
    result = world.wait_for_ids(["long"])["long"]
    check_equal((result["status"], result["data"]["deleted_sessions"]), ("succeeded", AHEAD + 1), "the long command")


def test_kill_leaves_what_was_finished_ahead_to_be_passed_over():
    with World() as world:
        take_over(world, lambda worker: worker.crash())


def test_sigterm_leaves_what_was_finished_ahead_to_be_passed_over():
    with World() as world:
        take_over(world, lambda worker: check_equal(worker.terminate(), 0, "exit code"))


def test_ten_thousand_commands_survive_sigterm_in_the_middle():
    count = 10000
    with World() as world:
        world.add_users(1, count)
        world.produce(per_user_commands(1, count))
        worker = world.start_worker("w", "-o", "worker.set_commands=20", *SOON_MISSED)
        wait_until(lambda: count - world.counts()[0] > count // 20, "the first commands")
        check_equal(worker.terminate(), 0, "exit code after SIGTERM")
        check(world.counts()[0] > 0, "nothing is left to do: the worker was not stopped in the middle")
        world.start_worker("w", *SOON_MISSED)
        results = world.wait_for_ids((f"user-{n}" for n in range(1, count + 1)), seconds=180)
        check_sums(world, results, count)
        check_equal(world.counts()[:3], (0, 0, 0), "rows")
        check_equal(set(results_seen(world).values()), {1}, "how often each result was published")
        check_equal(world.number("SELECT count(*) FROM cleanup_worker.ledger WHERE state = 'succeeded'"), count, "ledger rows")


def assigned(worker):
    return "partitions assigned" in worker.log()


def test_second_worker_of_an_id_ends_the_first_with_a_word():
    with World() as world:
        world.add_users(1, 1)
        first = world.start_worker("same", *SOON_MISSED)
        wait_until(lambda: assigned(first), "the first worker's partitions")
        first.log_path = first.log_path.rename(world.folder / "first.log")
        second = world.start_worker("same", *SOON_MISSED)
        wait_until(lambda: not first.is_running() or not second.is_running(), "one of the two to end")
        ended, stays = (first, second) if not first.is_running() else (second, first)
        check_equal(ended.process.wait(), 1, "exit code")
        check("another worker uses worker.id same" in ended.log(), f"the reason in the log:\n{ended.log()[-2000:]}")
        world.workers.remove(ended)
        result = world.send_and_wait("cleanup_inactive_sessions_for_user", f"user_id={user_id(1)}")
        check(result["success"] and stays.is_running(), f"the other goes on: {result}")


def test_worker_with_an_id_of_its_own_comes_back_without_a_rebalance():
    with World() as world:
        world.add_users(1, 1)
        other = world.start_worker("other", "-X", "session.timeout.ms=30000")
        back = world.start_worker("back", "-X", "session.timeout.ms=30000")
        wait_until(lambda: assigned(other) and assigned(back), "partitions of both")
        wait_until(lambda: re.findall(r"partitions assigned.*partitions=(\d)", other.log())[-1:] == ["3"], "an even share")
        before = other.log().count("partitions assigned")
        back.crash()
        world.workers.remove(back)
        again = world.start_worker("back", "-X", "session.timeout.ms=30000")
        wait_until(lambda: again.log().count("partitions assigned") == 2, "the partitions it had")
        check_equal(other.log().count("partitions assigned"), before, "assignments of the other worker")


def test_full_disk_is_a_hold_not_a_failure():
    with World() as world:
        world.add_users(1, 1)
        world.sql("""
            CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
            CREATE TRIGGER full_disk BEFORE INSERT ON cleanup_worker.ledger FOR EACH ROW EXECUTE FUNCTION full_disk();""")
        worker = world.start_worker()
        world.send("cleanup_inactive_sessions_for_user", f"user_id={user_id(1)}", "--id", "kept")
        wait_until(lambda: "hold begins" in worker.log(), "the hold")
        check_equal((results_seen(world), world.dead_letters()), ({}, []), "results and dead letters during the hold")
        world.sql("DROP TRIGGER full_disk ON cleanup_worker.ledger")
        result = world.wait_for_ids(["kept"])["kept"]
        check_equal((result["status"], result["attempts"], result["data"]["deleted_sessions"]), ("succeeded", 1, 1), "the command")
        check("hold ends" in worker.log(), "the hold has ended")

"""Equal commands over the whole table that wait together share one run."""
import contextlib
import json
import subprocess

import harness
from harness import World, check, check_equal, wait_until

TASK = "cleanup_inactive_sessions"
USERS = 300


@contextlib.contextmanager
def locked(world, table):
    """Nobody else reads or writes the table."""
    with subprocess.Popen(["psql", "-X", "-q", "-A", "-t", "-d", world.dsn], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as holder:
        holder.stdin.write(f"BEGIN; LOCK TABLE {table}; SELECT 'locked';\n")
        holder.stdin.flush()
        check_equal(holder.stdout.readline().strip(), "locked", "the lock")
        yield
        holder.stdin.close()


def produce(world, commands):
    """All into one partition, in this order."""
    lines = "".join(f"{TASK}\t{json.dumps(command)}\n" for command in commands)
    harness.kcat("-P", "-t", world.commands, "-K", "\t", "-X", "topic.partitioner=murmur2_random", stdin=lines)


def equals(first, count, **members):
    return [{"command_id": f"equal-{n}", "task": TASK, **members} for n in range(first, first + count)]


def check_sums(world, results, deleted):
    """Each row is counted once; who shares a run says whose, which did it itself."""
    check_equal({result["status"] for result in results.values()}, {"succeeded"}, "statuses")
    check_equal(sum(result["data"]["deleted_sessions"] for result in results.values()), deleted, "sum of deleted sessions")
    check_equal(world.number("SELECT count(*) FROM sessions"), 0, "sessions left")
    for name, result in results.items():
        leader = result["data"].get("shared_with")
        if leader is None:
            continue
        check("shared_with" not in results[leader]["data"], f"{name} shares the run of {leader}, which did none")
        for member in ("started_at", "finished_at"):
            check_equal(result[member], results[leader][member], f"{member} of {name}")
        check_equal(result["data"]["cutoff_time"], results[leader]["data"]["cutoff_time"], f"cutoff of {name}")
        check_equal(result["message"], "No inactive sessions found", f"message of {name}")


def test_share_equal_commands_that_wait_have_one_run():
    with World() as world:
        world.add_users(1, USERS)
        world.start_worker("w", "-o", "worker.executors=2")
        with locked(world, "sessions"):
            produce(world, equals(0, 1))
            wait_until(lambda: world.number("SELECT count(*) FROM cleanup_worker.ledger") == 1, "the first one's begin")
            # The last one's result tells that all before it are there.
            produce(world, equals(1, 50) + [{"command_id": "other", "task": TASK, "params": {"inactive_hours": 30}},
                                            {"command_id": "late", "task": TASK, "expires_at": "2020-01-01T00:00:00Z"},
                                            {"command_id": "mark", "task": "get_expired_bookings_preview"}])
            world.wait_for_ids(["mark"])
        names = [f"equal-{n}" for n in range(51)]
        results = world.wait_for_ids([*names, "other", "late"])
        check_equal(results.pop("late")["status"], "expired", "the one that expired")
        results.pop("mark")
        check_sums(world, results, USERS)
        shared = {name: results[name]["data"].get("shared_with") for name in names}
        check_equal((shared.pop("equal-0"), shared.pop("equal-1")), (None, None), "those that ran")
        check_equal(set(shared.values()), {"equal-1"}, "whose run the others shared")
        check("shared_with" not in results["other"]["data"], "one with other params ran by itself")
        check_equal(world.number("SELECT count(*) FROM cleanup_worker.ledger WHERE state <> 'running'"), 54, "rows of the ledger")


def test_share_a_thousand_equal_commands_have_a_result_each():
    with World() as world:
        world.add_users(1, USERS)
        produce(world, equals(0, 1000))
        world.start_worker("w", "-o", "worker.executors=2")
        results = world.wait_for_ids([f"equal-{n}" for n in range(1000)])
        check_sums(world, results, USERS)
        ran = sum("shared_with" not in result["data"] for result in results.values())
        check(ran < 100, f"{ran} of 1000 ran by themselves")


def test_share_leader_that_fails_leaves_its_followers_to_the_oldest():
    with World() as world:
        world.add_users(1, USERS)
        world.sql("""
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN IF EXISTS (SELECT FROM cleanup_worker.ledger WHERE command_id IN ('equal-0', 'equal-1') AND state = 'running')
                THEN RAISE 'not now'; END IF; RETURN OLD; END $$;
            CREATE TRIGGER refuse BEFORE DELETE ON sessions FOR EACH ROW EXECUTE FUNCTION refuse();""")
        world.start_worker("w", "-o", "worker.executors=2", "-o", "limits.max_row_errors=0")
        with locked(world, "sessions"):
            produce(world, equals(0, 1))
            wait_until(lambda: world.number("SELECT count(*) FROM cleanup_worker.ledger") == 1, "the first one's begin")
            produce(world, equals(1, 10) + [{"command_id": "mark", "task": "get_expired_bookings_preview"}])
            world.wait_for_ids(["mark"])
        results = world.wait_for_ids([f"equal-{n}" for n in range(11)])
        results.pop("mark")
        for name in ("equal-0", "equal-1"):
            check_equal(results.pop(name)["status"], "failed", f"{name}, which led")
        check_sums(world, results, USERS)
        check_equal({name: result["data"].get("shared_with") for name, result in results.items()},
                    {"equal-2": None, **{f"equal-{n}": "equal-2" for n in range(3, 11)}}, "who led the rest")


def test_share_worker_that_crashes_leaves_nobody_without_a_result():
    with World() as world:
        world.add_users(1, USERS)
        first = world.start_worker("w1", "-o", "worker.executors=2", "-X", "session.timeout.ms=6000",
                                   "-X", "heartbeat.interval.ms=1000")
        with locked(world, "sessions"):
            produce(world, equals(0, 40) + [{"command_id": "mark", "task": "get_expired_bookings_preview"}])
            world.wait_for_ids(["mark"])
            first.crash()
        world.start_worker("w2", "-o", "worker.executors=2")
        results = world.wait_for_ids([f"equal-{n}" for n in range(40)], seconds=120)
        results.pop("mark")
        check_sums(world, results, USERS)

"""Behind a pooler that gives each transaction another of the server's connections."""
from harness import World, check, check_equal, user_id, wait_until
from pooler import Pooler

WARNING = "prepared statements do not last here"
USERS = 400


def start(world, pooler, prepared):
    world.env["CLEANUP_POSTGRES_DSN"] = pooler.dsn
    return world.start_worker("w1", "-o", f"postgres.prepared_statements={prepared}", "-o", "worker.executors=4",
                              "-o", "worker.batch_sessions=20")


def clean_users(world, first, count):
    ids = [f"user-{number}" for number in range(first, first + count)]
    world.produce([{"command_id": name, "task": "cleanup_inactive_sessions_for_user",
                    "params": {"user_id": user_id(first + index)}} for index, name in enumerate(ids)])
    return ids


def check_succeeded(world, ids):
    results = world.wait_for_ids(ids)
    for name in ids:
        check_equal((results[name]["status"], results[name]["attempts"]), ("succeeded", 1), f"result {results[name]}")
    return results


def every_task(world, prepared):
    world.add_users(1, USERS)
    world.add_bookings("old", 30, minutes_old=600)
    with Pooler(world) as pooler:
        worker = start(world, pooler, prepared)
        ids = clean_users(world, 1, 100)
        ids += [world.send(task) for task in ("get_inactive_sessions_preview", "get_expired_bookings_preview",
                                              "scheduled_cleanup", "expire_pending_bookings")]
        check_succeeded(world, ids)
        check_equal(world.counts(), (0, 0, 0, 0, 30), "rows")
        check_equal(worker.terminate(), 0, "exit code")
        return worker.log()


def test_every_task_with_named_statements_goes_on_without_them():
    with World() as world:
        log = every_task(world, "true")
        check_equal(log.count(WARNING), 1, "warnings")
        check("postgres.prepared_statements" in log, "the warning names no option")


def test_every_task_without_named_statements_says_nothing():
    with World() as world:
        check_equal(every_task(world, "false").count(WARNING), 0, "warnings")


def restarted(prepared):
    """PgBouncer dies in the middle of sets and of a long command, and is back a moment later."""
    with World() as world:
        world.add_users(1, USERS)
        world.sql("""
            CREATE FUNCTION pause() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.005); RETURN OLD; END $$;
            CREATE TRIGGER pause BEFORE DELETE ON sessions FOR EACH ROW EXECUTE FUNCTION pause();""")
        with Pooler(world) as pooler:
            start(world, pooler, prepared)
            ids = clean_users(world, 1, 100)
            ids.append(world.send("cleanup_inactive_sessions"))
            for left in (380, 200, 60):
                wait_until(lambda n=left: world.counts()[0] < n, f"{left} sessions left")
                pooler.stop()
                pooler.start()
            results = world.wait_for_ids(ids)
            for name in ids:
                check_equal(results[name]["status"], "succeeded", f"status of {results[name]}")
            deleted = sum(result["data"]["deleted_sessions"] for result in results.values())
            check_equal((world.counts()[0], deleted), (0, USERS), "sessions left, and deleted as the results say")


def test_restart_of_the_pooler_with_named_statements_loses_nothing():
    restarted("true")


def test_restart_of_the_pooler_without_named_statements_loses_nothing():
    restarted("false")


def test_start_after_start_behind_one_pooler_succeeds():
    """What a worker of before has left on the server's connections is in the way of none."""
    with World() as world:
        world.add_users(1, 60)
        with Pooler(world, server_connections=1) as pooler:
            for round_number in range(3):
                worker = start(world, pooler, "true")
                check_succeeded(world, clean_users(world, 1 + 20 * round_number, 20))
                check_equal(worker.terminate(), 0, "exit code")
            done = world.program("check")
            check_equal(done.returncode, 0, f"check: {done.stdout} {done.stderr}")

"""A long command in ranges that several executors and several workers run."""
import subprocess

from harness import World, check, check_equal, wait_until

USERS = 12000  # enough for two ranges
RANGES = "FROM cleanup_worker.ledger_range WHERE target = 'sessions'"


def fill(world):
    """Inactive users, of whom every tenth is active after all; the statistics know them."""
    world.add_users(1, USERS)
    world.sql(f"""
        INSERT INTO messages (user_id, sender)
        SELECT md5('user ' || n)::uuid, 'user' FROM generate_series(10, {USERS}, 10) n;
        CREATE TABLE gone (id text, pid int);
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN INSERT INTO gone VALUES (OLD.id, pg_backend_pid()); RETURN NULL; END $$;
        CREATE TRIGGER note AFTER DELETE ON sessions FOR EACH ROW EXECUTE FUNCTION note();
        ANALYZE;""")


def check_result(world, result):
    deleted = USERS - USERS // 10
    data = result["data"]
    check_equal(result["status"], "succeeded", "status")
    check_equal((data["deleted_sessions"], data["deleted_image_records"], data["deleted_video_records"], data["skipped_sessions"]),
                (deleted, 2 * deleted, deleted, 0), "counts of the result")
    check_equal(world.number("SELECT count(*) FROM sessions"), USERS // 10, "sessions that stay")
    check_equal(world.sql("SELECT count(*), count(DISTINCT id) FROM gone")[0], [str(deleted)] * 2, "sessions that went")
    check_equal(world.number("SELECT count(*) FROM cleanup_worker.ledger_range"), 0, "ranges left over")


def test_ranges_of_one_command_run_on_both_executors():
    with World() as world:
        fill(world)
        world.start_worker("w", "-o", "worker.executors=2", "-o", "worker.batch_sessions=100")
        check_result(world, world.send_and_wait("cleanup_inactive_sessions"))
        check_equal(world.number("SELECT count(DISTINCT pid) FROM gone"), 2, "connections that deleted")


def test_range_row_that_is_locked_keeps_nothing_but_its_range():
    with World() as world:
        fill(world)
        world.sql("""
            CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN IF NEW.range_no = 0 AND NEW.target = 'sessions' THEN
                PERFORM pg_advisory_xact_lock(1); END IF; RETURN NEW; END $$;
            CREATE TRIGGER slowly BEFORE UPDATE ON cleanup_worker.ledger_range FOR EACH ROW EXECUTE FUNCTION slowly();
            CREATE TABLE switch (on_or_off boolean);""")
        holder = subprocess.Popen(["psql", "-X", "-q", "-d", world.dsn], stdin=subprocess.PIPE, text=True)
        try:
            holder.stdin.write("SELECT pg_advisory_lock(1) \\g /dev/null\nINSERT INTO switch VALUES (true);\n")
            holder.stdin.flush()
            wait_until(lambda: world.number("SELECT count(*) FROM switch") == 1, "the lock")
            world.start_worker("w", "-o", "worker.executors=2", "-o", "worker.batch_sessions=100")
            name = world.send("cleanup_inactive_sessions")
            wait_until(lambda: world.number(f"SELECT count(*) {RANGES} AND range_no = 1 AND state = 'done'") == 1,
                       "the end of the other range")
            check_equal(world.number(f"SELECT sum(counts[1]) {RANGES} AND range_no = 0"), 0, "deleted in the range that waits")
        finally:
            holder.stdin.close()
            holder.wait(30)
        check_result(world, world.wait_for_ids([name])[name])


def test_ranges_of_a_worker_that_crashes_go_on_with_another_that_has_one_executor():
    with World() as world:
        fill(world)
        first = world.start_worker("w1", "-o", "worker.executors=3", "-o", "worker.batch_sessions=10",
                                   "-X", "session.timeout.ms=6000", "-X", "heartbeat.interval.ms=1000")
        name = world.send("scheduled_cleanup")
        wait_until(lambda: world.number(f"SELECT coalesce(min(rows_done), 0) {RANGES}") > 100, "work in every range")
        first.crash()
        ranges = world.number(f"SELECT count(*) {RANGES}")
        check_equal(ranges, 2, "ranges")
        check(world.number("SELECT count(*) FROM sessions") > USERS // 10, "it was over too soon to be taken over")
        world.start_worker("w2", "-o", "worker.executors=1")
        result = world.wait_for_ids([name], seconds=120)[name]
        result["data"] = result["data"]["session_cleanup"]
        check_result(world, result)
        check_equal(result["worker_id"], "w2", "who ended it")

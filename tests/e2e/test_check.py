"""`check`, what `run` makes of it at its start, `migrate` where it mends, and what becomes amiss later."""
import json
import re
import time

from harness import Skipped, World, check, check_equal, wait_until
from strangers import consumer_in_group, relay_of_unknown_names

NOTES = "CREATE TABLE notes (session_id varchar(64) REFERENCES sessions ON DELETE CASCADE)"


def findings(world, **env):
    done = world.program("check", "--format", "json", **env)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def failures(world, **env):
    return {finding["code"] for finding in findings(world, **env)[1] if finding["level"] == "FAIL"}


def test_check_of_a_good_stack_ends_with_0():
    with World() as world:
        done = world.program("check")
        check_equal(done.returncode, 0, f"exit code ({done.stdout})")
        check(re.search(r"\n0 must be mended before run starts, .* fine.*\.\nNothing was changed\.\n$", done.stdout),
              f"last line: {done.stdout}")
        code, found = findings(world)
        check_equal(code, 0, "exit code with json")
        for name in ("server", "schema", "privilege", "foreign_key", "index"):
            check(name in {finding["code"] for finding in found}, f"nothing about {name}: {found}")
        check_equal(world.program("check", "--only", "FAIL", "--format", "json").stdout, "", "failures")


def test_check_and_run_name_all_that_is_amiss_at_once():
    with World() as world:
        world.sql(f'{NOTES}; DROP TABLE "videoSent"; ALTER TABLE messages DROP CONSTRAINT messages_user_id_fkey; '
                  "ALTER TABLE bookings ALTER booking_id TYPE bigint USING 1")
        done = world.program("check", "--only", "FAIL")
        check_equal(done.returncode, 1, "exit code of check")
        run = world.program("run", timeout=30)
        check_equal(run.returncode, 1, "exit code of run")
        for text in ("tables.session_references=public.notes", "videoSent", "ADD FOREIGN KEY (user_id)", "booking_id is bigint"):
            check(text in done.stdout, f"check does not say {text}: {done.stdout}")
            check(text in run.stderr, f"run does not say {text}: {run.stderr}")


def test_check_without_a_server_ends_with_3():
    with World(topics=False) as world:
        away = {"CLEANUP_POSTGRES_DSN": re.sub(r"port=\d+", "port=1", world.dsn)}
        done = world.program("check", **away)
        check_equal(done.returncode, 3, "exit code")
        check("postgres_unreachable" in failures(world, **away), "failures")
        check("FAIL  PostgreSQL" in done.stdout, f"output: {done.stdout}")
        check_equal(world.program("check", "--only", "MAYBE").returncode, 2, "exit code of a wrong word")


def test_migrate_gives_a_role_what_it_needs_and_creates_indexes():
    with World() as world:
        role = world.name + "_role"
        world.sql(f"CREATE ROLE {role} LOGIN; REVOKE ALL ON SCHEMA public FROM PUBLIC")
        as_role = {"CLEANUP_POSTGRES_DSN": re.sub(r"user=\S+", f"user={role}", world.dsn)}
        try:
            check_equal(failures(world, **as_role), {"privilege_missing"}, "failures of a bare role")
            done = world.program("migrate", "--grant-to", role)
            check_equal(done.returncode, 0, f"exit code ({done.stderr})")
            check_equal(failures(world, **as_role), set(), "failures after the grants")
            refused = world.program("migrate", "--grant-to", "no_such_role")
            check_equal(refused.returncode, 1, "exit code of an unknown role")
            check("no_such_role" in refused.stderr, f"unknown role: {refused.stderr}")
        finally:
            world.sql(f"DROP OWNED BY {role}; DROP ROLE {role}")
        world.sql("DROP INDEX image_sent_session_id, messages_user_id_timestamp")
        for _ in range(2):
            done = world.program("migrate", "--app-indexes")
            check_equal(done.returncode, 0, f"exit code ({done.stderr})")
        code, found = findings(world)
        check_equal((code, [finding for finding in found if finding["code"] == "index_missing"]), (0, []), "indexes")


def test_reference_added_while_it_runs_holds_until_it_is_gone():
    with World() as world:
        world.add_users(1, 5)
        world.add_bookings("b", 2, 60)
        worker = world.start_worker()
        check_equal(world.send_and_wait("get_inactive_sessions_preview")["status"], "succeeded", "preview")
        world.sql(f"{NOTES}; INSERT INTO notes SELECT id FROM sessions")
        waiting = world.send("--id", "all", "cleanup_inactive_sessions")
        wait_until(lambda: "public.notes" in worker.log(), "the log names what holds")
        check_equal(world.send_and_wait("expire_pending_bookings")["data"]["expired_bookings"], 2, "bookings meanwhile")
        time.sleep(1)
        check_equal(world.number("SELECT count(*) FROM notes"), 5, "notes")
        check(waiting not in dict(world.published()), "the command ended")
        world.sql("DROP TABLE notes")
        check_equal(world.wait_for_ids([waiting])[waiting]["data"]["deleted_sessions"], 5, "deleted sessions")


def test_check_and_run_say_where_brokers_cannot_be_reached():
    with World() as world, relay_of_unknown_names() as bootstrap:
        done = world.program("check", "--only", "FAIL", CLEANUP_KAFKA_BOOTSTRAP_SERVERS=bootstrap)
        check_equal(done.returncode, 3, "exit code of check")
        text = " ".join(done.stdout.split())
        check("FAIL Kafka the cluster sends clients to x.invalid:" in text and "advertised.listeners" in text, f"check: {text}")
        run = world.program("run", timeout=60, CLEANUP_KAFKA_BOOTSTRAP_SERVERS=bootstrap)
        check_equal(run.returncode, 3, f"exit code of run ({run.stderr})")
        check("x.invalid" in run.stderr.split("FAIL", 1)[-1], f"run: {run.stderr}")


def test_stranger_in_the_group_is_told_by_check_and_by_run():
    with World() as world:
        if "topic_settings_unread" in {finding["code"] for finding in findings(world)[1]}:
            raise Skipped("the embedded broker does not describe groups")
        with consumer_in_group(world.name, world.commands, "roundrobin"):
            wait_until(lambda: {"group_shared", "group_assignor"} <= {finding["code"] for finding in findings(world)[1]},
                       "check names the stranger")
            code, found = findings(world)
            check_equal(code, 0, f"exit code ({found})")
            members = [finding["what"] for finding in found if finding["code"] == "group"]
            check("1 member: rdkafka" in members[0], f"members: {members}")
            worker = world.start_worker()
            wait_until(lambda: "code=assignor_differs" in worker.log(), "the worker says why it gets nothing")
        wait_until(lambda: "partitions assigned" in worker.log(), "the worker joins when the stranger has gone")

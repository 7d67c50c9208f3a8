"""A long command begun by the version before is finished by this one, with the counts of both.

The version before is built from the project's history, into the folder of the program that is tested.
"""
import os
import pathlib
import shutil
import subprocess

from harness import PROGRAM, ROOT, Skipped, World, check, check_equal, run, wait_until

BEFORE = "f6215f6"  # the last commit whose range rows have a column for each count
VERSION_BEFORE = 4
USERS = 300
BOOKINGS = 300
MANY = 100  # rows that an old version has dealt with when it dies
SHORT_SESSION = ("-X", "session.timeout.ms=6000", "-X", "heartbeat.interval.ms=1000")


def command(*words, **more):
    done = subprocess.run(words, capture_output=True, check=False, **more)
    if done.returncode != 0:
        raise AssertionError(f"{words}: {(done.stdout + done.stderr)[-4000:].decode(errors='replace')}")
    return done.stdout


def program_before():
    """The program of the version before; built once."""
    folder = pathlib.Path(PROGRAM).parent / f"before-{BEFORE}"
    program = folder / "build" / "cleanup-worker"
    if program.exists():
        return str(program)
    if shutil.which("git") is None or run(["git", "-C", str(ROOT), "cat-file", "-e", f"{BEFORE}^{{commit}}"]).returncode != 0:
        raise Skipped(f"commit {BEFORE} is not in the history of {ROOT}")
    shutil.rmtree(folder, ignore_errors=True)
    source = folder / "source"
    source.mkdir(parents=True)
    command("tar", "x", "-f", "-", "-C", str(source), input=command("git", "-C", str(ROOT), "archive", BEFORE))
    unfinished = folder / "unfinished"
    command("cmake", "-S", str(source), "-B", str(unfinished), "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DCLEANUP_TESTS=OFF")
    command("cmake", "--build", str(unfinished), "--target", "cleanup-worker", "-j", str(os.cpu_count() or 1))
    unfinished.rename(folder / "build")
    return str(program)


def migrate(world, program):
    done = run([program, "migrate"], env=world.env)
    check(done.returncode == 0, f"migrate: {done.stderr}")
    return world.number("SELECT max(version) FROM cleanup_worker.schema_version")


def done_before(world):
    """What the range rows of the version before say: sessions, images, videos, bookings."""
    row = world.sql("""SELECT sum(deleted_sessions), sum(deleted_images), sum(deleted_videos), sum(expired_bookings)
                       FROM cleanup_worker.ledger_range""")[0]
    return tuple(int(value or 0) for value in row)


def gone(world):
    """The same, from the rows themselves."""
    sessions, images, videos, _, expired = world.counts()
    return (USERS - sessions, 2 * USERS - images, USERS - videos, expired)


def kill_between(world, program, task, table, event, many):
    """Has the version before begin the task, with a pause for each row of the table, and die once `many` holds."""
    check_equal(migrate(world, program), VERSION_BEFORE, "schema of the version before")
    world.add_users(1, USERS)
    world.add_bookings("old", BOOKINGS, minutes_old=600)
    world.sql(f"""
        CREATE FUNCTION pause() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_sleep(0.02); RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END; END $$;
        CREATE TRIGGER pause BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION pause();""")
    before = world.start_worker("before", "-o", "worker.batch_sessions=10", *SHORT_SESSION, program=program)
    name = world.send(task)
    wait_until(lambda: many(done_before(world)), f"the first batches of {task}")
    before.crash()
    wait_until(lambda: world.number("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE '%before%'") == 0,
               "the end of its connections")
    world.sql(f"DROP TRIGGER pause ON {table}")
    told = done_before(world)
    check_equal(told, gone(world), "what the version before says it has done")
    check_equal(world.number("SELECT count(*) FROM cleanup_worker.ledger WHERE state = 'running'"), 1, "commands under way")
    check(migrate(world, PROGRAM) > VERSION_BEFORE, "nothing was migrated")
    return name, told


def finish(world, name):
    world.start_worker("after", *SHORT_SESSION)
    result = world.wait_for_ids([name])[name]
    check_equal((result["status"], result["worker_id"], result["attempts"]), ("succeeded", "after", 1), "who ended it, and how")
    check_equal(world.number("SELECT count(*) FROM cleanup_worker.ledger_range"), 0, "ranges left over")
    return result["data"]


def session_counts(data):
    return data["deleted_sessions"], data["deleted_image_records"], data["deleted_video_records"]


def test_upgrade_between_two_batches_of_sessions_loses_no_count():
    program = program_before()
    with World(schema=False) as world:
        name, told = kill_between(world, program, "cleanup_inactive_sessions", "sessions", "DELETE",
                                  lambda done: done[0] >= MANY)
        check(MANY <= told[0] < USERS, f"sessions that the version before has deleted: {told}")
        counts = session_counts(finish(world, name))
        check_equal(counts, (USERS, 2 * USERS, USERS), "counts of the result")
        check_equal(counts, gone(world)[:3], "counts of the result, against the rows that went")


def test_upgrade_between_two_batches_of_bookings_loses_no_count_of_either_target():
    program = program_before()
    with World(schema=False) as world:
        name, told = kill_between(world, program, "scheduled_cleanup", "bookings", "UPDATE", lambda done: done[3] >= MANY)
        check(told[:3] == (USERS, 2 * USERS, USERS) and MANY <= told[3] < BOOKINGS, f"what the version before has done: {told}")
        data = finish(world, name)
        expired = data["booking_expiration"]
        counts = (*session_counts(data["session_cleanup"]), expired["expired_bookings"])
        check_equal(counts, (USERS, 2 * USERS, USERS, BOOKINGS), "counts of the result")
        check_equal(counts, gone(world), "counts of the result, against the rows that went")
        check_equal(len(set(expired["expired_booking_ids"])), BOOKINGS, "bookings listed by both versions")

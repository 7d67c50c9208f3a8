"""send and watch, as people and scripts use them."""
import json
import signal
import subprocess

from harness import PROGRAM, World, check, check_equal, kcat, user_id, wait_until


def sent_command(world, *arguments):
    world.send(*arguments)
    records = [json.loads(line) for line in kcat("-C", "-e", "-J", "-t", world.commands, "-o", "beginning").splitlines()]
    return records[-1]["key"], json.loads(records[-1]["payload"])


def test_send_builds_the_command():
    with World() as world:
        key, command = sent_command(world, "get_inactive_sessions_preview", "limit=5", "inactive_hours=1.5",
                                    f"user_id={user_id(1)}", "--id", "my-id", "--requested-by", "me", "--expires-in", "10m")
        check_equal(key, user_id(1), "key")
        check_equal(command["command_id"], "my-id", "id")
        check_equal(command["params"], {"limit": 5, "inactive_hours": 1.5, "user_id": user_id(1)}, "params")
        check_equal(command["requested_by"], "me", "requested_by")
        check(command["expires_at"] > command["requested_at"], f"times: {command}")


def test_send_without_an_id_makes_one_and_prints_it():
    with World() as world:
        first = world.send("cleanup_inactive_sessions", "dry_run=true")
        second = world.send("cleanup_inactive_sessions", "dry_run=true")
        check(len(first) == 36 and first != second, f"ids: {first} {second}")
        records = [json.loads(line) for line in kcat("-C", "-e", "-J", "-t", world.commands, "-o", "beginning").splitlines()]
        check_equal({r["key"] for r in records}, {"cleanup_inactive_sessions"}, "keys")
        check_equal({json.loads(r["payload"])["command_id"] for r in records}, {first, second}, "ids sent")


def test_send_wait_without_a_worker_ends_with_1():
    with World() as world:
        done = world.program("send", "scheduled_cleanup", "--wait", "--timeout", "1s")
        check_equal(done.returncode, 1, "exit code")
        check("no result" in done.stderr, f"stderr: {done.stderr}")


def test_send_wait_shows_the_result_to_people():
    with World() as world:
        world.add_users(1, 1)
        world.start_worker()
        done = world.program("send", "get_inactive_sessions_preview", "--wait")
        check_equal(done.returncode, 0, f"exit code ({done.stderr})")
        check("Found 1 inactive sessions" in done.stdout and "session_id=session-1" in done.stdout, f"stdout: {done.stdout}")
        done = world.program("send", "cleanup_inactive_sessions", "inactive_hours=0.5", "--wait")
        check_equal(done.returncode, 1, "exit code of a rejected command")
        check("rejected" in done.stdout and "inactive_hours" in done.stdout, f"stdout: {done.stdout}")


def test_watch_shows_rows_as_they_arrive_and_ends_with_0_on_sigint():
    with World() as world:
        world.add_users(1, 2)
        world.start_worker()
        path = world.folder / "watch.txt"
        with open(path, "wb") as out:
            watch = subprocess.Popen([PROGRAM, "watch"], env=world.env, stdout=out, stderr=subprocess.STDOUT)
        try:
            # The header is printed once the watch has taken its place.
            wait_until(lambda: "STATUS" in path.read_text(), "the header")
            world.send("cleanup_inactive_sessions", "--id", "watched")
            wait_until(lambda: "watched" in path.read_text(), "the row")
            check("sessions 2 images 4 videos 2" in path.read_text(), path.read_text())
            check("\033[" not in path.read_text(), "colours in a file")
        finally:
            watch.send_signal(signal.SIGINT)
            code = watch.wait(20)
        check_equal(code, 0, "exit code after SIGINT")


def test_watch_from_a_time_shows_what_came_since():
    with World() as world:
        world.start_worker()
        for name in ("a", "b"):
            world.send_and_wait("cleanup_inactive_sessions", "--id", name)
        check_equal(sorted(result["command_id"] for result in world.watch(2)), ["a", "b"], "results of the last hour")
        done = world.program("watch", "--since", "2099-01-01T00:00:00Z", "--timeout", "1s", "--format", "json")
        check_equal((done.returncode, done.stdout), (0, ""), "results since a time to come")
        done = world.program("watch", "--since", "1h", "--count", "3", "--timeout", "2s", "--format", "json")
        check_equal((done.returncode, len(done.stdout.splitlines())), (1, 2), "exit code when the count is not reached")


def publish(world, key, value, progress=False):
    """Puts a record on the results topic, as a worker does."""
    header = ("-H", "ce_type=cleanup.progress.v1") if progress else ("-H", "ce_type=cleanup.result.v1")
    kcat("-P", "-t", world.results_topic, "-K", "\t", *header, stdin=f"{key}\t{json.dumps(value)}\n")


PROGRESS = {"schema": "cleanup.progress/1", "command_id": "long", "task": "scheduled_cleanup", "progress": 1, "rows_done": 5,
            "rows_total": 50, "rows_per_second": 2.5}
RESULT = {"command_id": "long", "task": "scheduled_cleanup", "status": "succeeded", "success": True, "message": "done"}


def test_send_wait_passes_over_progress():
    with World() as world:
        send = subprocess.Popen([PROGRAM, "send", "scheduled_cleanup", "--id", "long", "--wait", "--format", "json"],
                                env=world.env, stdout=subprocess.PIPE, text=True)
        # Its place on the results topic is taken before the command is sent.
        wait_until(lambda: kcat("-C", "-e", "-t", world.commands, "-o", "beginning"), "the command")
        publish(world, "long", PROGRESS, progress=True)
        publish(world, "long", RESULT)
        out, _ = send.communicate(timeout=60)
        check_equal((send.returncode, json.loads(out)), (0, RESULT), "exit code and result")


def test_watch_passes_over_progress_unless_asked_for_it():
    with World() as world:
        publish(world, "long", PROGRESS, progress=True)
        publish(world, "long", RESULT)
        follow = ("watch", "--since", "1h", "--count", "1", "--timeout", "30s")
        done = world.program(*follow, "--format", "json")
        check_equal([json.loads(line) for line in done.stdout.splitlines()], [RESULT], "results")
        check("no result" not in done.stderr, done.stderr)
        done = world.program(*follow, "--format", "json", "--progress")
        check_equal([json.loads(line) for line in done.stdout.splitlines()], [PROGRESS, RESULT], "with progress")
        done = world.program(*follow, "--progress")
        check("running" in done.stdout and "5 of 50 rows" in done.stdout, done.stdout)

"""What the contract says of commands: names, faults, duplicates, expiry."""
import json

from harness import World, check, check_equal, kcat, user_id, wait_until


def test_old_name_is_executed_and_named():
    with World() as world:
        world.add_users(1, 2)
        worker = world.start_worker()
        result = world.send_and_wait("app.scheduler.run_cleanup_now")
        check_equal((result["status"], result["task"]), ("succeeded", "scheduled_cleanup"), "status and task")
        check_equal(result["deprecated_task"], "app.scheduler.run_cleanup_now", "deprecated_task")
        check_equal(world.counts()[0], 0, "sessions")
        check("level=warn" in worker.log(), "the worker warns of the old name")


def test_faulty_commands_are_rejected_and_kept_as_dead_letters():
    with World() as world:
        world.add_users(1, 2)
        before = world.fingerprint()
        world.start_worker()
        raw = '{"command_id":"typo-1","task":"cleanup_inactive_sessions","params":{"inactive_hour":1}}'
        result = world.send_and_wait("--raw", raw)
        check_equal((result["status"], result["error"]["code"]), ("rejected", "unknown_param"), "status and code")
        check_equal((result["attempts"], result["data"]), (0, None), "attempts and data")
        world.send("--raw", '{"task": "cleanup_inactive_')
        results = world.watch(2)
        check_equal({r["error"]["code"] for r in results}, {"unknown_param", "invalid_json"}, "codes")
        letters = dict(world.dead_letters())
        check_equal(set(letters), {raw, '{"task": "cleanup_inactive_'}, "original bytes of the dead letters")
        headers = letters[raw]
        check_equal(headers["__dlq.errors.topic"], world.commands, "topic header")
        check("inactive_hour" in headers["__dlq.errors.message"], f"message header: {headers}")
        check_equal(world.fingerprint(), before, "the tables")


def test_duplicate_id_is_absorbed():
    with World() as world:
        world.add_users(1, 1)
        world.start_worker()
        first = world.send_and_wait("cleanup_inactive_sessions_for_user", f"user_id={user_id(1)}", "--id", "once")
        check_equal(first["data"]["deleted_sessions"], 1, "sessions")
        world.add_users(2, 1)
        # Commands of one user are never in two units at once, so when the last has a result the duplicate is through.
        world.send("cleanup_inactive_sessions_for_user", f"user_id={user_id(1)}", "--id", "once")
        world.send_and_wait("cleanup_inactive_sessions_for_user", f"user_id={user_id(1)}", "--id", "after")
        check_equal(sorted(key for key, _ in world.published()), ["after", "once"], "results")
        check_equal(world.counts()[0], 1, "sessions")


def test_expired_command_is_not_started():
    with World() as world:
        world.add_users(1, 1)
        world.start_worker()
        command = {"command_id": "late", "task": "cleanup_inactive_sessions", "expires_at": "2020-01-01T00:00:00Z"}
        result = world.send_and_wait("--raw", json.dumps(command))
        check_equal((result["status"], result["message"]), ("expired", "Expired before it started"), "status and message")
        check_equal(world.counts()[0], 1, "sessions")


def test_users_who_are_active_or_unknown_lose_nothing():
    with World() as world:
        world.add_users(1, 1, last_word_hours=1)
        world.add_users(2, 1, last_word_hours=48, session_hours=1)
        before = world.fingerprint()
        world.start_worker()
        for number in (1, 2, 3):
            result = world.send_and_wait("cleanup_inactive_sessions_for_user", f"user_id={user_id(number)}")
            check_equal(result["data"]["deleted_sessions"], 0, f"sessions of user {number}")
            check_equal(result["message"], f"No inactive sessions found for user {user_id(number)}", "message")
        check_equal(world.fingerprint(), before, "the tables")


def test_log_has_a_line_for_each_command_that_was_no_set():
    with World() as world:
        world.add_users(1, 3)
        worker = world.start_worker()
        world.send_and_wait("cleanup_inactive_sessions_for_user", f"user_id={user_id(1)}", "dry_run=true", "--id", "dry")
        world.send_and_wait("cleanup_inactive_sessions_for_user", f"user_id={user_id(1)}", "--id", "set")
        world.send_and_wait("scheduled_cleanup", "--id", "whole")
        lines = [line for line in worker.log().splitlines() if "command_id=" in line]
        check_equal([line.split("command_id=")[1].split()[0] for line in lines], ["dry", "whole"], f"lines: {worker.log()}")
        check("level=info" in lines[1] and "task=scheduled_cleanup" in lines[1] and "took_ms=" in lines[1], lines[1])
        check("Session cleanup: Successfully cleaned up 2 inactive sessions" in lines[1], lines[1])
        check("Would clean up 1 inactive sessions" in lines[0] and user_id(1) not in worker.log(), lines[0])
        sets = [line for line in worker.log().splitlines() if "unit finished" in line]
        check(len(sets) == 1 and "kind=set" in sets[0] and "commands=1" in sets[0], f"lines: {worker.log()}")


def produce_event(world, source, name, task, params, partition=0):
    """A binary CloudEvent; `params` None is a record without a value."""
    headers = {"ce_specversion": "1.0", "ce_id": name, "ce_source": source, "ce_type": f"cleanup.command.{task}"}
    words = [word for key, value in headers.items() for word in ("-H", f"{key}={value}")]
    empty = ["-Z"] if params is None else []
    kcat("-P", "-t", world.commands, "-p", str(partition), "-K", "\t", *empty, *words,
         stdin="\t" + ("" if params is None else json.dumps(params)) + "\n")


def test_events_of_two_sources_with_one_id_both_have_a_result():
    with World() as world:
        world.add_users(1, 2)
        worker = world.start_worker()
        for number, source in ((1, "/booking"), (2, "/chat")):
            produce_event(world, source, "1", "cleanup_inactive_sessions_for_user", {"user_id": user_id(number)})
        results = world.watch(2)
        check_equal({(result["command_id"], result["requested_by"], result["data"]["deleted_sessions"]) for result in results},
                    {("1", "/booking", 1), ("1", "/chat", 1)}, "results")
        check_equal(world.counts()[0], 0, "sessions")
        headers = [dict(zip(record["headers"][::2], record["headers"][1::2])) for record in world.records(world.results_topic)]
        check_equal(len({header["ce_id"] for header in headers}), 2, "ids of the results' events")
        # The same event again, in the same partition, then one without a value.
        produce_event(world, "/chat", "1", "cleanup_inactive_sessions_for_user", {"user_id": user_id(2)})
        produce_event(world, "/chat", "2", "scheduled_cleanup", None)
        results = world.watch(3)
        check_equal([(r["command_id"], r["status"]) for r in results if r["command_id"] == "2"], [("2", "succeeded")], "results")
        wait_until(lambda: "duplicate absorbed" in worker.log(), "the line of the duplicate")


def test_id_of_another_command_is_rejected_once_with_a_dead_letter():
    with World() as world:
        world.add_users(1, 2)
        world.start_worker()
        world.send_and_wait("cleanup_inactive_sessions_for_user", f"user_id={user_id(1)}", "--id", "once")
        world.produce([{"command_id": "once", "task": "cleanup_inactive_sessions_for_user", "params": {"user_id": user_id(2)}}])
        results = world.watch(2)
        rejected = [result for result in results if result["status"] == "rejected"]
        check_equal([result["error"]["code"] for result in rejected], ["id_conflict"], "codes")
        check_equal(world.counts()[0], 1, "sessions")
        [(payload, headers)] = world.dead_letters()
        check_equal(json.loads(payload)["command_id"], "once", "dead letter")
        place = f"{rejected[0]['source']['partition']}/{rejected[0]['source']['offset']}"
        ids = {word for record in world.records(world.results_topic) for word in record["headers"] if "once" in word}
        check_equal(ids, {"once", f"once/conflict/{place}"}, "ids of the results' events")
        check("the id was used before" in headers["__dlq.errors.message"], f"message: {headers}")

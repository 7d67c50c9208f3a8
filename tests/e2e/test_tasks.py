"""Every task, end to end."""
from harness import World, check, check_equal, user_id


def data_of(result, status="succeeded"):
    check_equal(result["status"], status, f"status of {result}")
    return result["data"]


def test_each_task_changes_what_its_result_says():
    with World() as world:
        world.add_users(1, 5)
        world.add_users(101, 3, last_word_hours=1)
        world.add_bookings("old", 4, 60)
        world.add_bookings("new", 2, 1)
        world.start_worker()

        preview = data_of(world.send_and_wait("get_inactive_sessions_preview", "limit=2"))
        check_equal((preview["total"], len(preview["inactive_sessions"]), preview["truncated"]), (5, 2, True), "preview")
        check_equal((preview["image_records"], preview["video_records"]), (10, 5), "records of the preview")

        result = world.send_and_wait("cleanup_inactive_sessions_for_user", f"user_id={user_id(1)}")
        data = data_of(result)
        check_equal(data["user_id"], user_id(1), "user of the result")
        check_equal((data["deleted_sessions"], data["deleted_image_records"], data["deleted_video_records"]), (1, 2, 1),
                    "counts of one user")
        check_equal(result["message"], f"Successfully cleaned up 1 inactive sessions for user {user_id(1)}", "message")
        check_equal(world.counts(), (7, 14, 7, 6, 0), "rows after one user")

        data = data_of(world.send_and_wait("cleanup_inactive_sessions"))
        check_equal((data["deleted_sessions"], data["deleted_image_records"], data["deleted_video_records"]), (4, 8, 4),
                    "counts of all users")
        check_equal(world.counts(), (3, 6, 3, 6, 0), "rows after all users")

        bookings = data_of(world.send_and_wait("get_expired_bookings_preview"))
        check_equal((bookings["total"], bookings["truncated"]), (4, False), "preview of bookings")
        data = data_of(world.send_and_wait("expire_pending_bookings"))
        check_equal(data["expired_bookings"], 4, "expired bookings")
        check_equal(sorted(data["expired_booking_ids"]), [f"old-{n}" for n in range(1, 5)], "ids of the expired bookings")
        check_equal(world.counts(), (3, 6, 3, 2, 4), "rows after expiring")


def test_scheduled_cleanup_runs_both_halves():
    with World() as world:
        world.add_users(1, 3)
        world.add_users(101, 2, last_word_hours=1)
        world.add_bookings("old", 2, 60)
        world.start_worker()
        result = world.send_and_wait("scheduled_cleanup")
        data = data_of(result)
        check_equal(data["session_cleanup"]["success"], True, "first half")
        check_equal(data["session_cleanup"]["deleted_sessions"], 3, "sessions")
        check_equal(data["booking_expiration"]["expired_bookings"], 2, "bookings")
        check(result["message"].startswith("Session cleanup: ") and "; Booking expiration: " in result["message"],
              f"message: {result['message']}")
        check_equal(world.counts(), (2, 4, 2, 0, 2), "rows")


def test_dry_run_counts_and_changes_nothing():
    with World() as world:
        world.add_users(1, 5)
        world.add_bookings("old", 3, 60)
        before = world.fingerprint()
        world.start_worker()
        result = world.send_and_wait("cleanup_inactive_sessions", "dry_run=true")
        check_equal(data_of(result)["deleted_sessions"], 5, "sessions that would go")
        check_equal(result["message"], "Would clean up 5 inactive sessions", "message")
        result = world.send_and_wait("cleanup_inactive_sessions_for_user", "dry_run=true", f"user_id={user_id(2)}")
        check_equal(data_of(result)["deleted_sessions"], 1, "sessions of the user that would go")
        result = world.send_and_wait("expire_pending_bookings", "dry_run=true")
        check_equal(result["message"], "Would mark 3 bookings as Expired", "message")
        data = data_of(world.send_and_wait("scheduled_cleanup", "dry_run=true"))
        check_equal(data["booking_expiration"]["expired_bookings"], 3, "bookings that would expire")
        check_equal(world.fingerprint(), before, "the tables")


def test_long_command_works_through_many_batches():
    with World() as world:
        world.add_users(1, 500)
        world.add_users(1001, 100, last_word_hours=1)
        world.start_worker("w1", "-o", "worker.batch_sessions=10")
        data = data_of(world.send_and_wait("cleanup_inactive_sessions"))
        check_equal((data["deleted_sessions"], data["deleted_image_records"], data["deleted_video_records"]), (500, 1000, 500),
                    "counts")
        check_equal(world.counts()[:3], (100, 200, 100), "rows")


def test_long_command_tells_how_far_it_has_come():
    with World() as world:
        world.add_users(1, 3000)
        world.start_worker("w1", "-o", "worker.batch_sessions=20", "-o", "worker.executors=1", "-o", "worker.progress_interval=20ms")
        result = world.send_and_wait("cleanup_inactive_sessions", "--id", "long")
        check_equal(result["data"]["deleted_sessions"], 3000, "sessions")
        told = world.progress()
        check(len(told) > 2, f"progress of a command of 150 batches: {told}")
        numbers, rows = [p["progress"] for p in told], [p["rows_done"] for p in told]
        check_equal({p["command_id"] for p in told}, {"long"}, "ids")
        check_equal((sorted(set(numbers)), sorted(rows)), (numbers, rows), "numbers and rows only rise")
        check(0 < rows[0] <= rows[-1] <= 3000, f"rows: {rows}")

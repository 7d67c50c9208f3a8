"""What is looked at in Kafka before a worker starts or a command is sent, and what a broker that is away does to people."""
import re
import signal
import subprocess
import time

from harness import PROGRAM, World, check, check_equal, kcat, wait_until

NOWHERE = "127.0.0.1:1"


def topics_of(world):
    """Partitions by topic, of the world's topics that are there; asks for none of them by name."""
    listed = re.findall(r'topic "(\S+)" with (\d+) partitions', kcat("-L"))
    return {name: int(count) for name, count in listed if name.startswith(world.name)}


def test_run_without_topics_ends_with_1_and_names_all_of_them():
    with World(topics=False) as world:
        done = world.program("run", timeout=30)
        check_equal(done.returncode, 1, f"exit code ({done.stderr})")
        for topic in (world.commands, world.results_topic, world.dead):
            check(f"FAIL  {topic}" in done.stderr, f"stderr does not name {topic}: {done.stderr}")
        check("migrate --topics" in done.stderr, f"stderr: {done.stderr}")
        check_equal(topics_of(world), {}, "topics that were made by looking for them")


def test_migrate_makes_topics_that_are_missing_and_leaves_the_others():
    with World(topics=False) as world:
        done = world.program("migrate", "--topics", "--partitions", "2")
        check_equal(done.returncode, 0, f"exit code ({done.stderr})")
        check_equal(done.stdout.count(": made, 2 partitions"), 3, f"stdout: {done.stdout}")
        check_equal(topics_of(world), {world.commands: 2, world.results_topic: 2, world.dead: 2}, "topics")
        again = world.program("migrate", "--topics")
        check_equal((again.returncode, again.stdout.count("is there already")), (0, 3), f"again: {again.stdout}")
        check_equal(topics_of(world)[world.commands], 2, "partitions after the second time")
        world.start_worker()
        check_equal(world.send_and_wait("cleanup_inactive_sessions")["status"], "succeeded", "status")


def test_run_tells_of_commands_that_outlive_the_ledger_and_starts():
    with World(topics=False) as world:
        check_equal(world.program("migrate", "--topics").returncode, 0, "exit code of migrate")
        fine = world.start_worker("fine")
        wait_until(lambda: "worker started" in fine.log(), "the first start")
        check("topic_outlives_ledger" not in fine.log(), fine.log())
        short = world.start_worker("short", "-o", "worker.ledger_retention_hours=24")
        wait_until(lambda: "worker started" in short.log(), "the second start")
        check("code=topic_outlives_ledger" in short.log() and "retention.ms=" in short.log(), short.log())


def test_send_refuses_what_no_worker_would_take():
    with World() as world:
        for arguments, sentence in (
                (["cleanup_inactive_session"], "did you mean cleanup_inactive_sessions?"),
                (["expire_pending_bookings", "expiration_minute=5"], "did you mean expiration_minutes?"),
                (["expire_pending_bookings", "expiration_minutes=0"], "expiration_minutes is 0, but takes"),
                (["cleanup_inactive_sessions_for_user"], "needs the param user_id"),
                (["scheduled_cleanup", "--id", "a/b"], "command_id takes")):
            done = world.program("send", *arguments)
            check_equal(done.returncode, 2, f"exit code of send {arguments}")
            check(sentence in done.stderr, f"send {arguments}: {done.stderr}")
        check_equal(kcat("-C", "-e", "-t", world.commands, "-o", "beginning"), "", "what was sent")
        check_equal(world.program("send", "--raw", '{"task":"nonsense"}').returncode, 0, "exit code of --raw")


def test_topic_that_is_missing_is_told_by_the_sender_and_not_made():
    with World(topics=False) as world:
        for arguments, topic in ((["scheduled_cleanup"], world.commands), (["scheduled_cleanup", "--wait"], world.commands)):
            done = world.program("send", *arguments)
            check_equal(done.returncode, 1, f"exit code ({done.stderr})")
            check(f"topic {topic} does not exist" in done.stderr, done.stderr)
        check_equal(world.program("watch", "--timeout", "1s").returncode, 1, "exit code of watch")
        check_equal(topics_of(world), {}, "topics")


def test_a_broker_that_is_away_is_told_once():
    with World(topics=False) as world:
        for arguments in (["run"], ["watch"], ["send", "scheduled_cleanup"], ["migrate", "--topics"]):
            done = world.program(*arguments, "-b", NOWHERE, timeout=30)
            check_equal(done.returncode, 3, f"exit code of {arguments} ({done.stderr})")
            told = done.stderr.replace("\n", " ")
            check_equal(len(re.findall(r"Connection\s+refused", told)), 1, f"{arguments}: {done.stderr}")
            check("thrd:" not in told and "bootstrap" not in told, f"librdkafka's words: {done.stderr}")


def test_sigint_ends_what_waits_for_a_broker_that_is_away():
    with World(topics=False) as world:
        for command in ("run", "watch"):
            process = subprocess.Popen([PROGRAM, command, "-b", NOWHERE], env=world.env, stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT)
            # Long enough for it to wait, and short of the ten seconds after which it ends with 3 by itself.
            time.sleep(2)
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=30)
            check_equal(process.returncode, 0, f"exit code of {command}")

"""PostgreSQL goes away or fails over to a standby: the worker waits, finds the primary, and no command fails for it."""
import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

from harness import ROOT, World, check, check_equal, run, user_id, wait_until


def postgres_bindir():
    done = run(["bash", "-c", f". {ROOT}/scripts/lib.sh && postgres_bindir"])
    check(done.returncode == 0, f"no PostgreSQL: {done.stderr}")
    return pathlib.Path(done.stdout.strip())


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """One PostgreSQL of a pair, in a folder of the user that may run it."""

    def __init__(self, folder, name):
        self.data, self.port, self.bindir = folder / name, free_port(), postgres_bindir()

    def program(self, name, *arguments):
        words = [str(self.bindir / name), *map(str, arguments)]
        if os.geteuid() == 0:
            words = ["runuser", "-u", "postgres", "--", *words]
        done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False, cwd="/")
        check(done.returncode == 0, f"{words}: {done.stdout}{done.stderr}")

    def init(self):
        self.program("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")

    def copy(self, primary):
        """A standby that follows the primary."""
        self.program("pg_basebackup", "-D", self.data, "-R", "-X", "stream", "-d", primary.dsn("postgres"))

    def start(self):
        self.program("pg_ctl", "-D", self.data, "-w", "-l", f"{self.data}.log", "-o",
                     f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=''", "start")

    def stop(self):
        self.program("pg_ctl", "-D", self.data, "-m", "fast", "-w", "stop")

    def promote(self):
        self.program("pg_ctl", "-D", self.data, "-w", "promote")

    def demote(self):
        self.program("pg_ctl", "-D", self.data, "status")  # it runs
        self.stop()
        (self.data / "standby.signal").touch()
        self.start()

    def dsn(self, database):
        return f"host=127.0.0.1 port={self.port} user=postgres dbname={database}"


@contextlib.contextmanager
def servers(count):
    """A primary, and standbys that follow it."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="cleanup-failover-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    started = []
    try:
        for number in range(count):
            server = Server(folder, f"server-{number}")
            if started:
                server.copy(started[0])
            else:
                server.init()
            server.start()
            started.append(server)
        yield started
    finally:
        for server in started:
            server.stop()
        shutil.rmtree(folder)


def load(world, server):
    """The application with the worker's schema, on this server."""
    run(["psql", "-X", "-q", "-d", server.dsn("postgres"), "-c", f"CREATE DATABASE {world.name}"])
    world.dsn = server.dsn(world.name)
    world.env["CLEANUP_POSTGRES_DSN"] = world.dsn
    world.sql((ROOT / "deploy/postgres/application.sql").read_text())
    done = world.program("migrate")
    check(done.returncode == 0, f"migrate: {done.stderr}")
    world.add_users(1, 2)


def test_failover_to_a_standby_is_a_hold_and_goes_on_there():
    with servers(2) as (first, second), World() as world:
        load(world, first)
        both = (f"host=127.0.0.1,127.0.0.1 port={first.port},{second.port} user=postgres dbname={world.name} "
                "target_session_attrs=read-write")
        worker = world.start_worker("w", "-o", f"postgres.dsn={both}")
        before = world.send_and_wait("cleanup_inactive_sessions_for_user", f"user_id={user_id(1)}")
        check(before["success"], f"on the first server: {before}")
        first.demote()  # it still answers, but takes no writes
        world.send("cleanup_inactive_sessions_for_user", f"user_id={user_id(2)}", "--id", "later")
        wait_until(lambda: "hold begins" in worker.log(), "the hold while no server takes writes")
        second.promote()
        result = world.wait_for_ids(["later"])["later"]
        check_equal((result["status"], result["attempts"], result["data"]["deleted_sessions"]), ("succeeded", 1, 1), "the command")
        world.dsn = second.dsn(world.name)
        check_equal(world.counts()[0], 0, "sessions on the new primary")


def test_database_that_is_away_costs_no_partition_and_no_attempt():
    with servers(1) as (server,), World() as world:
        load(world, server)
        world.add_users(3, 40)
        worker = world.start_worker("w", "-X", "session.timeout.ms=6000", "-X", "heartbeat.interval.ms=500")
        wait_until(lambda: "partitions assigned" in worker.log(), "the partitions")
        server.stop()
        names = [f"user-{number}" for number in range(1, 41)]
        world.produce([{"command_id": name, "task": "cleanup_inactive_sessions_for_user", "params": {"user_id": user_id(number)}}
                       for number, name in enumerate(names, start=1)])
        wait_until(lambda: "hold begins" in worker.log(), "the hold")
        time.sleep(8)  # longer than the session: a worker that stood still would lose its partitions
        check_equal((world.published(), world.dead_letters()), ([], []), "results and dead letters during the outage")
        server.start()
        results = world.wait_for_ids(names)
        check_equal({(result["status"], result["attempts"]) for result in results.values()}, {("succeeded", 1)}, "outcomes")
        check_equal((worker.log().count("partitions assigned"), worker.log().count("partitions revoked")), (1, 0), "assignments")
        check_equal(worker.log().count("hold begins"), 1, "holds")

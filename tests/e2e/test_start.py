"""Exit codes: what the program says when it cannot do what was asked."""
import os
import re
import signal
import subprocess

from harness import PROGRAM, World, check, check_equal, dsn_of


def check_exit(done, code, *texts):
    check_equal(done.returncode, code, f"exit code ({done.stderr[-2000:]})")
    for text in texts:
        check(text in done.stderr, f"stderr does not say {text!r}: {done.stderr[-2000:]}")


def test_run_with_a_wrong_broker_ends_with_3():
    with World(topics=False) as world:
        check_exit(world.program("run", "-b", "127.0.0.1:1", timeout=15), 3, "Kafka")


def test_run_with_a_wrong_dsn_ends_with_3():
    with World() as world:
        wrong = re.sub(r"port=\d+", "port=1", world.dsn)
        check_exit(world.program("run", timeout=15, CLEANUP_POSTGRES_DSN=wrong), 3, "cleanup-worker run: ")
        check_exit(world.program("migrate", timeout=15, CLEANUP_POSTGRES_DSN=wrong), 3, "cleanup-worker migrate: ")
        check_exit(world.program("run", timeout=15, CLEANUP_POSTGRES_DSN=dsn_of("no_such_database")), 3, "no_such_database")


def test_run_without_the_schema_ends_with_1_and_names_migrate():
    with World(schema=False) as world:
        check_exit(world.program("run", timeout=30), 1, "cleanup-worker migrate")
        check_equal(world.program("migrate").returncode, 0, "exit code of migrate")
        check_equal(world.program("migrate").returncode, 0, "exit code of migrate the second time")
        world.start_worker()
        check_equal(world.send_and_wait("cleanup_inactive_sessions")["status"], "succeeded", "status")


def test_run_without_a_table_ends_with_1_and_names_it():
    with World() as world:
        world.sql('DROP TABLE "videoSent"')
        check_exit(world.program("run", timeout=30), 1, "videoSent")


def test_secrets_are_not_printed():
    with World() as world:
        wrong = re.sub(r"port=\d+", "port=1", world.dsn) + " password=hush-hush"
        done = world.program("run", "-v", timeout=15, CLEANUP_POSTGRES_DSN=wrong)
        check_equal(done.returncode, 3, "exit code")
        check("hush-hush" not in done.stdout + done.stderr, "the password is printed")


def test_usage_errors_end_with_2():
    with World(topics=False) as world:
        check_exit(world.program(), 2, "Usage: ")
        check_exit(world.program("dance"), 2, "dance")
        check_exit(world.program("run", "--tango"), 2, "--tango")
        check_exit(world.program("run", "extra"), 2, "extra")
        check_exit(world.program("run", "-o", "worker.executors=many"), 2, "worker.executors")
        check_exit(world.program("run", "-o", "kafka.enable.auto.commit=true"), 2, "enable.auto.commit")
        check_exit(world.program("run", "-X", "no.such.property=1"), 2, "no.such.property")
        check_exit(world.program("run", "-X", "security.protocol=ssl", "-X", "ssl.ca.location=/no/such/ca"), 2, "ssl.ca.location")
        check_exit(world.program("run", "--config", "/no/such/file.ini"), 2, "/no/such/file.ini")
        check_exit(world.program("send"), 2, "TASK")
        check_exit(world.program("send", "task", "no-param"), 2, "no-param")
        check_exit(world.program("run", "-o", "worker.executor=2"), 2, "did you mean worker.executors?")
        check_exit(world.program("run", "-b", "http://x:9092"), 2, "http://x:9092", "host:port")
        check_exit(world.program("run", "-X", "delivery.report.only.error=true"), 2, "delivery.report.only.error", "delivery report")
        check_exit(world.program("watch", "--since", "yesterday"), 2, "yesterday")


def test_faults_of_the_environment_end_with_2():
    with World(topics=False) as world:
        check_exit(world.program("run", CLEANUP_POSTGRES_DSN="host=x hunter2"), 2, "postgres.dsn", 'missing "="')
        check_exit(world.program("run", CLEANUP_POSTGRES_DSN=""), 2, "postgres.dsn is empty")
        check_exit(world.program("migrate", CLEANUP_POSTGRES_DSN=""), 2, "postgres.dsn is empty")
        check_exit(world.program("run", CLEANUP_POSTGRES_DSN=world.dsn + "\t"), 2, "postgres.dsn", "control character")
        check_exit(world.program("run", CLEANUP_ENABLED="true"), 2, "CLEANUP_ENABLED")
        check_exit(world.program("run", CLEANUP_WORKER_PORT="80"), 2, "CLEANUP_WORKER_PORT")


def test_what_kubernetes_puts_into_the_environment_is_no_fault():
    links = {"CLEANUP_WORKER_SERVICE_HOST": "10.0.0.1", "CLEANUP_WORKER_SERVICE_PORT": "80",
             "CLEANUP_WORKER_SERVICE_PORT_HTTP": "80", "CLEANUP_WORKER_PORT": "tcp://10.0.0.1:80",
             "CLEANUP_WORKER_PORT_80_TCP": "tcp://10.0.0.1:80", "CLEANUP_WORKER_PORT_80_TCP_ADDR": "10.0.0.1",
             "CLEANUP_KAFKA_PORT": "tcp://10.0.0.2:9092"}
    with World(topics=False) as world:
        done = world.program("migrate", "-v", **links, CLEANUP_POSTGRES_DSN=world.dsn + "\n")
        check_exit(done, 0)
        lines = [line for line in done.stderr.splitlines() if "CLEANUP_WORKER_PORT" in line]
        check(len(lines) == 1 and "level=debug" in lines[0], f"stderr: {done.stderr}")


def test_help_and_version_end_with_0():
    with World(topics=False) as world:
        for command in ("run", "migrate", "send", "watch", "options", "dev-broker"):
            done = world.program(command, "--help")
            check_equal(done.returncode, 0, f"exit code of {command} --help")
            check(f"Usage: cleanup-worker {command}" in done.stdout, f"help of {command}: {done.stdout}")
            check(command in world.program("--help").stdout, f"{command} is not in --help")
        check(re.fullmatch(r"cleanup-worker \d+\.\d+\.\d+\n", world.program("--version").stdout), "version")


def test_output_that_cannot_be_written_ends_with_1():
    with World(topics=False) as world:
        for arguments in (("options",), ("run", "--help"), ("--version",)):
            with open("/dev/full", "w") as full:
                done = subprocess.run([PROGRAM, *arguments], stdout=full, stderr=subprocess.PIPE, text=True,
                                      timeout=15, check=False)
            check_exit(done, 1, "the output could not be written")


def close_standard_streams():
    for fd in (0, 1, 2):
        os.close(fd)


def test_streams_that_a_supervisor_closed_are_no_sockets():
    with World() as world:
        worker = subprocess.Popen([PROGRAM, "run"], env=world.env, close_fds=True,
                                  preexec_fn=close_standard_streams)
        world.send_and_wait("expire_pending_bookings")
        streams = [os.readlink(f"/proc/{worker.pid}/fd/{fd}") for fd in (0, 1, 2)]
        worker.send_signal(signal.SIGTERM)
        check_equal(worker.wait(timeout=30), 0, "exit code")
        check_equal(streams, ["/dev/null"] * 3, "streams")


def test_terminal_that_closes_ends_the_worker_as_sigterm_does():
    with World() as world:
        worker = world.start_worker()
        world.send_and_wait("expire_pending_bookings")
        worker.process.send_signal(signal.SIGHUP)
        check_equal(worker.process.wait(timeout=40), 0, "exit code")

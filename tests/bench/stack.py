"""Owns the servers of a bench: a throw-away PostgreSQL with durable settings and a real Kafka, on loopback.

Everything lives in one folder, which goes away with them. The folder should be on a disk: on a tmpfs fsync costs nothing.
"""
import glob
import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import tempfile

import psycopg

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "build" / "cleanup-worker"
TOOLS = ROOT / "build" / "tests"

# As an operator would set it on a machine of this size; what a commit promises is left as it comes: durable.
CONFIGURATION = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
max_connections = 50
fsync = on
synchronous_commit = on
full_page_writes = on
shared_buffers = 1GB
effective_cache_size = 8GB
maintenance_work_mem = 512MB
max_wal_size = 8GB
checkpoint_timeout = 15min
logging_collector = on
log_destination = 'jsonlog'
log_directory = 'log'
log_filename = 'postgresql'
log_rotation_age = 0
log_rotation_size = 0
log_timezone = 'UTC'
"""


def postgres_programs():
    """The folder of the newest server's programs."""
    folders = glob.glob("/usr/lib/postgresql/*/bin")
    if not folders:
        raise RuntimeError("no PostgreSQL server found; run scripts/setup")
    return pathlib.Path(max(folders, key=lambda name: float(pathlib.Path(name).parent.name)))


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def run(arguments, **more):
    done = subprocess.run([str(argument) for argument in arguments], capture_output=True, text=True, check=False, **more)
    if done.returncode != 0:
        raise RuntimeError(f"{arguments[0]} failed ({done.returncode}): {done.stderr or done.stdout}")
    return done.stdout


class Stack:
    """Both servers while they run."""

    def __init__(self, parent):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="cleanup-bench-", dir=parent))
        self.folder.chmod(0o755)
        self.data = self.folder / "postgres" / "data"
        self.port = free_port()
        self.bootstrap = None
        self.programs = postgres_programs()

    def __enter__(self):
        try:
            self._start_postgres()
            self.bootstrap = run([ROOT / "scripts/kafka", "start", self.folder / "kafka"], stdin=subprocess.DEVNULL).strip()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if (self.data / "postmaster.pid").exists():
            self._as_postgres("pg_ctl", "-D", self.data, "-m", "fast", "-t", 120, "-w", "stop")
        if (self.folder / "kafka").exists():
            run([ROOT / "scripts/kafka", "stop", self.folder / "kafka"])
        shutil.rmtree(self.folder)

    def _as_postgres(self, program, *arguments):
        """The server refuses to run as root."""
        prefix = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        with open(self.folder / "postgres.out", "ab") as out:  # a file: the server would keep a pipe open
            code = subprocess.run([*prefix, str(self.programs / program), *map(str, arguments)], cwd="/", stdout=out,
                                  stderr=out, stdin=subprocess.DEVNULL, check=False).returncode
        if code != 0:
            raise RuntimeError(f"{program} failed: " + (self.folder / "postgres.out").read_text()[-2000:])

    def _start_postgres(self):
        self.data.parent.mkdir()
        if os.getuid() == 0:
            os.chown(self.data.parent, pwd.getpwnam("postgres").pw_uid, -1)
        self._as_postgres("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
        with open(self.data / "postgresql.conf", "a") as conf:
            conf.write(CONFIGURATION.format(port=self.port))
        self._as_postgres("pg_ctl", "-D", self.data, "-t", 120, "-w", "start")

    # What others need to know of them

    def dsn(self, database):
        return f"host=127.0.0.1 port={self.port} user=postgres dbname={database}"

    def connect(self, database="postgres"):
        return psycopg.connect(self.dsn(database), autocommit=True)

    def psql(self, database, *arguments):
        return run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", self.dsn(database), *arguments])

    def postmaster_pid(self):
        return int((self.data / "postmaster.pid").read_text().split()[0])

    def broker_pid(self):
        return int((self.folder / "kafka" / "kafka.pid").read_text())

    def postgres_log(self):
        return self.data / "log" / "postgresql.json"

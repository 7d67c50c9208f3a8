"""A PgBouncer in transaction mode between the workers of a test and PostgreSQL."""
import os
import re
import shutil
import socket
import subprocess

from harness import DSN, Skipped, wait_until


class Pooler:
    """Ended with the `with` block that it is used in."""

    def __init__(self, world, server_connections=2):
        self.program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
        if self.program is None:
            raise Skipped("pgbouncer is not installed; scripts/setup does it")
        self.world = world
        self.process = None
        self.log_path = world.folder / "pgbouncer.log"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        server = dict(re.findall(r"(\w+)=(\S+)", DSN))
        self.dsn = f"host=127.0.0.1 port={self.port} user={server['user']} dbname={world.name}"
        self.settings = world.folder / "pgbouncer.ini"
        users = world.folder / "users.txt"
        users.write_text(f'"{server["user"]}" "{server.get("password", "")}"\n')
        self.settings.write_text(f"""
[databases]
* = host={server["host"]} port={server["port"]}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {self.port}
unix_socket_dir =
auth_type = trust
auth_file = {users}
pool_mode = transaction
default_pool_size = {server_connections}
server_round_robin = 1
""")
        for path in (world.folder, self.settings, users):
            path.chmod(0o755)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, error, trace):
        self.stop()
        if kind is not None:
            print("--- log of pgbouncer\n" + self.log_path.read_text(errors="replace")[-4000:])

    def start(self):
        as_user = ["-u", "postgres"] if os.geteuid() == 0 else []
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([self.program, *as_user, str(self.settings)], stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL)
        wait_until(self._listens, "PgBouncer")

    def _listens(self):
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        """At once, with the connections of its clients."""
        self.process.kill()
        self.process.wait()

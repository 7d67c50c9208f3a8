"""The servers of a campaign: PostgreSQL, Kafka, and a proxy in front of each, all of which can fail and come back.

Workers reach both through the proxies; the harness itself reaches them directly. What was started is ended by its pid.
"""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

import broker
import harness

HERE = pathlib.Path(__file__).resolve().parent
SCRIPTS = harness.ROOT / "scripts"
BROKER_ID = 1


def script(name, *arguments, env=None):
    done = harness.run([SCRIPTS / name, *arguments], env={**os.environ, **(env or {})}, timeout=180)
    harness.check(done.returncode == 0, f"scripts/{name} {arguments}: {done.stderr}")
    return done.stdout


class ProxyProcess:
    """Handle of a proxy.py."""

    def __init__(self, protocol):
        self.process = subprocess.Popen([sys.executable, HERE / "proxy.py", protocol], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, bufsize=1)
        self.port = int(self.process.stdout.readline().split()[1])
        self.fired = threading.Semaphore(0)
        threading.Thread(target=self._read_events, daemon=True).start()

    def _read_events(self):
        for line in self.process.stdout:
            if line.strip() == "fired":
                self.fired.release()

    def tell(self, line):
        self.process.stdin.write(line + "\n")

    def cut_within(self, when, kind, seconds):
        """Cuts at the next request of that kind; False when there was none in time."""
        self.tell(f"arm {when} {kind}")
        if self.fired.acquire(timeout=seconds):
            return True
        self.tell("disarm")
        return self.fired.acquire(timeout=0.2)

    def stop(self):
        self.process.stdin.close()
        self.process.wait(10)


class Stack:
    """Context manager: everything runs inside, nothing is left behind."""

    def __init__(self, logs=None):
        self.logs = logs
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="cleanup-faults-"))
        self.kafka_folder = self.folder / "kafka"
        self.env = {"DEVSTACK_DIR": str(self.folder / "stack"), "DEVSTACK_DURABLE": "1"}
        self.proxies = []

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *unused):
        self.stop()

    def _start(self):
        script("devstack", "up", "--no-broker", env=self.env)
        lines = script("devstack", "env", env=self.env)
        self.postgres_port = int(lines.split("port=")[1].split("\\")[0].split()[0])
        self.postgres_proxy = self._add_proxy("postgres")
        self.kafka_proxy = self._add_proxy("kafka")
        self.bootstrap = self.start_kafka()
        behind = (self.kafka_folder / "behind").read_text().strip()
        self.postgres_proxy.tell(f"target {self.postgres_port}")
        self.kafka_proxy.tell(f"target {behind.split(':')[1]}")

    def _add_proxy(self, protocol):
        self.proxies.append(ProxyProcess(protocol))
        return self.proxies[-1]

    def stop(self):
        for proxy in self.proxies:
            proxy.stop()
        script("kafka", "stop", self.kafka_folder)
        if self.logs is not None:
            self._keep_logs()
        script("devstack", "down", env=self.env)
        shutil.rmtree(self.folder)

    def _keep_logs(self):
        self.logs.mkdir(parents=True, exist_ok=True)
        logs = ("*/*.log", "kafka/controller/*.log", "stack/postgres/log")
        for path in (path for pattern in logs for path in self.folder.glob(pattern)):
            shutil.copy(path, self.logs / f"{path.parent.name}-{path.name}")

    def dsn(self, database, port=None):
        return f"host=127.0.0.1 port={port or self.postgres_port} user=postgres dbname={database}"

    def worker_dsn(self, database):
        return self.dsn(database, self.postgres_proxy.port)

    @property
    def worker_bootstrap(self):
        return f"127.0.0.1:{self.kafka_proxy.port}"

    # Outages

    def start_kafka(self):
        return script("kafka", "start", self.kafka_folder, str(self.kafka_proxy.port)).strip()

    def kill_kafka(self):
        """The controller learns of it at once. A broker that comes back before it is missed leads its partitions again,
        until its new registration takes that away for a moment, and Kafka 4.3.1 takes partitions without a leader for
        deleted ones: the end of a transaction that was decided when the broker died is then never written to them."""
        script("kafka", "kill", self.kafka_folder)
        broker.unregister((self.kafka_folder / "controller/bootstrap").read_text().strip(), BROKER_ID)

    def signal_kafka(self, number):
        os.kill(int((self.kafka_folder / "kafka.pid").read_text()), number)

    def freeze_kafka(self):
        self.signal_kafka(signal.SIGSTOP)

    def thaw_kafka(self):
        self.signal_kafka(signal.SIGCONT)

    def crash_postgres(self):
        script("devstack", "crash", env=self.env)

    def start_postgres(self):
        script("devstack", "up", "--no-broker", env=self.env)

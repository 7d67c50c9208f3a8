"""Others beside the workers: a consumer in their group, and a cluster that names addresses where nothing is."""
import contextlib
import socket
import subprocess
import threading

from harness import BOOTSTRAP

ADDRESS = b"127.0.0.1"
NOWHERE = b"x.invalid"  # as long, so that answers keep their form


def _pump(source, target, hide):
    try:
        while True:
            data = source.recv(65536)
            if not data:
                break
            target.sendall(data.replace(ADDRESS, NOWHERE) if hide else data)
    except OSError:
        pass
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def relay_of_unknown_names():
    """The address of a relay to the brokers whose answers say that all of them are at x.invalid."""
    host, port = BOOTSTRAP.split(",")[0].rsplit(":", 1)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                broker = socket.create_connection((host, int(port)))
                for pair in ((client, broker, False), (broker, client, True)):
                    threading.Thread(target=_pump, args=pair, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@contextlib.contextmanager
def consumer_in_group(group, topic, assignor):
    """A consumer that is no worker."""
    process = subprocess.Popen(["kcat", "-q", "-b", BOOTSTRAP, "-X", f"partition.assignment.strategy={assignor}", "-G", group, topic],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()

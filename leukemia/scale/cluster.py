"""The Ray cluster that work is spread over: one of our own on this machine, or one that the user names.

One of our own listens on this machine's loopback alone, and only who holds a key that is drawn for it may
give it work. It keeps its files in a folder that goes with it. What Ray reports to its makers is switched off
in :mod:`leukemia.offline`.
"""

import contextlib
import os
import secrets
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from leukemia.errors import ClusterError
from leukemia.storage import atomic

# Bytes of Ray's shared memory: what is passed is small. Ray takes a third of the machine's otherwise.
SHARED_MEMORY = 100 * 1024**2
# Of a path, with which Ray's own parts of it leave room.
LONGEST = 12
# Seconds to wait for the machine that is named.
PATIENCE = 5.0
MISSING = (
    "Ray is not installed: install what requirements-scale.txt lists, or work without it (--executor local)."
)
NOT_STARTED = "Ray could not be started on this machine. Work without it: --executor local."
NO_ANSWER = (
    "No Ray cluster answers at {}. Check the address (HOST:PORT), that this machine is part of the cluster, "
    "and that it runs the version of Ray that requirements-scale.txt lists."
)
LOOPBACK = "127.0.0.1"
# For a cluster of our own, all read once, when Ray is imported. On Linux it takes the address by which others
# reach this machine, whatever address it is given; told that it knows no clusters, it keeps to loopback.
OWN = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_AUTH_MODE": "token", "RAY_worker_niceness": "0"}
KEY = "RAY_AUTH_TOKEN"


@contextlib.contextmanager
def opened(address: str, cores: int) -> Iterator[int]:
    """Have a cluster at hand for as long as the context lasts.

    Parameters
    ----------
    address : str
        ``HOST:PORT`` of a cluster that this machine is part of; empty for one of our own.
    cores : int
        Of this machine, that one of our own may use.

    Yields
    ------
    int
        The cores of the cluster, at least 1.

    Raises
    ------
    ClusterError
        Where Ray is not installed, or the cluster cannot be started or reached.
    """
    if not address:
        os.environ |= OWN
        os.environ.setdefault(KEY, secrets.token_hex(32))
    ray = imported()
    with _joined(ray, address) if address else _own(ray, cores):
        _keep_to_the_point()
        yield max(1, int(ray.cluster_resources().get("CPU", 1)))


def imported() -> ModuleType:
    """Ray's module.

    Raises
    ------
    ClusterError
        Where it is not installed.
    """
    try:
        import ray
    except ImportError as error:
        raise ClusterError(MISSING) from error
    return ray


@contextlib.contextmanager
def _own(ray: ModuleType, cores: int) -> Iterator[None]:
    # Where this process is killed, the next one that works with Ray removes the folder.
    with atomic.partial_folder(_short_place()) as folder:
        folder.chmod(0o700)
        given = {
            "address": "local",
            "num_cpus": cores,
            "include_dashboard": False,
            "object_store_memory": SHARED_MEMORY,
            "_temp_dir": str(folder),
        }
        with _no_dashboard(), _running(ray, given, NOT_STARTED):
            if ray.util.get_node_ip_address() != LOOPBACK:
                raise ClusterError(NOT_STARTED)
            yield


def _short_place() -> Path:
    """Where Ray's files go: below it lie sockets, whose paths have at most 107 characters."""
    place, short = Path(tempfile.gettempdir()), Path("/tmp")  # noqa: S108 - the folder is made for us alone
    return short if len(str(place)) > LONGEST and short.is_dir() else place


@contextlib.contextmanager
def _joined(ray: ModuleType, address: str) -> Iterator[None]:
    trouble = NO_ANSWER.format(address)
    host, _, port = address.rpartition(":")
    try:
        # Ray itself asks for most of a minute.
        socket.create_connection((host, int(port)), PATIENCE).close()
    except (OSError, ValueError, OverflowError) as error:
        raise ClusterError(trouble) from error
    with _running(ray, {"address": address}, trouble):
        yield


@contextlib.contextmanager
def _running(ray: ModuleType, given: dict[str, object], trouble: str) -> Iterator[None]:
    # Ray puts a handler of its own in the place of the one by which a job is asked to end.
    on_request = signal.getsignal(signal.SIGTERM)
    try:
        with _muted():
            ray.init(logging_level="ERROR", log_to_driver=False, **given)
    # It fails in many ways: ConnectionError, RuntimeError, ValueError, some of its own.
    except Exception as error:
        ray.shutdown()
        raise ClusterError(trouble) from error
    finally:
        _restore(on_request)
    try:
        yield
    finally:
        ray.shutdown()


def _restore(on_request: object) -> None:
    # Where there was none, Ray's ends the command as Ctrl-C does, so that nothing is left behind.
    if threading.current_thread() is threading.main_thread() and callable(on_request):
        signal.signal(signal.SIGTERM, on_request)


@contextlib.contextmanager
def _no_dashboard() -> Iterator[None]:
    """Start no process for the dashboard.

    Where it is switched off, Ray starts it all the same, for its reports; with those off, too, it asks the
    network in which cloud it is. Ray has no public way to leave it out.
    """
    from ray._private.node import Node

    before = Node.start_api_server

    def start_none(node: Node, **_: object) -> None:
        node._webui_url = None

    Node.start_api_server = start_none
    try:
        yield
    finally:
        Node.start_api_server = before


def _keep_to_the_point() -> None:
    """Keep what Ray says of a lost worker off the terminal: what becomes of its work is ours to say.

    Ray has no public way to do that, and prints it among the output of the command.
    """
    from ray._private import worker

    worker.print_to_stdstream = lambda *_, **__: None


@contextlib.contextmanager
def _muted() -> Iterator[None]:
    """Keep what is written to the error stream by libraries that are not Python's off the terminal."""
    stderr = os.dup(2)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)

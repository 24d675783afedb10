"""Python imports this when it starts, where its folder is on PYTHONPATH: each process is watched from then.

Notes every look-up and connection that is not loopback, and all that is opened for writing, made, moved or
linked below the home folder, in the file NOTES; and refuses it.
"""

import ipaddress
import os
import sys

NOTES, HOME = os.environ["NOTES"], os.path.realpath(os.environ["HOME"])
LOOKED_UP = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo"}
CONNECTED = {"socket.connect", "socket.sendto", "socket.sendmsg", "socket.bind"}
WRITTEN = {
    "os.mkdir": 0,
    "os.rename": 1,
    "os.link": 1,
    "os.symlink": 1,
    "os.truncate": 0,
    "sqlite3.connect": 0,
}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC


def is_local(host):
    host = host.decode() if isinstance(host, bytes) else str(host)
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host in ("localhost", "", "None")


def is_at_home(path):
    if not isinstance(path, str | bytes | os.PathLike):
        return False
    path = os.path.realpath(os.fsdecode(path))
    return path == HOME or path.startswith(HOME + os.sep)


def problem(event, arguments):
    """What is wrong with an event, in a few words; empty where nothing is."""
    if event in LOOKED_UP:
        host = arguments[0][0] if isinstance(arguments[0], tuple) else arguments[0]
        return "" if is_local(host) else f"looks up {host}"
    if event in CONNECTED and isinstance(arguments[1], tuple):
        return "" if is_local(arguments[1][0]) else f"connects to {arguments[1][0]}"
    if event == "open":
        path, mode, flags = arguments
        writes = set(mode or "") & set("wax+") or (flags or 0) & WRITES
        return f"opens {path}" if writes and is_at_home(path) else ""
    if event in WRITTEN and is_at_home(arguments[WRITTEN[event]]):
        return f"makes {arguments[WRITTEN[event]]}"
    return ""


def watch(event, arguments):
    if event.partition(".")[0] not in ("socket", "open", "os", "sqlite3"):
        return
    if said := problem(event, arguments):
        out = os.open(NOTES, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(out, f"{said} ({' '.join(sys.orig_argv)[-120:]})\n".encode())
        os.close(out)
        raise PermissionError(said)


sys.addaudithook(watch)
# Says that it is watched, so that no test passes because nobody watched.
_started = os.open(f"{NOTES}.started", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
os.write(_started, f"{' '.join(sys.orig_argv)}\n".encode())
os.close(_started)

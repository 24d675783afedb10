"""Nothing leaves the machine, and nothing is written to the home folder."""

import json
import os
import subprocess
import sys

import pytest

from leukemia.settings import PROJECT

# Notes every look-up and connection that is not loopback, also those of forked children.
WATCHED = """
import ipaddress, os, sys  # noqa

def is_local(host):
    host = host.decode() if isinstance(host, bytes) else str(host)
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host in ("localhost", "", "None", os.uname().nodename)

def watch(event, arguments):
    host = None
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
    elif event in ("socket.connect", "socket.sendto") and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    if host is not None and not is_local(host):
        os.write(int(os.environ["NOTES"]), f"{event} {host}\\n".encode())
        raise PermissionError(f"{event} {host}")

sys.addaudithook(watch)
"""
RUN = WATCHED + "from leukemia.cli.main import main\nsys.exit(main(sys.argv[1:]))\n"
ASK = (
    WATCHED
    + "import socket\ntry:\n    socket.getaddrinfo('example.org', 80)\nexcept PermissionError:\n    pass\n"
)


def run_watched(code, arguments, home):
    """What was looked up or connected to, and the program's exit status."""
    home.mkdir()
    read, write = os.pipe()
    environment = {key: value for key, value in os.environ.items() if key not in ("CI", "TF_BUILD")}
    environment |= {"HOME": str(home), "NOTES": str(write)}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=PROJECT,
        env=environment,
        pass_fds=(write,),
        capture_output=True,
        text=True,
        check=False,
    )
    os.close(write)
    with os.fdopen(read) as notes:
        return notes.read().splitlines(), done


@pytest.mark.process
def test_the_watch_sees_a_look_up(tmp_path):
    assert run_watched(ASK, [], tmp_path / "home")[0] == ["socket.getaddrinfo example.org"]


@pytest.mark.process
def test_classify_asks_no_other_machine_and_leaves_the_home_folder_alone(tiny_bundle, drawn_files, tmp_path):
    home, table = tmp_path / "home", tmp_path / "cells.csv"
    arguments = ["classify", drawn_files, "--model", tiny_bundle, "--output", table]
    notes, done = run_watched(RUN, list(map(str, arguments)), home)
    assert (notes, done.returncode) == ([], 0), done.stderr
    assert table.read_text().count("\n") == len(list(drawn_files.iterdir())) + 1
    assert [str(path) for path in home.rglob("*")] == []


@pytest.mark.process
def test_openvino_and_its_converter_are_imported_without_telemetry(tmp_path):
    code = WATCHED + (
        "import json, leukemia, openvino\n"
        "from openvino.tools.ovc import telemetry_utils\n"
        "print(json.dumps([telemetry_utils.tm.__name__, sys.modules['openvino_telemetry']]))\n"
    )
    home = tmp_path / "home"
    notes, done = run_watched(code, [], home)
    assert json.loads(done.stdout) == ["openvino.tools.ovc.telemetry_stub", None], done.stderr
    assert notes == [] and list(home.iterdir()) == []

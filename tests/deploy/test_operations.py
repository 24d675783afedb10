"""The commands of docs/operations.md as they are typed, held against the services of compose.yaml."""

import os
import re
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path, PurePosixPath

import pytest

from leukemia.cli.main import parser
from leukemia.settings import PROJECT
from tests.support import deploy

TEXT = (PROJECT / "docs/operations.md").read_text(encoding="utf-8")
COMPOSE = deploy.compose({"LEUKEMIA_HOST": "cells.hospital.example", "POSTGRES_PASSWORD": "s3cret"})
SERVICES = COMPOSE["services"]
USER = SERVICES["rest"]["user"].partition(":")[0]
# Of docker compose and of its `run`: those with a value after them.
VALUED = {"--project-name", "--volume"}
# By root without capabilities, as compose.yaml drops them; {} for those that are added.
CONFINED = ["setpriv", "--bounding-set=-all{}", "--inh-caps=-all"]


def lines():
    """Each command of the document: of its shell blocks, and in the text."""
    blocks = re.findall(r"^ *```sh\n(.*?)```", TEXT, re.MULTILINE | re.DOTALL)
    rest = re.sub(r"^ *```sh\n.*?```", "", TEXT, flags=re.MULTILINE | re.DOTALL)
    spans = [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", rest)]
    written = [line.strip() for block in blocks for line in block.splitlines()]
    return [*filter(None, written), *(span for span in spans if span.startswith(("docker", "install")))]


def runs():
    """Each ``docker compose run`` or ``exec``: service, what is mounted for it, its command."""
    for line in lines():
        words = shlex.split(line)
        if words[:2] != ["docker", "compose"]:
            continue
        mounted, rest = [], words[2:]
        while rest and (rest[0] in ("run", "exec") or rest[0].startswith("-")):
            word = rest.pop(0)
            if word in VALUED:
                value = rest.pop(0)
                mounted += [value] if word == "--volume" else []
        if "run" in words or "exec" in words:
            yield rest[0], mounted, rest[1:]


def test_commands_are_those_of_a_service_that_can_read_and_write_what_they_name():
    found = list(runs())
    assert len(found) >= 6
    for service, mounted, command in found:
        one = SERVICES[service]
        inside = [mount.split(":")[1] for mount in [*one["volumes"], *mounted]]
        inside += [mount.split(":")[0] for mount in one["tmpfs"]]
        read_only = [mount.split(":")[1] for mount in mounted if mount.endswith(":ro")]
        paths = re.findall(r"(?<![\w.])/[\w./-]+", " ".join(command))
        for path in paths:
            assert any(PurePosixPath(path).is_relative_to(place) for place in inside), (path, command)
        if command[:3] == ["python", "-m", "leukemia"]:
            options = parser().parse_args(command[3:])
            if options.command == "backup":
                assert not str(options.folder).startswith(("/data/", *read_only))


def test_each_command_that_needs_it_is_there():
    said = {command[3] for _, _, command in runs() if command[:1] == ["python"]}
    assert {"keys", "backup", "restore"} <= said


def test_a_folder_of_the_host_that_is_written_to_is_made_for_the_user_who_does():
    made = {words[-1]: words[1:-1] for words in map(shlex.split, lines()) if words[:2] == ["install", "-d"]}
    hosts = {mount.split(":")[0] for _, mounted, _ in runs() for mount in mounted}
    assert hosts
    for host in hosts:
        assert made[host] == ["-d", "-o", USER, "-g", USER, "-m", "700"]


@pytest.fixture
def secrets():
    """The folder of secrets, made by the document's lines as they are typed, as root."""
    if os.geteuid() != 0 or not shutil.which("setpriv") or subprocess.run(confined("true")).returncode:
        pytest.skip("only root can give files to others, and setpriv run as they do")
    typed = [line for line in lines() if "deploy/secrets" in line and line.startswith("install")]
    # pytest's folders are closed to other users.
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        for name in ("certificate.pem", "certificate_key.pem", "sign_in.toml"):
            (Path(folder) / name).write_text(name)
        for line in typed:
            subprocess.run(line, shell=True, cwd=folder, check=True)
        yield Path(folder)


def confined(*command, added=""):
    """A command with no capability but those that are added."""
    return [*(word.format(added) for word in CONFINED), *command]


def can_read(service, file):
    """Whether a process with the user and the capabilities of a service can read a file."""
    one = SERVICES[service]
    added = "".join(f",+{name.lower()}" for name in one.get("cap_add", ()))
    assert one["cap_drop"] == ["ALL"]
    uid = one.get("user", "0:0").partition(":")[0]
    user = ["--reuid", uid, "--regid", uid, "--clear-groups"]
    done = subprocess.run(confined(*user, "cat", file, added=added), capture_output=True, check=False)
    return done.returncode == 0


@pytest.mark.process
@pytest.mark.parametrize("secret", COMPOSE["secrets"])
def test_a_secret_is_read_by_its_service_alone(secrets, secret):
    file = secrets / COMPOSE["secrets"][secret]["file"]
    readers = {name for name, one in SERVICES.items() if secret in one.get("secrets", ())}
    assert readers and file.is_file()
    for service in ("dashboard", "proxy"):
        assert can_read(service, file) == (service in readers), service


@pytest.mark.process
def test_the_files_that_are_in_the_repository_are_readable_for_the_proxy(secrets):
    (mount,) = SERVICES["proxy"]["volumes"]
    copy = shutil.copy(PROJECT / mount.split(":")[0], secrets / "Caddyfile")
    os.chown(copy, 1000, 1000)
    Path(copy).chmod(0o644)
    assert can_read("proxy", copy)
    Path(copy).chmod(0o600)
    assert not can_read("proxy", copy)

"""The Dockerfile's steps, done here as far as they go without a container: so that they cannot rot."""

import json
import re
import shlex
import subprocess
import sys

import pytest

from leukemia.settings import PROJECT
from tests.support import deploy


def test_each_path_that_is_copied_is_in_the_repository_and_none_is_kept_out():
    ignore = (PROJECT / ".dockerignore").read_text().splitlines()
    let_in = {line.removeprefix("!") for line in ignore if line.startswith("!")}
    sources = {source for source, _ in deploy.copies()}
    assert sources == let_in
    for source in sources:
        listed = subprocess.run(
            ["git", "ls-files", "--", source], cwd=PROJECT, capture_output=True, text=True, check=True
        ).stdout
        assert listed.strip(), source


def test_what_is_installed_is_what_the_requirements_pin():
    (line,) = [rest for step, rest in deploy.steps() if step == "RUN" and " pip " in rest]
    words = shlex.split(line)
    assert [word for word in words if not word.startswith("-")] == [
        "python",
        "pip",
        "install",
        "requirements.txt",
    ]
    listed = (PROJECT / "requirements.txt").read_text().splitlines()
    assert (
        listed[1] == "-c constraints.txt"
        and {"requirements.txt", "constraints.txt"} <= dict(deploy.copies()).keys()
    )
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", one) for one in listed[2:])


def test_the_base_is_pinned_and_no_step_names_another_host():
    (base, *_) = [rest for step, rest in deploy.steps() if step == "FROM"]
    assert re.fullmatch(r"python:3\.11-slim-\w+", base)
    text = (PROJECT / "Dockerfile").read_text()
    assert not re.search(r"https?://|index-url|\w+\.(com|org|io|net)\b", text)


def test_it_does_not_run_as_root_and_writes_only_where_it_may():
    order = [step for step, _ in deploy.steps()]
    (user,) = [rest for step, rest in deploy.steps() if step == "USER"]
    assert int(user) > 0 and order.index("USER") < order.index("CMD")
    for name, value in deploy.environment().items():
        assert not value.startswith("/") or value.startswith(("/data", "/tmp")), name


@pytest.mark.process
def test_the_image_has_all_that_the_program_needs(tmp_path):
    """Every module of the layout is compiled, by the Dockerfile's own line, and the commands start."""
    app = deploy.image(tmp_path / "app")
    (line,) = [rest for step, rest in deploy.steps() if step == "RUN" and "compileall" in rest]
    _, *rest = shlex.split(line)
    subprocess.run([sys.executable, *rest], cwd=app, check=True)
    environment = deploy.plain_environment() | {"LEUKEMIA_DATA": str(tmp_path / "data")}
    done = subprocess.run(
        [sys.executable, "-m", "leukemia", "evaluate", "models/champion"],
        cwd=app,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "sensitivity" in done.stdout


def test_the_command_is_that_of_the_readme():
    (command,) = [json.loads(rest) for step, rest in deploy.steps() if step == "CMD"]
    assert command[1:] == ["-m", "streamlit", "run", "server.py"]
    assert deploy.health_check()[:3] == ["python", "-m", "leukemia.health"]

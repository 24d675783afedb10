"""``keys`` and ``serve``: keys shown once, nobody else served without one, README lines as written."""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys

import pytest

from leukemia.access import keys
from leukemia.cli import service
from leukemia.cli.main import ANSWERED, UNUSABLE, main
from leukemia.settings import PROJECT, RESEARCH_USE
from tests.support.postgres import free_port
from tests.support.rest import PATIENCE


def test_a_key_is_printed_alone_so_that_a_shell_can_take_it(tmp_path, capsys):
    data = tmp_path / "data"
    assert main(["keys", "add", "ward 7", "--role", "reader", "--data", str(data)]) == ANSWERED
    printed = capsys.readouterr()
    text = printed.out.strip()
    assert keys.find(data, text).roles == "reader"
    assert "ward 7: reader" in printed.err and text not in printed.err
    assert main(["keys", "list", "--data", str(data)]) == ANSWERED
    listed = capsys.readouterr().out
    assert "ward 7: reader; made" in listed and listed.strip().endswith("valid")
    assert text.split("_", 2)[2] not in listed
    assert main(["keys", "revoke", "ward 7", "--reason", "lost", "--data", str(data)]) == ANSWERED
    assert keys.find(data, text) is None
    assert main(["keys", "revoke", "ward 7", "--reason", "lost", "--data", str(data)]) == UNUSABLE
    assert "no valid key" in capsys.readouterr().err
    assert main(["keys", "list", "--data", str(data)]) == ANSWERED
    assert "revoked" in capsys.readouterr().out
    assert main(["audit", "list", "--data", str(data)]) == ANSWERED
    assert "key revoked" in capsys.readouterr().out


def test_the_least_role_is_given_where_none_is_named(tmp_path, capsys):
    assert main(["keys", "add", "lab", "--data", str(tmp_path)]) == ANSWERED
    assert keys.find(tmp_path, capsys.readouterr().out.strip()).roles == "viewer"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "::", "ward7.example"])
def test_without_a_key_no_other_machine_is_served(tmp_path, host, monkeypatch, capsys):
    import uvicorn

    monkeypatch.setattr(uvicorn.Server, "run", lambda *_, **__: pytest.fail("It was started."))
    monkeypatch.setenv("LEUKEMIA_DATA", str(tmp_path))
    assert main(["serve", "--host", host]) == UNUSABLE
    said = capsys.readouterr().err
    assert f"It was not started at {host}." in said and "keys add" in said


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [("LEUKEMIA_API_RATE", "many", "LEUKEMIA_API_RATE"), ("LEUKEMIA_BASE_PATH", "a b", "LEUKEMIA_BASE_PATH")],
)
def test_a_setting_that_is_wrong_is_named(setting, value, said, monkeypatch, capsys):
    monkeypatch.setenv(setting, value)
    assert main(["serve"]) == UNUSABLE
    assert said in capsys.readouterr().err


def test_a_port_that_is_taken_is_named(capsys):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert main(["serve", "--port", str(port)]) == UNUSABLE
    said = capsys.readouterr().err
    assert f"cannot listen at 127.0.0.1, port {port}" in said and "Traceback" not in said


@pytest.mark.skipif(os.name != "posix", reason="on Windows, a folder's own rights decide")
@pytest.mark.parametrize(("mode", "is_told"), [(0o755, True), (0o700, False)])
def test_a_data_folder_that_other_accounts_can_look_into_is_told_of(
    tmp_path, monkeypatch, capsys, mode, is_told
):
    tmp_path.chmod(mode)
    monkeypatch.setenv("LEUKEMIA_DATA", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as other:
        assert main(["serve", "--port", str(other.getsockname()[1])]) == UNUSABLE
    assert (f"chmod 700 {tmp_path}" in capsys.readouterr().err) == is_told


def readme_block():
    """The README's shell block about REST."""
    text = (PROJECT / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"### Other programs, over REST.*?```sh\n(.*?)```", text, re.DOTALL)
    return block


@pytest.mark.process
def test_the_lines_of_the_readme_work_when_pasted_whole(tmp_path, tiny_bundle):
    if not shutil.which("curl"):
        pytest.skip("no curl here")
    block, port = readme_block(), free_port()
    # Nothing is changed but the port, which may be taken here.
    assert (block.count(f":{service.PORT}"), block.count("leukemia serve &")) == (1, 1)
    block = block.replace(f":{service.PORT}", f":{port}").replace("serve &", f"serve --port {port} &")
    here, data = tmp_path / "bin", tmp_path / "data"
    here.mkdir()
    # A link would lose the packages beside it.
    (here / "python").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    (here / "python").chmod(0o755)
    environment = os.environ | {
        "PATH": f"{here}:{os.environ['PATH']}",
        "LEUKEMIA_DATA": str(data),
        "LEUKEMIA_MODEL": str(tiny_bundle),
    }
    done = subprocess.run(
        ["bash", "-uc", f"trap 'kill $!; wait' EXIT\nset -e\n{block}"],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    asked = sum(line.startswith("curl ") for line in block.splitlines())
    # The service says it once itself; the last answer is for Prometheus.
    assert (asked, done.stdout.count(RESEARCH_USE)) == (5, 5), done.stdout
    assert '"decision":"' in done.stdout and "leukemia_answers_total" in done.stdout
    assert '"error"' not in done.stdout
    assert "POST /v1/classify 200" in done.stderr and "Traceback" not in done.stderr

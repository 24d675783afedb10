"""The same registry on a real MLflow server over a real PostgreSQL, both started here."""

import os
import shutil
import subprocess
import sys
import time
import urllib.request

import pytest

from leukemia import settings
from leukemia.bundles import bundle as bundles
from leukemia.cli.main import ANSWERED, UNUSABLE, main
from leukemia.errors import RegistryError
from leukemia.registry import promotion, promotion_log, serving, versions
from leukemia.storage.workspace import Workspace
from leukemia.tracking import mlflow, run_history, run_writer
from leukemia.tracking.records import RunKind, RunStatus
from tests.support.bundle_factory import write_bundle
from tests.support.postgres import WRITTEN, free_port
from tests.support.runs_factory import make_versions

pytestmark = pytest.mark.process
STATE_TIMEOUT = mlflow.STATE_TIMEOUT


@pytest.fixture(scope="module")
def server(postgres, tmp_path_factory):
    """``mlflow server`` over it, which keeps the artifacts, too; yields its address."""
    _, database, _, _ = postgres
    port, folder = free_port(), tmp_path_factory.mktemp("mlflow")
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += [
        "--backend-store-uri",
        f"postgresql+psycopg2://leukemia:{WRITTEN}@127.0.0.1:{database}/postgres",
    ]
    command += ["--artifacts-destination", str(folder / "artifacts"), "--workers", "1"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW")}
    log = folder / "log.txt"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=out, stderr=out, start_new_session=True
        )
    try:
        wait(f"http://127.0.0.1:{port}/health", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        # The server starts workers of its own.
        import contextlib
        import signal

        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait(address, process, log, seconds=240):
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except OSError:
            time.sleep(0.3)
    raise AssertionError(f"mlflow server did not start:\n{log.read_text(errors='replace')}")


@pytest.fixture
def data(server, tmp_path, monkeypatch):
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.delenv("LEUKEMIA_MODEL", raising=False)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    monkeypatch.setenv("LEUKEMIA_DATA", str(folder))
    monkeypatch.setattr(settings, "SHIPPED", write_bundle(tmp_path / "shipped", 0.8, "shipped"))
    # A busy machine that tests it is no server that does not answer.
    for name in ("STATE_TIMEOUT", "FIRST_TIMEOUT", "LIST_TIMEOUT"):
        monkeypatch.setattr(mlflow, name, 240.0)
    monkeypatch.setattr(serving, "FETCH_TIMEOUT", 240.0)
    return folder


def test_versions_are_registered_promoted_listed_and_rolled_back_on_the_server(
    data, tmp_path, postgres, capsys, monkeypatch
):
    assert serving.find().notice == ""
    assert versions.registered(data) == []
    first, second = make_versions(data, tmp_path, [0.9, 0.85])
    assert not (data / "mlflow.db").exists() and not (data / "mlruns").exists()
    assert [version.recipe for version in versions.registered(data)] == ["recipe-1", "recipe-0"]

    promotion.promote(data, first, "Ada", "first, \N{GREEK SMALL LETTER ALPHA}")
    warning = promotion.warnings(data, versions.version(data, second))[0]
    promotion.promote(data, second, "Ben", "quicker")
    assert "falls from 0.900" in warning
    promotion.challenge(data, first)
    served = serving.find()
    assert (served.version, served.bundle.recipe, served.notice) == (second, "recipe-1", "")

    # A machine that never saw the bundle fetches it from the server, and it is the same.
    shutil.rmtree(Workspace(data).serving)
    folder = serving.find().bundle.folder
    assert folder.parent == Workspace(data.resolve()).serving
    for name in bundles.CHECKED:
        assert (folder / name).read_bytes() == (tmp_path / "bundle-1-0.85" / name).read_bytes()

    directly = versions.registry_state(data)
    assert directly == mlflow.MlflowStore(data).registry_state_through_client()
    assert directly.aliases == {"champion": second, "challenger": first}

    assert main(["versions"]) == ANSWERED
    printed = capsys.readouterr().out
    assert "[champion]" in printed and "by Ada: first, \N{GREEK SMALL LETTER ALPHA}" in printed
    assert main(["rollback", "--by", "Ada", "--reason", "too many missed", "--read"]) == ANSWERED
    assert f"In service: version {first}" in capsys.readouterr().out
    assert main(["promote", "99", "--by", "Ada", "--reason", "x"]) == UNUSABLE
    assert "no model version 99" in capsys.readouterr().err
    assert [event.action for event in versions.events(data)] == [promotion_log.PROMOTED] * 2 + [
        promotion_log.ROLLED_BACK
    ]
    assert serving.find().version == first

    # The same registry, read from its PostgreSQL without the server between.
    address = f"postgresql+psycopg2://leukemia:{WRITTEN}@127.0.0.1:{postgres[1]}/postgres"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    assert versions.registry_state(data).aliases["champion"] == first


def test_a_server_whose_postgresql_stopped_leaves_the_last_version_answering_soon(
    data, postgres, tmp_path, monkeypatch
):
    pg_ctl, port, options, folder = postgres
    (number,) = make_versions(data, tmp_path, [0.97])
    promotion.promote(data, number, "Ada", "best so far")
    assert serving.find().version == number
    pg_ctl("-m", "immediate", "stop")
    monkeypatch.setattr(mlflow, "STATE_TIMEOUT", STATE_TIMEOUT)
    try:
        began = time.monotonic()
        served = serving.find()
        took = time.monotonic() - began
        with pytest.raises(RegistryError, match="cannot be read"):
            promotion.roll_back(data, "Ada", "to see")
        monkeypatch.setenv(
            "MLFLOW_TRACKING_URI", f"postgresql+psycopg2://leukemia:{WRITTEN}@127.0.0.1:{port}/postgres"
        )
        began = time.monotonic()
        assert "does not answer" in serving.find().notice
        took = max(took, time.monotonic() - began)
    finally:
        pg_ctl("-w", "-t", "240", "-l", folder / "log.txt", "-o", options, "start")
    assert (served.version, served.bundle.recipe) == (number, "recipe-0")
    assert "cannot be read" in served.notice and "last one used here" in served.notice
    assert took < 2


def test_past_runs_are_listed_from_the_server_with_their_parts_and_epochs(data, tmp_path):
    whole = run_writer.start(data, "folds", {"recipe": "r", "folds": 2}, {}, kind=RunKind.CROSSVALIDATE)
    part = run_writer.start(data, "fold 1/2", {"recipe": "r"}, {}, kind=RunKind.FOLD, parent=whole.run_id)
    for epoch in range(2):
        part.epoch(epoch, {"loss": 0.5 - epoch / 10})
    part.close({"test_sensitivity": 0.9, "test_sensitivity_low": 0.8})
    (number,) = make_versions(data, tmp_path, [0.91])
    runs = run_history.runs(data)
    assert [one.run_id for one in runs if one.run_id == whole.run_id] == [whole.run_id]
    assert part.run_id not in [one.run_id for one in runs]
    assert (runs[0].version, runs[0].estimates["sensitivity"]["value"]) == (number, 0.91)
    assert run_history.run(data, whole.run_id).status == RunStatus.RUNNING
    (child,) = run_history.children(data, whole.run_id)
    assert (child.name, child.kind, child.status) == ("fold 1/2", RunKind.FOLD, RunStatus.FINISHED)
    assert child.estimates == {"sensitivity": {"value": 0.9, "low": 0.8}}
    assert run_history.histories(data, part.run_id) == [{"loss": 0.5}, {"loss": 0.4}]

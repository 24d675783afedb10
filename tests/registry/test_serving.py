import contextlib
import json
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time

import pytest

from leukemia import settings
from leukemia.bundles import bundle as bundles
from leukemia.errors import BundleError
from leukemia.registry import bundle_cache, promotion, promotion_log, serving, versions
from leukemia.storage.workspace import Workspace
from leukemia.tracking.mlflow import MlflowStore
from tests.support.bundle_factory import write_bundle
from tests.support.runs_factory import data_folder, make_versions

# Seconds that an answer may take where the registry does not answer: MLflow by itself waits for minutes.
SOON = 20.0


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("LEUKEMIA_MODEL", raising=False)
    monkeypatch.setattr(settings, "SHIPPED", write_bundle(tmp_path / "shipped", 0.8, "shipped"))
    monkeypatch.setenv("LEUKEMIA_DATA", str(tmp_path / "data"))


@pytest.fixture
def data(tmp_path):
    """Three versions, of which the first and then the second were put in service."""
    folder = data_folder(tmp_path / "data")
    make_versions(folder, tmp_path, [0.9, 0.92, 0.94])
    promotion.promote(folder, 1, "Ada", "first")
    promotion.promote(folder, 2, "Ada", "better")
    return folder


def alter(data, number, *, here=True, there=True):
    """Alter a version's weights on this machine and where MLflow keeps them."""
    run_id = versions.version(data, number).run_id
    places = [*Workspace(data).serving.glob(f"version-{number}-*")] * here
    places += [*(data / "mlruns").glob(f"{run_id}/artifacts/bundle")] * there
    assert len(places) == here + there
    for place in places:
        (place / bundles.WEIGHTS).write_text("altered")


def drop(data, number):
    """Remove a version's bundle here and there."""
    shutil.rmtree(data / "mlruns" / versions.version(data, number).run_id)
    for place in Workspace(data).serving.glob(f"version-{number}-*"):
        shutil.rmtree(place)


def timed():
    began = time.monotonic()
    served = serving.find()
    return served, time.monotonic() - began


def test_with_an_empty_registry_the_shipped_bundle_answers_without_a_notice(tmp_path):
    for make in (tmp_path.joinpath, data_folder):
        with contextlib.suppress(FileExistsError):
            make(tmp_path / "data")
        served = serving.find()
        assert (served.bundle.recipe, served.version, served.notice) == ("shipped", None, "")


def test_with_versions_but_none_promoted_the_shipped_bundle_answers_without_a_notice(tmp_path):
    make_versions(data_folder(tmp_path / "data"), tmp_path, [0.9])
    served = serving.find()
    assert (served.bundle.recipe, served.notice) == ("shipped", "")


def test_the_champion_answers(data):
    served = serving.find()
    assert (served.version, served.bundle.recipe, served.notice) == (2, "recipe-1", "")


@pytest.mark.process
def test_finding_the_champion_imports_no_mlflow_and_no_numpy(data):
    code = (
        "import sys\nfrom leukemia.registry import serving\nprint(serving.find().version)\n"
        "print({'mlflow', 'numpy', 'pandas', 'keras'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=settings.PROJECT)
    assert done.stdout.splitlines() == ["2", "set()"]


def test_a_promotion_and_a_rollback_are_seen_at_the_next_check(data):
    promotion.promote(data, 3, "Ada", "best")
    assert serving.find().version == 3
    promotion.roll_back(data, "Ben", "as before")
    assert serving.find().version == 2
    promotion.roll_back(data, "Ben", "as before")
    promotion.roll_back(data, "Ben", "as before")
    served = serving.find()
    assert (served.version, served.bundle.recipe, served.notice) == (None, "shipped", "")


def test_a_bundle_named_outright_wins(data, tmp_path, monkeypatch):
    monkeypatch.setenv("LEUKEMIA_MODEL", str(write_bundle(tmp_path / "mine", 0.5, "mine")))
    served = serving.find()
    assert (served.bundle.recipe, served.version, served.notice) == ("mine", None, "")


def test_a_champion_that_was_altered_gives_way_to_the_one_before_it_with_a_notice(data):
    alter(data, 2)
    served = serving.find()
    assert (served.version, served.bundle.recipe) == (1, "recipe-0")
    assert "Version 2 should be in service but cannot be used" in served.notice
    assert bundles.WEIGHTS in served.notice
    assert "Version 1, in service earlier, is used instead" in served.notice


def test_a_champion_altered_on_this_machine_only_is_fetched_anew(data):
    alter(data, 2, there=False)
    served = serving.find()
    assert (served.version, served.notice) == (2, "")


def test_a_champion_altered_at_mlflow_only_answers_from_this_machine(data):
    alter(data, 2, here=False)
    assert (serving.find().version, serving.find().notice) == (2, "")


def test_a_bundle_replaced_as_a_whole_by_another_whole_one_is_not_taken_for_it(data, tmp_path):
    other = write_bundle(tmp_path / "other", 0.99, "other")
    run_id = versions.version(data, 2).run_id
    for place in (
        *Workspace(data).serving.glob("version-2-*"),
        data / "mlruns" / run_id / "artifacts" / "bundle",
    ):
        shutil.rmtree(place)
        shutil.copytree(other, place)
    served = serving.find()
    assert served.version == 1
    assert "not the file that was registered" in served.notice


def test_a_champion_whose_files_are_gone_gives_way_to_the_one_before_it(data):
    drop(data, 2)
    served = serving.find()
    assert served.version == 1
    assert "Version 2" in served.notice and "Version 1, in service earlier" in served.notice


def test_where_no_champion_is_whole_the_shipped_bundle_answers_with_a_notice(data):
    drop(data, 2)
    alter(data, 1)
    served = serving.find()
    assert (served.version, served.bundle.recipe) == (None, "shipped")
    assert "Version 2 should be in service" in served.notice
    assert serving.BUILT_IN_ANSWERS in served.notice


def test_a_locked_database_leaves_the_last_one_answering_soon(data):
    serving.find()
    with contextlib.closing(sqlite3.connect(data / "mlflow.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        served, took = timed()
    assert (served.version, served.bundle.recipe) == (2, "recipe-1")
    assert "locked" in served.notice and "Version 2, the last one used here" in served.notice
    assert took < SOON
    assert serving.find().notice == ""


def test_a_locked_database_before_any_check_leaves_the_shipped_bundle(data):
    bundle_cache.note_built_in_served(data)
    with contextlib.closing(sqlite3.connect(data / "mlflow.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        served, took = timed()
    assert served.bundle.recipe == "shipped" and serving.BUILT_IN_ANSWERS in served.notice
    assert took < SOON


def test_a_database_that_is_gone_leaves_the_last_one_answering(data):
    serving.find()
    (data / "mlflow.db").unlink()
    served = serving.find()
    assert served.version == 2
    assert "is now empty: its data are missing" in served.notice
    assert not (data / "mlflow.db").exists()


def test_a_database_that_is_no_database_leaves_the_last_one_answering(data):
    serving.find()
    (data / "mlflow.db").write_bytes(b"not a database" * 100)
    served = serving.find()
    assert served.version == 2
    assert "damaged" in served.notice


@pytest.mark.process
def test_a_database_half_written_by_a_killed_process_is_read_all_the_same(data):
    code = (
        "import os, sqlite3, sys\n"
        "db = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "db.execute('PRAGMA cache_size = 1')\n"
        "db.execute('BEGIN IMMEDIATE')\n"
        'db.execute("UPDATE registered_model_aliases SET version = 9")\n'
        "db.execute('CREATE TABLE big AS WITH RECURSIVE n(x) AS "
        "(SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 20000) SELECT x, hex(randomblob(50)) FROM n')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(data / "mlflow.db")], check=False)
    assert (data / "mlflow.db-journal").exists()
    served = serving.find()
    assert (served.version, served.notice) == (2, "")


@contextlib.contextmanager
def listening(answer=b""):
    """A server that takes connections and says nothing, or always the same; yields its address."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held = []

        def take():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    held.append(connection)
                    if answer:
                        connection.recv(65_536)
                        connection.sendall(answer)
                        connection.close()

        threading.Thread(target=take, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        for connection in held:
            connection.close()


def json_answer(status, content):
    body = json.dumps(content).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def test_a_server_that_does_not_answer_leaves_the_shipped_bundle_soon(tmp_path, monkeypatch):
    with listening() as address:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        served, took = timed()
    assert served.bundle.recipe == "shipped"
    assert "does not answer" in served.notice and serving.BUILT_IN_ANSWERS in served.notice
    assert took < SOON


def test_a_server_that_is_not_there_leaves_the_last_one_answering_soon(data, monkeypatch):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    seal = versions.version(data, 2).record_sha256
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
    bundle_cache.note_served(data, 2, seal)
    served, took = timed()
    assert (served.version, served.bundle.recipe) == (2, "recipe-1")
    assert took < SOON


def test_a_server_whose_own_database_is_gone_leaves_the_shipped_bundle_soon(tmp_path, monkeypatch):
    fault = json_answer("500 Internal Server Error", {"error_code": "INTERNAL_ERROR"})
    with listening(fault) as address:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        served, took = timed()
    assert served.bundle.recipe == "shipped" and "reports an error" in served.notice
    assert took < SOON


def test_a_server_that_knows_no_model_yet_leaves_the_shipped_bundle_without_a_notice(tmp_path, monkeypatch):
    with listening(json_answer("404 Not Found", {"error_code": "RESOURCE_DOES_NOT_EXIST"})) as address:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        served = serving.find()
    assert (served.bundle.recipe, served.notice) == ("shipped", "")


def test_what_answers_but_is_not_mlflow_is_reported(tmp_path, monkeypatch):
    with listening(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello") as address:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        assert "not MLflow" in serving.find().notice


def test_another_registry_has_its_own_last_version(data, monkeypatch):
    serving.find()
    with listening() as address:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        assert serving.find().bundle.recipe == "shipped"


def test_only_a_missing_last_resort_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "SHIPPED", tmp_path / "gone")
    with pytest.raises(BundleError, match="No model bundle"):
        serving.find()


def test_read_directly_and_through_mlflow_the_registry_says_the_same(data):
    promotion.challenge(data, 3)
    directly = versions.registry_state(data)
    assert directly == MlflowStore(data).registry_state_through_client()
    assert directly.aliases == {"champion": 2, "challenger": 3}
    assert [event.version for event in promotion_log.events(directly.tags)] == [1, 2]


@pytest.mark.process
def test_two_processes_that_promote_at_once_are_both_on_record(data):
    code = (
        "import sys\nfrom pathlib import Path\nfrom leukemia.registry import promotion\n"
        "from leukemia.tracking import mlflow_client\n"
        "mlflow_client.client(Path(sys.argv[1])).search_registered_models()\nprint('ready', flush=True)\n"
        "sys.stdin.readline()\n"
        "promotion.promote(Path(sys.argv[1]), int(sys.argv[2]), f'user {sys.argv[2]}', 'at once')\n"
    )
    both = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(data), number],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=settings.PROJECT,
        )
        for number in ("1", "3")
    ]
    for process in both:
        assert process.stdout.readline() == "ready\n"
    for process in both:
        process.stdin.write("\n")
        process.stdin.flush()
    for process in both:
        process.communicate(timeout=120)
        assert process.returncode == 0
    last_two = versions.events(data)[-2:]
    assert {event.by for event in last_two} == {"user 1", "user 3"}
    # One after the other: the second one knew of the first, and it is the one that answers.
    assert last_two[1].earlier == last_two[0].version
    assert serving.find().version == last_two[1].version
    assert promotion.roll_back(data, "Ben", "one at a time").event.version == last_two[0].version


def test_a_watch_sees_a_promotion_within_its_time_and_never_keeps_a_page_waiting(data, monkeypatch):
    watch = serving.Watch()
    assert watch.now().version == 2
    promotion.promote(data, 3, "Ada", "best")
    assert watch.now().version == 2
    monkeypatch.setattr(serving, "EVERY", 0.0)
    watch._due = 0.0
    assert watch.now().version == 3
    ready = threading.Event()
    find = serving.find
    monkeypatch.setattr(serving, "find", lambda: (ready.wait(30), find())[1])
    promotion.roll_back(data, "Ben", "as before")
    began = time.monotonic()
    assert watch.now().version == 3
    assert time.monotonic() - began < SOON
    ready.set()
    until = time.monotonic() + 300
    while watch.now().version != 2:
        assert time.monotonic() < until

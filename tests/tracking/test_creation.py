"""MLflow's database is there whole or not at all, whoever was killed and whoever came at the same time."""

import sqlite3
import subprocess
import sys

import pytest

from leukemia.registry import versions
from leukemia.settings import PROJECT
from leukemia.storage.workspace import Workspace
from leukemia.tracking import creation, mlflow_client, run_history, run_writer
from tests.support.bundle_factory import write_bundle
from tests.support.runs_factory import finish_run

# Ends without a word after so many statements, as a killed process does.
KILLED = """
import os, sys
from pathlib import Path
from sqlalchemy import Engine, event

left = int(sys.argv[2])

@event.listens_for(Engine, "before_cursor_execute")
def count(*_):
    global left
    left -= 1
    if left < 0:
        os._exit(9)

data = Path(sys.argv[1])
"""
# MLflow by itself, as it was let do it before; and as it is done now.
BEFORE = KILLED + (
    "from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore\n"
    "data.mkdir()\n"
    "SqlAlchemyStore(f'sqlite:///{data}/mlflow.db', (data / 'mlruns').as_uri())\n"
)
NOW = KILLED + "from leukemia.tracking import mlflow_client\nmlflow_client.client(data)\n"
RECORD = """
import sys, time
from pathlib import Path
from leukemia.tracking import mlflow_client, run_writer
import mlflow
data = Path(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
run = run_writer.start(data, sys.argv[2], {}, {})
print(run.run_id, run.trouble)
"""


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path / "data"


def run(code, *arguments):
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)


def check_is_usable(data, tmp_path):
    """A run can be recorded, becomes version 1, and nothing is left lying about."""
    assert finish_run(data, write_bundle(tmp_path / "bundle")).version == 1
    assert [one.number for one in versions.registered(data)] == [1]
    assert [one.name for one in run_history.runs(data)] == ["a run"]
    assert {path.name for path in data.iterdir()} <= {"mlflow.db", "mlruns", ".mlflow.db.lock"}


@pytest.mark.parametrize("statements", [3, 60, 150, 400])
@pytest.mark.parametrize("code", [BEFORE, NOW], ids=["before", "now"])
@pytest.mark.process
@pytest.mark.slow
def test_after_a_kill_at_the_first_start_the_registry_works(data, tmp_path, code, statements):
    killed = run(code, data, statements)
    assert killed.returncode == 9, killed.stderr
    assert Workspace(data).mlflow_db.exists() == (code == BEFORE)
    check_is_usable(data, tmp_path)


@pytest.mark.process
@pytest.mark.slow
def test_processes_that_come_at_once_are_all_on_record(data):
    command = [sys.executable, "-c", RECORD, str(data)]
    several = [
        subprocess.Popen(
            [*command, f"run {number}"], cwd=PROJECT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for number in range(3)
    ]
    for one in several:
        assert one.stdout.readline() == "ready\n"
    for one in several:
        one.stdin.write("\n")
        one.stdin.flush()
    said = [one.communicate()[0] for one in several]
    assert all(len(words.split()) == 1 for words in said), said
    assert {one.name for one in run_history.runs(data)} == {"run 0", "run 1", "run 2"}


def test_an_empty_file_is_made_anew(data, tmp_path):
    data.mkdir()
    Workspace(data).mlflow_db.touch()
    check_is_usable(data, tmp_path)


@pytest.mark.parametrize("table", ["runs", "registered_models"])
def test_what_was_recorded_is_never_thrown_away(data, tmp_path, table):
    finish_run(data, write_bundle(tmp_path / "bundle"))
    file = Workspace(data).mlflow_db
    with sqlite3.connect(file) as database:
        database.execute("UPDATE alembic_version SET version_num = 'older'")
        database.execute(f"DROP TABLE {'registered_models' if table == 'runs' else 'runs'}")
    database.close()
    before = file.read_bytes()
    creation._whole.clear()
    creation.ensure(file, Workspace(data).mlruns)
    assert file.read_bytes() == before


def test_what_is_no_database_stays_as_it_is(data):
    data.mkdir()
    file = Workspace(data).mlflow_db
    file.write_bytes(b"something else" * 100)
    creation.ensure(file, Workspace(data).mlruns)
    assert file.read_bytes() == b"something else" * 100


def test_a_process_that_takes_too_long_is_said_in_a_sentence(data, monkeypatch):
    from filelock import FileLock

    monkeypatch.setattr(creation, "PATIENCE", 0.1)
    data.mkdir()
    with FileLock(data.resolve() / ".mlflow.db.lock"):
        writer = run_writer.start(data, "a run", {}, {})
    assert writer.trouble == creation.BUSY
    assert not mlflow_client.database(data).exists()

"""The data folder is open to the account that made it, and to nobody else, whatever is written first."""

import os
import stat

import pytest

from leukemia.access import token
from leukemia.cli.main import main
from leukemia.jobs import launcher
from leukemia.storage import atomic, private
from leukemia.storage.workspace import Workspace
from leukemia.tracking import mlflow_client
from tests.support.case_factory import make_case

pytestmark = pytest.mark.skipif(os.name != "posix", reason="on Windows, a folder's own rights decide")


@pytest.fixture(autouse=True)
def _usual_umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def _start_a_job(data):
    with launcher.alone(data):
        pass


# Whatever writes first on a new machine.
FIRST = {
    "the dashboard's token": token.of,
    "a key": lambda data: main(["keys", "add", "laboratory", "--data", str(data)]),
    "an image's cells": lambda data: atomic.write_text(Workspace(data).cache / "cells.json", "{}"),
    "a run": mlflow_client.client,
    "a job": _start_a_job,
    "records": make_case,
}


@pytest.mark.parametrize("first", FIRST)
def test_the_data_folder_is_made_for_its_account_alone(tmp_path, monkeypatch, first):
    for name in ("LEUKEMIA_DATABASE_URL", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    data = tmp_path / "srv" / "data"
    FIRST[first](data)
    assert [mode(folder) for folder in (data.parent, data)] == [0o700, 0o700]
    assert private.warning(data) == ""


def test_a_folder_that_is_there_is_left_as_it_is_and_told_of(tmp_path):
    data = tmp_path / "data"
    data.mkdir(0o755)
    token.of(data)
    assert mode(data) == 0o755
    assert f"chmod 700 {data}" in private.warning(data)
    assert private.warning(tmp_path / "none") == ""

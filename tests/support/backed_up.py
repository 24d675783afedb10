"""A data folder to back up, what a new machine has, and what people see, to hold before against after."""

import sqlite3

import pytest

from leukemia.access import keys
from leukemia.access.users import Role
from leukemia.cases import cells, verdicts, worklist
from leukemia.operating_point import ALL_LIKE
from tests.support.case_factory import make_case


@pytest.fixture
def data(records):
    """A data folder with two cases, verdicts, a key, other files, a cache and what a job left."""
    data = records / "data"
    data.mkdir()
    for identifier in ("P-1", "P-2"):
        case = make_case(data, identifier)
        verdicts.give(data, case.id, [1, 2], ALL_LIKE, reader="Ben")
    keys.add(data, "lab", [Role.READER], who="Ada")
    for name in (
        "cells/one.png",
        "mlruns/0/run/bundle.json",
        "cache/catalog.parquet",
        "jobs/1/log.txt",
        ".access-token",
    ):
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text(name)
    with sqlite3.connect(data / "other.db") as other:
        other.execute("CREATE TABLE t (x)")
        other.execute("INSERT INTO t VALUES (7)")
    other.close()
    return data


@pytest.fixture
def empty_again(records, monkeypatch, request):
    """Make what a new machine has: no data folder, and an empty database if it is PostgreSQL."""

    def go():
        if "postgres" in request.fixturenames or "postgresql" in request.node.name:
            url = request.getfixturevalue("postgres").new_database()
            monkeypatch.setenv("LEUKEMIA_DATABASE_URL", url)
        return records / "new" / "data"

    return go


def told(data):
    """All that people see of the records."""
    listed = worklist.worklist(data, order=worklist.BY_IDENTIFIER)
    return [(one, cells.cells(data, one.case.id)) for one in listed], keys.every(data)

"""Paths of databases, whatever they are made of."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from leukemia.storage import databases


@pytest.mark.parametrize("name", ["plain", "a%20b", "q?1", "ü #&+;=", "100%", r"back\slash"])
def test_a_database_lies_where_its_folder_is(tmp_path, name):
    file = tmp_path / name / "some.db"
    file.parent.mkdir()
    engine = sa.create_engine(databases.url(file), poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE t (x)"))
    assert file.is_file()
    assert databases.file(databases.url(file)) == file
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_another_database_is_no_file():
    assert databases.file("postgresql://host/db") is None
    for url in ("sqlite:///", "sqlite:///:memory:", "sqlite:///?x=1", "sqlite:////srv/"):
        assert databases.file(url) is None
    assert databases.file("sqlite:////tmp/x.db?timeout=5") == Path("/tmp/x.db")

"""Pages get the records through Streamlit's connection, over the package's one engine."""

import pytest
import sqlalchemy as sa

from leukemia.cases import case as cases
from leukemia.errors import SettingError
from leukemia.storage import database
from pages.components import records
from tests.support.app import open_page, said


@pytest.fixture
def data(tmp_path, monkeypatch, tiny_bundle):
    monkeypatch.setenv("LEUKEMIA_MODEL", str(tiny_bundle))
    monkeypatch.setenv("LEUKEMIA_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def test_a_page_opens_no_second_engine(data, monkeypatch):
    made = []
    whole = sa.create_engine

    def counted(*arguments, **options):
        made.append(arguments)
        return whole(*arguments, **options)

    cases.create(data, "P1", who="Ada")
    monkeypatch.setattr(sa, "create_engine", counted)
    assert "P1" in [button.label for button in open_page("cases").button]
    assert made == []
    connection = records.connection()
    assert connection.engine is database.engine(data)
    assert connection is records.connection()
    assert connection.data == data


def test_other_settings_are_another_connection(data, tmp_path, monkeypatch):
    first = records.connection()
    monkeypatch.setenv("LEUKEMIA_DATA", str(tmp_path / "other"))
    assert records.data() == tmp_path / "other"
    assert records.connection().engine is not first.engine
    monkeypatch.setenv("LEUKEMIA_DATABASE_URL", f"sqlite:///{tmp_path / 'named.db'}")
    assert records.connection().engine is database.engine(tmp_path / "other")
    assert not any(path.suffix == ".db" for path in tmp_path.iterdir()), "asking makes no file"


def test_a_password_is_neither_kept_nor_shown(data, monkeypatch):
    monkeypatch.setenv("LEUKEMIA_DATABASE_URL", "postgresql://ada:opensesame@127.0.0.1:1/none")
    connection = records.connection()
    assert "opensesame" not in repr(vars(connection))
    page = open_page("cases")
    assert "opensesame" not in said(page)
    assert "does not answer" in said(page)


def test_an_address_that_names_no_database_is_a_sentence(data, monkeypatch):
    monkeypatch.setenv("LEUKEMIA_DATABASE_URL", "mysql://somewhere/x")
    with pytest.raises(SettingError):
        records.connection()
    assert "must name PostgreSQL" in said(open_page("cases"))

"""What MLflow's database says of itself, in words that a user is shown."""

import pytest
import sqlalchemy as sa
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import OperationalError

from leukemia.tracking import mlflow_client


@pytest.fixture
def full():
    """What SQLAlchemy raises where an SQLite file cannot grow."""
    with sa.create_engine("sqlite://").connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
        with pytest.raises(OperationalError) as raised:
            connection.exec_driver_sql("CREATE TABLE cells (image_id TEXT)")
    return raised.value


def test_a_full_disk_is_called_so_without_the_driver_s_name_for_it(full):
    assert str(full).startswith("(sqlite3.OperationalError) database or disk is full")
    assert mlflow_client.first_line(full) == "the disk is full"
    # MLflow hands it on as text.
    assert mlflow_client.first_line(MlflowException(str(full))) == "the disk is full"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MlflowException("(sqlite3.OperationalError) database is locked\n[SQL: x]"), "database is locked"),
        (MlflowException("(psycopg2.errors.UndefinedTable) no table"), "no table"),
        (MlflowException("Run 'x' (of Ada) not found"), "Run 'x' (of Ada) not found"),
        (OSError(), "OSError"),
    ],
)
def test_other_faults_are_their_first_line(error, words):
    assert mlflow_client.first_line(error) == words

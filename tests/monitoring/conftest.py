"""Records in SQLite and in PostgreSQL; a model with a record, and cases that it answered."""

import pytest

from leukemia.monitoring import recent, watch
from tests.support import monitoring_factory
from tests.support.postgres import postgres, records  # noqa: F401


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def bundle(tmp_path, data):
    return monitoring_factory.record(tmp_path / "bundle", data)


@pytest.fixture
def add(data, bundle):
    """Add cases of new patients; returns their numbers."""

    def more(count, **options):
        return monitoring_factory.add_cases(data, bundle, count, **options)

    return more


@pytest.fixture
def reported(data, bundle):
    """The report of the model that answered last, as the cases are now."""

    def report(**options):
        found = recent.cells(data)
        return watch.of_model(data, found, found.models[-1], bundle, **options)

    return report

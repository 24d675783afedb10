import shutil

import pytest

from tests.support.app import go, open_dashboard


@pytest.fixture
def app(tiny_bundle, monkeypatch):
    """Start the dashboard in this process with a bundle, by default the tiny one; return its first page."""

    def start(bundle=tiny_bundle):
        monkeypatch.setenv("LEUKEMIA_MODEL", str(bundle))
        return open_dashboard()

    return start


@pytest.fixture(scope="session")
def looked_through(drawn_set, tmp_path_factory):
    """The drawn set, measured and looked through: no page here starts a process by itself."""
    from leukemia.dataset import manifest
    from leukemia.dataset.catalog import brightness
    from leukemia.dataset.quality import near_duplicates

    data = tmp_path_factory.mktemp("looked")
    shutil.copytree(drawn_set, data, dirs_exist_ok=True)
    brightness.measure(data, workers=2)
    near_duplicates.cached_or_scan(data, manifest.read(data), workers=2)
    return data


@pytest.fixture
def dataset(looked_through, tmp_path):
    return shutil.copytree(looked_through, tmp_path / "data")


@pytest.fixture
def open_dataset(app, dataset, drawn_bundle, monkeypatch):
    def start(section, bundle=drawn_bundle, data=dataset, **query):
        monkeypatch.setenv("LEUKEMIA_DATA", str(data))
        return go(app(bundle), "dataset", section=section, **query)

    return start

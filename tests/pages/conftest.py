import gc
import shutil

import pytest

from tests.support.app import open_dashboard, open_page


@pytest.fixture(scope="module", autouse=True)
def _little_to_collect():
    """Streamlit collects garbage twice a run: what was there before is not looked through each time."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def app(tiny_bundle, monkeypatch):
    """Start the dashboard in this process with a bundle, by default the tiny one; return its first page."""

    def start(bundle=tiny_bundle):
        monkeypatch.setenv("LEUKEMIA_MODEL", str(bundle))
        return open_dashboard()

    return start


@pytest.fixture
def dataset(looked_through, tmp_path):
    return shutil.copytree(looked_through, tmp_path / "data")


@pytest.fixture
def open_dataset(dataset, drawn_bundle, monkeypatch):
    def start(section, bundle=drawn_bundle, data=dataset, **query):
        monkeypatch.setenv("LEUKEMIA_DATA", str(data))
        monkeypatch.setenv("LEUKEMIA_MODEL", str(bundle))
        return open_page("dataset", section=section, **query)

    return start

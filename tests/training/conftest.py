"""What the tests of trainings share."""

import pytest

from leukemia.dataset import manifest
from leukemia.storage.workspace import Workspace


def link_images(prepared, folder):
    """Make a prepared folder over the images of another one."""
    for path in prepared.glob("*.png"):
        (folder / path.name).symlink_to(path)
    Workspace(folder).manifest.write_text(Workspace(prepared).manifest.read_text())
    return folder


@pytest.fixture
def data(prepared, tmp_path):
    """A folder of its own over the prepared images, so that checkpoints do not meet."""
    return link_images(prepared, tmp_path)


@pytest.fixture
def cells(prepared):
    """The labelled rows of the prepared folder."""
    frame = manifest.read(prepared)
    return frame[frame["label"] != ""].reset_index(drop=True)


@pytest.fixture
def never_pruned(monkeypatch):
    monkeypatch.setattr("leukemia.training.sweep_study.AT_RANDOM", 100)


@pytest.fixture
def trials_alone(monkeypatch):
    """The trials without the training of the best settings behind them."""
    monkeypatch.setattr("leukemia.training.sweep._train_best", lambda *_: None)

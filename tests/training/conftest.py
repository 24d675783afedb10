"""What the tests of trainings share."""

import pytest

from leukemia.dataset import manifest
from leukemia.storage.workspace import Workspace


@pytest.fixture
def data(prepared, tmp_path):
    """A folder of its own over the prepared images, so that checkpoints do not meet."""
    for path in prepared.glob("*.png"):
        (tmp_path / path.name).symlink_to(path)
    Workspace(tmp_path).manifest.write_text(Workspace(prepared).manifest.read_text())
    return tmp_path


@pytest.fixture
def cells(prepared):
    """The labelled rows of the prepared folder."""
    frame = manifest.read(prepared)
    return frame[frame["label"] != ""].reset_index(drop=True)

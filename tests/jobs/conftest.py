"""What the tests of jobs share."""

import pytest

from leukemia import jobs
from leukemia.jobs import process as processes
from leukemia.storage.workspace import Workspace


@pytest.fixture
def data(tmp_path):
    """A data folder; what still works on it at the end is ended, and nothing follows."""
    folder = tmp_path / "data"
    yield folder
    Workspace(folder).queue.unlink(missing_ok=True)
    for job in jobs.history(folder):
        if process := processes.find(job.process):
            process.kill()

"""A stated criterion and drawn cells of a laboratory."""

import pytest

from leukemia.bundles import bundle as bundles
from leukemia.verification import store
from leukemia.verification.statistics import Criterion
from tests.support.labelled_cells import write_folders


@pytest.fixture
def bundle(tiny_bundle):
    return bundles.read(tiny_bundle)


@pytest.fixture
def cells(tmp_path):
    return write_folders(tmp_path / "cells")


@pytest.fixture
def stated(bundle, tmp_path):
    """A criterion that the drawn cells meet."""
    return store.state(tmp_path / "data", bundle, "tiny", "St. Elsewhere", Criterion(0.2, 0.2), "Dr. Ada")

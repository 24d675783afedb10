"""Real cells of the cases beside the clone: they are not part of it."""

import pytest

from leukemia.settings import PROJECT

CASES = PROJECT.parent / "shared" / "cases"


def case(name):
    """The folder of a case; skips the test where it is not there."""
    folder = CASES / name
    if not folder.is_dir():
        pytest.skip(f"no ../shared/cases/{name} beside this folder")
    return folder

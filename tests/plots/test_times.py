"""Lengths of time in words."""

import pytest

from leukemia.plots import times


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "5 seconds"), (42, "40 seconds"), (60, "1 minute"), (754, "13 minutes"), (7_500, "2 h")],
)
def test_lengths_of_time_are_no_more_exact_than_they_are_known(seconds, said):
    assert times.about(seconds).startswith(said)

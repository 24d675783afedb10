"""Filters let through what they say, and an address brings them back."""

import pytest

from leukemia.dataset.catalog.filters import UNKNOWN, UNLABELLED, Filters
from tests.dataset.catalog.conftest import paths

FILTERS = {
    "class": (Filters(labels=("ALL",)), lambda c: c["label"] == "ALL"),
    "unlabelled": (Filters(labels=(UNLABELLED,)), lambda c: c["label"] == ""),
    "two classes": (Filters(labels=("ALL", UNLABELLED)), lambda c: c["label"] != "Normal"),
    "patients": (Filters(patients=("20", "H2")), lambda c: c["patient"].isin(["20", "H2"])),
    "source": (Filters(sources=("synthetic",)), lambda c: c["source"] == "synthetic"),
    "part": (Filters(subsets=("test", "training")), lambda c: c["part"].isin(["test", "training"])),
    "in no part": (Filters(subsets=(UNKNOWN,)), lambda c: c["part"] == UNKNOWN),
    "decision": (Filters(decisions=("ALL",)), lambda c: c["decision"] == "ALL"),
    "no answer": (Filters(decisions=(UNKNOWN,)), lambda c: c["decision"] == UNKNOWN),
    "wrong": (Filters(outcomes=("wrong",)), lambda c: c["outcome"] == "wrong"),
    "probability": (Filters(probability=(0.2, 0.6)), lambda c: c["probability"].between(0.2, 0.6)),
    "size": (Filters(area=(20_000, 30_000)), lambda c: c["cell_area"].between(20_000, 30_000)),
    "together": (
        Filters(
            labels=("ALL",), subsets=("test",), outcomes=("right",), probability=(0.5, 1), area=(0, 60_000)
        ),
        lambda c: (
            (c["label"] == "ALL")
            & (c["part"] == "test")
            & (c["outcome"] == "right")
            & c["probability"].between(0.5, 1)
        ),
    ),
}


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_lets_through_what_pandas_lets_through(known, expected, name):
    filters, condition = FILTERS[name]
    rows = expected[condition(expected)]
    assert len(rows) > 0
    assert name == "source" or len(rows) < len(expected)
    assert paths(known.page(filters, size=1_000)) == list(rows["path"])
    assert known.count(filters) == known.tally(filters).images == len(rows)


def test_picked_images_are_found_and_an_empty_pick_finds_none(known, cells):
    picked = tuple(cells["image_id"][5:9])
    records = known.page(Filters(images=picked), size=100)
    assert {record.image_id for record in records} == set(picked)
    assert known.count(Filters(images=())) == 0


QUERIES = [
    Filters(),
    Filters(labels=("ALL", UNLABELLED), patients=("20", "H2"), sources=("fold_0",)),
    Filters(subsets=("test",), decisions=("Normal",), outcomes=("wrong",), probability=(0.25, 0.75)),
    Filters(area=(20_000.0, 30_500.0), images=("a" * 64, "b" * 64), reviews=("doubted",)),
]


@pytest.mark.parametrize("filters", QUERIES)
def test_an_address_brings_the_same_filters_back(filters):
    assert Filters.from_query(filters.to_query()) == filters


@pytest.mark.parametrize(
    "query",
    [{"size": ["large"]}, {"size": ["9-1"]}, {"probability": ["nan-inf"]}, {"other": ["1"]}, {"size": []}],
)
def test_nonsense_in_an_address_lets_everything_through(query):
    assert Filters.from_query(query) == Filters()

"""What the cells of a case come to, and where it lies in the model's record."""

import math

import pandas as pd
import pytest

from leukemia.bundles import bundle as bundles
from leukemia.cases import cells, disagreements, summary, verdicts
from leukemia.evaluation.wilson import wilson
from leukemia.operating_point import ALL_LIKE, INDETERMINATE, NORMAL_LIKE
from tests.support.bundle_factory import write_bundle, write_predictions
from tests.support.case_factory import POINT, bundle_at, make_case, result


def test_counts_are_those_of_the_model_and_of_the_readers(tmp_path):
    case = make_case(tmp_path, probabilities=(0.9, 0.8, 0.5, 0.1, None, None))
    verdicts.give(tmp_path, case.id, [2, 3], NORMAL_LIKE, reader="Ada")
    verdicts.give(tmp_path, case.id, [5], verdicts.REJECTED, reader="Ada", reason="Blurred")
    verdicts.give(tmp_path, case.id, [4], ALL_LIKE, reader="Ada")
    verdicts.give(tmp_path, case.id, [4], NORMAL_LIKE, reader="Ben")
    found = summary.summarise(cells.cells(tmp_path, case.id))
    assert found.decisions == {ALL_LIKE: 2, INDETERMINATE: 1, NORMAL_LIKE: 1, "Not classified": 2}
    assert found.final == {
        ALL_LIKE: 1,
        INDETERMINATE: 0,
        NORMAL_LIKE: 2,
        "Not classified": 1,
        "Rejected": 1,
        "Disputed": 1,
    }
    assert (found.all_like, found.classified, found.share) == (2, 4, wilson(2, 4))
    assert (found.reviewed, found.reviewed_share) == (3, wilson(1, 3))
    disagreements.settle(tmp_path, case.id, 4, ALL_LIKE, who="Cleo", reason="x")
    assert summary.summarise(cells.cells(tmp_path, case.id)).final[ALL_LIKE] == 2
    nothing = summary.summarise([])
    assert nothing.classified == 0 and math.isnan(nothing.share.value)


def test_what_is_hidden_from_a_reader_counts_nowhere(tmp_path):
    case = make_case(tmp_path, hide_model=True)
    verdicts.give(tmp_path, case.id, [2], NORMAL_LIKE, reader="Ada")
    seen = summary.summarise(cells.cells(tmp_path, case.id, reader="Ada"))
    assert sum(seen.decisions.values()) == 1
    assert seen.final[NORMAL_LIKE] == 1 and sum(seen.final.values()) == 1


# Shares of ALL-like cells at the limits .3 and .7: two of three, all, none, one of two, one of four.
RECORD = [
    ("A", "ALL", (0.9, 0.7, 0.69)),
    ("B", "ALL", (0.8, 0.8)),
    ("H1", "Normal", (0.1, 0.2)),
    ("H2", "Normal", (0.7, 0.3)),
    ("H3", "Normal", (0.9, 0.1, 0.5, 0.1)),
]


@pytest.fixture
def bundle(tmp_path):
    rows = [(f"{patient}-{n}", patient, label, p) for patient, label, ps in RECORD for n, p in enumerate(ps)]
    predictions = pd.DataFrame(rows, columns=["image_id", "patient_group", "label", "probability"])
    return bundles.read(write_predictions(write_bundle(tmp_path / "bundle"), predictions))


@pytest.mark.parametrize(
    ("probabilities", "all_below", "healthy_as_high"),
    [
        ((0.9, 0.1), 0, 1),
        ((0.9, 0.9, 0.1), 0, 0),
        ((0.9,), 1, 0),
        ((0.1,), 0, 3),
        ((0.9, 0.5, 0.1, 0.1), 0, 2),
    ],
)
def test_a_case_lies_among_the_patients_of_the_record(
    bundle, tmp_path, probabilities, all_below, healthy_as_high
):
    case = make_case(tmp_path, probabilities=probabilities)
    found = summary.placement(cells.cells(tmp_path, case.id), bundle)
    assert (found.all_below, found.all_total) == (all_below, 2)
    assert (found.healthy_as_high, found.healthy_total) == (healthy_as_high, 3)
    assert found.shares["patient_group"].tolist() == ["H1", "H3", "H2", "A", "B"]
    assert found.shares["share"].tolist() == pytest.approx([0, 1 / 4, 1 / 2, 2 / 3, 1])
    assert found.shares["cells"].tolist() == [2, 4, 2, 3, 2]


def test_a_case_is_placed_only_in_the_record_of_the_model_that_answered_all_of_it(bundle, tmp_path):
    case = make_case(tmp_path, probabilities=(0.9, None, None))
    found = cells.cells(tmp_path, case.id)
    assert summary.placement(found, None) is None, "the model is gone"
    assert summary.placement(found, bundles.read(write_bundle(tmp_path / "other", 0.8))) is None
    assert summary.placement([], bundle) is None
    assert summary.placement(found, bundle) is not None
    cells.add(tmp_path, case.id, [result(9)], bundle, POINT.moved(0.2, 0.8), who="Ada")
    found = cells.cells(tmp_path, case.id)
    assert summary.placement(found, bundle) is None
    assert [name for name, _, _ in summary.models(found)] == [bundle.name] * 2
    assert summary.models(found)[0][2].limits == (0.2, 0.8)
    assert bundle_at(tmp_path / "bundle").name == bundle.name

import numpy as np
import pandas as pd
import pytest

from leukemia.errors import DatasetError
from leukemia.evaluation import comparison, estimates, metrics
from leukemia.evaluation.comparison import Difference
from leukemia.evaluation.estimate import Estimate
from leukemia.operating_point import OperatingPoint
from tests.support import plain_estimates


def changed(predictions, seed=1):
    rng = np.random.default_rng(seed)
    moved = (predictions["probability"] + rng.normal(0, 0.15, len(predictions))).clip(0, 1)
    return predictions.assign(probability=moved)


def difference(name, value, low, high):
    estimate = Estimate(0.5, 0.4, 0.6)
    return Difference(name, estimate, estimate, Estimate(value, low, high))


def test_a_difference_is_the_paired_bootstraps(answers):
    first = answers(0)
    second = changed(first)
    frame = comparison.shared([first, second.sample(frac=1, random_state=0)])
    one, two = (
        estimates.all_columns(cells, threshold)
        for cells, threshold in zip(comparison.cells(frame, 2), (0.4, 0.6), strict=True)
    )
    truth = (frame["label"] == "ALL").to_numpy()
    calls = (frame[0] >= 0.4).to_numpy(), (frame[1] >= 0.6).to_numpy()

    def compute(weights):
        before, after = (metrics.rates_of_cells(truth, called, weights) for called in calls)
        return {name: after[name] - before[name] for name in before}

    expected = estimates.by_resampling(frame, compute)
    differences = {one.name: one for one in comparison.differences(one, two)}
    for name, value in expected.items():
        change = differences[name].change
        ends = [change.value, change.low, change.high]
        assert ends == pytest.approx([value.value, value.low, value.high], abs=1e-12)
    own = plain_estimates.at_threshold(second.set_index("image_id").loc[frame["image_id"]].reset_index(), 0.6)
    assert differences["sensitivity"].second.value == pytest.approx(own["sensitivity"].value)
    # Paired, a small change is known better than from two intervals apart.
    apart = differences["auroc"].first.high - differences["auroc"].first.low
    assert differences["auroc"].change.high - differences["auroc"].change.low < apart


def test_a_version_beside_itself_is_the_same(answers):
    first = answers(2)
    cells = comparison.cells(comparison.shared([first, first]), 2)
    differences = comparison.differences(*(estimates.all_columns(one, 0.5) for one in cells))
    assert {one.verdict for one in differences} == {"the same"}
    assert differences[0].sentence() == "sensitivity 0.0 points, 95% 0.0 to 0.0: the same"


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        (
            "sensitivity",
            (0.018, -0.004, 0.041),
            "sensitivity +1.8 points, 95% −0.4 to +4.1: too few patients to be sure",
        ),
        (
            "specificity",
            (-0.02, -0.05, 0.01),
            "specificity −2.0 points, 95% −5.0 to +1.0: too few patients to be sure",
        ),
        ("ppv", (0.02, 0.01, 0.05), "PPV +2.0 points, 95% +1.0 to +5.0: better"),
        ("auroc", (-0.02, -0.05, -0.01), "AUROC −0.020, 95% −0.050 to −0.010: worse"),
        ("brier", (-0.02, -0.05, -0.01), "Brier score −0.020, 95% −0.050 to −0.010: better"),
        (
            "ece",
            (0.02, -0.01, 0.05),
            "calibration error +0.020, 95% −0.010 to +0.050: too few patients to be sure",
        ),
        ("npv", (0.02, np.nan, np.nan), "NPV +2.0 points, 95% not defined to not defined: not known"),
    ],
)
def test_a_difference_is_told_in_a_sentence(name, change, said):
    assert difference(name, *change).sentence() == said


def test_only_cells_that_all_versions_held_out_with_one_label_are_compared(answers):
    first = answers(3)
    second = changed(first).iloc[5:].copy()
    second.loc[second.index[0], "label"] = {"ALL": "Normal", "Normal": "ALL"}[second["label"].iloc[0]]
    again = pd.concat([first, first.iloc[:3]])
    frame = comparison.shared([again, second, first])
    assert frame["image_id"].tolist() == first["image_id"].iloc[6:].tolist()
    assert np.array_equal(frame[0], first["probability"].iloc[6:])
    assert np.array_equal(frame[2], frame[0])
    with pytest.raises(DatasetError, match="evaluated on different cells"):
        comparison.shared([first, answers(4)])


def test_cells_on_which_versions_disagree_come_the_most_different_first():
    frame = pd.DataFrame({"image_id": list("abcd"), 0: [0.4, 0.9, 0.1, 0.55], 1: [0.7, 0.95, 0.99, 0.5]})
    rows = comparison.disagreements(frame, [OperatingPoint.of(0.5), OperatingPoint.of(0.6)])
    assert rows["image_id"].tolist() == ["c", "a", "d"]
    assert rows[["called_0", "called_1"]].to_numpy().tolist() == [
        ["Normal", "ALL"],
        ["Normal", "ALL"],
        ["ALL", "Normal"],
    ]

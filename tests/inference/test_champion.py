"""The shipped model: what `evaluate` prints of it is what scikit-learn makes of its predictions."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from leukemia.bundles import bundle as bundles
from leukemia.cli.main import main
from leukemia.settings import PROJECT

CHAMPION = PROJECT / "models" / "champion"
SIZE_LIMIT = 40e6  # bytes


@pytest.fixture(scope="module")
def bundle():
    return bundles.read(CHAMPION)


@pytest.fixture(scope="module")
def printed():
    """The lines of `evaluate`, split at two spaces and more."""
    import contextlib
    import io

    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main(["evaluate", str(CHAMPION)]) == 0
    return [[part for part in line.split("  ") if part] for line in out.getvalue().splitlines()]


@pytest.fixture(scope="module")
def shown(printed):
    """Name of a metric to what is printed as its value."""
    rows = [row for row in printed if len(row) > 2 and "(" in row[1] and row[0] != "metric"]
    return {row[0].strip(): float(row[1].split()[0]) for row in rows}


@pytest.fixture(scope="module")
def cells(bundle):
    frame = bundle.predictions
    return frame.assign(truth=frame["label"] == "ALL", called=frame["probability"] >= bundle.threshold)


def test_the_figures_at_the_threshold(shown, cells):
    truth, called, probability = cells["truth"], cells["called"], cells["probability"]
    expected = {
        "sensitivity": sk.recall_score(truth, called),
        "specificity": sk.recall_score(~truth, ~called),
        "ppv": sk.precision_score(truth, called),
        "npv": sk.precision_score(~truth, ~called),
        "accuracy": sk.accuracy_score(truth, called),
        "balanced_accuracy": sk.balanced_accuracy_score(truth, called),
        "weighted_f1": sk.f1_score(truth, called, average="weighted"),
        "auroc": sk.roc_auc_score(truth, probability),
        "average_precision": sk.average_precision_score(truth, probability),
        "brier": sk.brier_score_loss(truth, probability),
    }
    assert {name: shown[name] for name in expected} == pytest.approx(expected, abs=6e-4)


def test_the_expected_calibration_error(shown, cells):
    bins = np.clip(np.digitize(cells["probability"], np.linspace(0, 1, 16)) - 1, 0, 14)
    gaps = cells.groupby(bins).agg(truth=("truth", "mean"), said=("probability", "mean"), n=("truth", "size"))
    expected = np.average((gaps["truth"] - gaps["said"]).abs(), weights=gaps["n"])
    assert shown["ece"] == pytest.approx(expected, abs=6e-4)


def test_the_figures_of_parts_of_the_cells(shown, cells):
    hard = cells[cells["source"].isin(["fold_2", "preliminary"])]
    expected = {"auroc_hard_sources": sk.roc_auc_score(hard["truth"], hard["probability"])}
    third = pd.qcut(cells["cell_area"].rank(method="first"), 3, labels=["small", "middle", "large"])
    for name, own in cells.groupby(third, observed=True):
        expected[f"auroc_{name}"] = sk.roc_auc_score(own["truth"], own["probability"])
    assert {name: shown[name] for name in expected} == pytest.approx(expected, abs=6e-4)


def test_the_sensitivity_at_a_specificity(shown, cells):
    fpr, tpr, _ = sk.roc_curve(cells["truth"], cells["probability"], drop_intermediate=False)
    assert shown["sensitivity_at_specificity"] == pytest.approx(tpr[fpr <= 0.2].max(), abs=1e-3)


@pytest.mark.slow
def test_the_weighted_f1_at_thresholds_of_the_other_folds(shown, cells):
    called = np.zeros(len(cells), bool)
    for fold in cells["fold"].unique():
        own = (cells["fold"] == fold).to_numpy()
        rest = cells[~own]
        candidates = np.quantile(rest["probability"], np.linspace(0, 1, 400))
        scores = [
            sk.f1_score(rest["truth"], rest["probability"] >= one, average="weighted") for one in candidates
        ]
        called[own] = cells.loc[own, "probability"] >= candidates[int(np.argmax(scores))]
    expected = sk.f1_score(cells["truth"], called, average="weighted")
    # Thresholds on a grid may be others of the same score.
    assert shown["best_weighted_f1"] == pytest.approx(expected, abs=0.01)


def test_every_cell_is_judged_by_a_fold_and_no_patient_by_two(cells):
    assert (cells.groupby("patient_group")["fold"].nunique() == 1).all()
    assert cells["fold"].nunique() >= 4


def test_the_card_has_the_nine_sections_and_the_limits(bundle):
    titles = [line[3:] for line in bundle.card.splitlines() if line.startswith("## ")]
    assert len(titles) == 9
    for words in (
        "One centre, one stain, two classes, cut-out cells",
        "doi:10.7937",
        "For research use only",
    ):
        assert words in bundle.card


def test_the_bundle_is_small_enough_to_ship():
    assert sum(path.stat().st_size for path in CHAMPION.iterdir()) <= SIZE_LIMIT

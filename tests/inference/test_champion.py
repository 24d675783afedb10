"""The shipped model: what `evaluate` prints of it is what scikit-learn makes of its predictions."""

import itertools
import re

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from leukemia.bundles import bundle as bundles
from leukemia.cli.main import main
from leukemia.settings import PROJECT

CHAMPION = PROJECT / "models" / "champion"
README = (PROJECT / "README.md").read_text(encoding="utf-8")
SIZE_LIMIT = 40e6  # bytes


@pytest.fixture(scope="module")
def bundle():
    return bundles.read(CHAMPION)


@pytest.fixture(scope="module")
def text():
    """What `evaluate` prints."""
    import contextlib
    import io

    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main(["evaluate", str(CHAMPION)]) == 0
    return out.getvalue()


@pytest.fixture(scope="module")
def printed(text):
    """The lines of `evaluate`, split at two spaces and more."""
    return [[part for part in line.split("  ") if part] for line in text.splitlines()]


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


def short(value, digits=3):
    """As the README writes it: .857."""
    return f"{value:.{digits}f}".removeprefix("0")


def table(text, first, more):
    """Rows of the first table whose header begins with ``first`` and holds ``more``, by their first cell."""
    lines = (line.strip() for line in text.splitlines())
    (header,) = itertools.islice((one for one in lines if one.startswith(f"| {first} |") and more in one), 1)
    next(lines)  # the rule below it
    rows = [
        one.strip("| ").split(" | ") for one in itertools.takewhile(lambda one: one.startswith("|"), lines)
    ]
    names = header.strip("| ").split(" | ")[1:]
    return {name: dict(zip(names, cells, strict=True)) for name, *cells in rows if len(cells) == len(names)}


def first_number(cell):
    number = re.search(r"\d*\.\d+", cell).group()
    return float(number) / 100 if f"{number}%" in cell else float(number)


def test_readme_and_card_have_the_figures_by_source_that_evaluate_prints(bundle, text):
    printed = table(text, "source", "sensitivity")
    assert table(bundle.card.replace("\\", ""), "source", "sensitivity") == printed
    own = table(README, "source", "specificity")
    assert [name.removesuffix(" phase") for name in own] == list(printed)
    for name, cells in own.items():
        row = printed[name.removesuffix(" phase")]
        ill, healthy = (row[f"{kind} patient groups"].split()[0] for kind in ("ALL", "healthy"))
        assert cells["ALL / healthy patient groups"].split(",")[0] == f"{ill} / {healthy}", name
        for figure in ("sensitivity", "specificity", "AUROC", "weighted F1", "calibration error"):
            expected = first_number(row[f"{figure} (95%)"])
            assert first_number(cells[figure]) == pytest.approx(expected, abs=1e-9), (name, figure)
            for interval in re.findall(r"\((\S+) to (\S+)\)", cells[figure]):
                ends = re.search(r"\((\S+) to (\S+)\)", row[f"{figure} (95%)"]).groups()
                scale = 100 if "%" in row[f"{figure} (95%)"] else 1
                assert [float(end) * scale for end in interval] == pytest.approx([float(one) for one in ends])


def test_the_readme_has_the_decisions_that_evaluate_prints(text):
    printed = table(text, "cells", "Indeterminate")
    own = table(README, "cells", "Indeterminate")
    assert set(own) == {"ALL", "normal"}
    for name, row in (("ALL", "ALL"), ("normal", "Normal")):
        expected = printed[f"{row}, cells weighted equally"]
        for decision, share in own[name].items():
            assert expected[decision].partition(": ")[2] == share, (name, decision)


def test_the_readme_says_what_is_on_record_of_the_model(bundle, cells, text):
    said, point, record = " ".join(README.split()), bundle.operating_point, bundle.record
    unseen = {name: one.estimates for name, one in record.unseen_sources.sources.items()}
    names = ("fold_0", "fold_1", "fold_2", "preliminary phase")
    auroc = [f"{short(unseen[name.split()[0]]['auroc'].value)} ({name})" for name in names]
    specificity = [short(unseen[name.split()[0]]["specificity"].value, 2) for name in names]
    (hard,) = re.findall(r"^auroc_hard_sources_unseen +0(\S+) \(0(\S+) to 0(\S+)\)", text, re.M)
    for words in (
        f"evaluated on {len(cells):,} labelled cells",
        f"in ten folds of {cells['patient_group'].nunique()} patient groups",
        f"at the threshold {short(bundle.threshold)}:",
        f"Below {short(point.low)} a cell is Normal-like, at {short(point.high)} or above ALL-like",
        f"of {', '.join(auroc[:3])} and {auroc[3]}",
        "of {} ({} to {}, each cell equal)".format(*hard),
        f"was {', '.join(specificity[:3])} and {specificity[3]}:",
        f"of {record.stress['JPEG, quality 90'].found:,} held-out ALL cells that were ALL-like",
    ):
        assert words in said, words


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

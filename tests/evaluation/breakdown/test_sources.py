import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from leukemia.evaluation import comparison, metrics
from leukemia.evaluation.bootstrap import PatientBootstrap
from leukemia.evaluation.breakdown import source_words, sources
from leukemia.evaluation.comparison import EACH_PATIENT, WORST
from leukemia.operating_point import OperatingPoint
from tests.support.plain_estimates import expected_calibration_error

AT = 0.5
POINT = OperatingPoint(0.3, 0.8, AT)


def of_source(rng, source, label, patients, right, first=0):
    """Cells of a source and class; of each patient a share lies on the right side of :data:`AT`."""
    rows = []
    for number in range(patients):
        for cell in range(int(rng.integers(3, 40))):
            share = rng.uniform(0.5, 1) if (rng.random() < right) == (label == "ALL") else rng.uniform(0, 0.5)
            name = f"{source}-{label}-{number + first}"
            rows.append((f"{name}-{cell}", name, label, share, source))
    return rows


@pytest.fixture(scope="module")
def frame():
    """Two sources of enough patients, of which one is hard; one of two patients that are called wrong."""
    rng = np.random.default_rng(0)
    rows = [
        *of_source(rng, "large", "ALL", 12, 0.97),
        *of_source(rng, "large", "Normal", 9, 0.95),
        *of_source(rng, "hard", "ALL", 6, 0.9),
        *of_source(rng, "hard", "Normal", 6, 0.6),
        *of_source(rng, "tiny", "ALL", 2, 0.95),
        *of_source(rng, "tiny", "Normal", 2, 0.2),
    ]
    out = pd.DataFrame(rows, columns=["image_id", "patient_group", "label", "probability", "source"])
    called = np.select(
        [out["probability"] < 0.35, out["probability"] >= 0.75], ["Normal", "ALL"], "Indeterminate"
    )
    return out.assign(called=called)


@pytest.fixture(scope="module")
def figures(frame):
    return sources.evaluate(frame, POINT)


def test_figures_are_scikit_learns_with_each_patient_weighing_the_same(frame, figures):
    assert list(figures.sources) == ["hard", "large", "tiny"]
    for source, one in [*figures.sources.items(), (None, figures.each_patient)]:
        own = frame if source is None else frame[frame["source"] == source]
        truth, probability = (own["label"] == "ALL").to_numpy(), own["probability"].to_numpy()
        weight = 1 / own.groupby("patient_group")["label"].transform("size").to_numpy()
        called, given = probability >= AT, {"sample_weight": weight}
        expected = {
            "sensitivity": sk.recall_score(truth, called, **given),
            "specificity": sk.recall_score(truth, called, pos_label=False, **given),
            "auroc": sk.roc_auc_score(truth, probability, **given),
            "weighted_f1": sk.f1_score(truth, called, average="weighted", **given),
            "ece": expected_calibration_error(truth, probability, weight),
            "indeterminate": np.average(
                (probability >= POINT.low) & (probability < POINT.high), weights=weight
            ),
            "missed": np.average(probability[truth] < POINT.low, weights=weight[truth]),
            "alarmed": np.average(probability[~truth] >= POINT.high, weights=weight[~truth]),
            "missed_by_others": np.average(own["called"][truth] == "Normal", weights=weight[truth]),
            "alarmed_by_others": np.average(own["called"][~truth] == "ALL", weights=weight[~truth]),
        }
        assert {name: value.value for name, value in one.estimates.items()} == pytest.approx(
            expected, abs=1e-6
        )
        assert one.cells == {"ALL": truth.sum(), "Normal": (~truth).sum()}


def test_intervals_come_from_the_patients_of_the_source_alone(frame, figures):
    for source in ("hard", "large"):
        own = PatientBootstrap(frame[frame["source"] == source], equal=True, seed=1)
        drawn = sources.estimates.at(own, AT)["specificity"]
        expected, shown = (
            np.percentile(drawn[1:], [2.5, 97.5]),
            figures.sources[source].estimates["specificity"],
        )
        assert [shown.low, shown.high] == pytest.approx(expected, abs=0.02)


def test_by_cell_the_figures_are_the_pooled_ones(frame, figures):
    pooled = sources.estimates.of(frame, AT)
    for name in ("sensitivity", "specificity", "auroc", "weighted_f1", "ece"):
        assert figures.each_cell.estimates[name].value == pytest.approx(pooled[name].value, abs=1e-6)
        assert figures.each_cell.estimates[name].low == pytest.approx(pooled[name].low, abs=1e-6)


def test_a_large_source_hides_a_hard_one_in_the_pool_and_not_in_the_table(figures):
    pooled = figures.each_cell.estimates["specificity"].value
    assert pooled > figures.sources["hard"].estimates["specificity"].value + 0.1
    assert sources.worst(figures, "specificity") == "tiny"
    assert sources.worst(figures, "specificity", fewest=metrics.FEWEST_PATIENTS) == "hard"
    assert sources.worst(figures, "ece") == "tiny", "the greatest error is the worst"


def test_the_worst_is_named_with_its_patients_and_marked_where_they_are_few(figures):
    text = source_words.worst_of(figures, "specificity")
    assert "in tiny (2 healthy patient groups, too few to be sure)" in text
    assert text.endswith("in hard (6 healthy patient groups)")
    rows = {row[0]: dict(zip(source_words.HEADER, row, strict=True)) for row in source_words.table(figures)}
    assert rows["tiny"]["specificity (95%)"].endswith("*")
    assert not rows["hard"]["specificity (95%)"].endswith("*")
    assert rows[WORST]["specificity (95%)"] == f"{rows['tiny']['specificity (95%)']} tiny"
    assert source_words.FEW in source_words.notes(figures)


def test_a_group_with_cells_in_two_sources_counts_in_each_and_the_notes_say_so(frame, figures):
    assert source_words.SEVERAL not in source_words.notes(figures)
    moved = frame.copy()
    moved.loc[moved["patient_group"] == "tiny-ALL-0", "patient_group"] = "large-ALL-0"
    both = sources.evaluate(moved, POINT)
    assert source_words.SEVERAL in source_words.notes(both)
    groups = [one.patient_groups["ALL"] for one in both.sources.values()]
    assert (sum(groups), both.each_cell.patient_groups["ALL"]) == (20, 19)


def test_without_calls_of_other_folds_no_promise_is_judged_and_without_sources_there_is_nothing(
    frame, figures
):
    class Band:
        missed, alarmed, promises = 0.0, 0.0, None

    silent = sources.evaluate(frame.drop(columns="called"), POINT)
    assert silent.sources["hard"].estimates["alarmed"] == figures.sources["hard"].estimates["alarmed"]
    assert source_words.shortfalls(silent, None, Band) == ""
    assert source_words.shortfalls(figures, None, Band)
    assert sources.evaluate(frame.drop(columns="source"), POINT) is None
    assert sources.evaluate(frame.assign(source=None), POINT) is None


def test_a_source_of_one_class_has_the_figures_of_that_class(frame):
    one = sources.evaluate(frame[~((frame["source"] == "hard") & (frame["label"] == "ALL"))], POINT).sources[
        "hard"
    ]
    assert np.isfinite(one.estimates["specificity"].value)
    assert all(np.isnan(one.estimates[name].value) for name in ("sensitivity", "auroc"))
    assert source_words.figure(one, "auroc") == "not defined"


def test_what_was_intended_is_held_against_each_source(figures):
    class Band:
        missed, alarmed, promises = 0.5, 0.2, None

    text = source_words.shortfalls(figures, 0.95, Band)
    assert text.startswith("Below target in hard and tiny. In hard, ")
    sensitivity = figures.sources["hard"].estimates["sensitivity"].value
    assert f"In hard, {sensitivity:.1%} of ALL cells are found (target: at least 95%)" in text
    alarmed = figures.sources["tiny"].estimates["alarmed_by_others"].value
    assert (
        f"{alarmed:.1%} of normal cells are called ALL-like by limits from other patients "
        "(target: at most 20%" in text
    )
    assert "ALL cells are called Normal-like" not in text, "half of them is more than any source has"
    assert source_words.shortfalls(figures, None, None) == ""


def test_differences_are_paired_and_the_worst_source_is_each_versions_own(frame):
    better = frame.assign(
        probability=frame["probability"].where(frame["label"] == "ALL", 0.6 * frame["probability"])
    )
    shared = comparison.shared([frame, better])
    versions = comparison.cells_by_source(shared, 2)
    (against,) = comparison.by_source(versions, [POINT] * 2)
    assert list(against) == ["hard", "large", "tiny", WORST, EACH_PATIENT]
    at = [sources.evaluate(one, POINT) for one in (frame, better)]
    for source, own in against.items():
        by_name = {one.name: one for one in own}
        assert by_name["sensitivity"].verdict == comparison.SAME
        change = by_name["specificity"].change
        if source == WORST:
            worst = [min(one.estimates["specificity"].value for one in each.sources.values()) for each in at]
        else:
            worst = [
                (each.each_patient if source == EACH_PATIENT else each.sources[source])
                .estimates["specificity"]
                .value
                for each in at
            ]
        assert change.value == pytest.approx(worst[1] - worst[0], abs=1e-6)
    hard = {one.name: one for one in against["hard"]}["specificity"]
    assert hard.verdict == comparison.BETTER
    apart = hard.second.high - hard.first.low - (hard.second.low - hard.first.high)
    assert hard.change.high - hard.change.low < apart, "pairing makes the interval narrower"
    row = dict(zip(source_words.DIFFERENCES, source_words.differences(against)[0], strict=True))
    assert row["specificity, points (95%)"].endswith("▲")
    assert row["sensitivity, points (95%)"] == "0.0 (0.0 to 0.0)"


def test_without_a_source_versions_have_no_differences_by_source(frame):
    bare = frame.drop(columns="source")
    assert comparison.cells_by_source(comparison.shared([bare, bare]), 2) == []

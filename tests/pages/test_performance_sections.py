"""Every section of the Performance page, without a browser; its numbers are scikit-learn's."""

import re

import numpy as np
import pytest
from sklearn import metrics as sk

from leukemia.bundles import bundle as bundles
from leukemia.dataset import manifest
from leukemia.evaluation import metrics
from leukemia.evaluation.breakdown import patients, subgroups
from tests.support import plain_estimates
from tests.support.app import said
from tests.support.performance_page import (
    champion,
    decided,
    judged,
    matrix,
    pick,
    trace,
    traces,
    values,
    visiting,
)

SECTIONS = (
    "threshold",
    "sources",
    "prevalence",
    "calibration",
    "patients",
    "errors",
    "subgroups",
    "compare",
    "verify",
    "card",
)


@pytest.fixture
def visit(monkeypatch, tmp_path):
    return visiting(monkeypatch, tmp_path)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_opens_on_the_shipped_model_without_an_image(visit, section):
    page = visit(champion(), section)
    assert bundles.read(champion()).recipe in page.selectbox[0].options[0]
    assert not page.error


def test_the_matrix_and_its_sentence_are_scikit_learns_and_move_with_the_threshold(visit):
    truth, probability = judged(champion())
    page = visit(champion())
    own = bundles.read(champion()).threshold
    pick(page, "By hand")
    for threshold in (own, 0.6, 0.8):
        page.select_slider[0].set_range(threshold, threshold).run()
        tn, fp, fn, tp = sk.confusion_matrix(truth, probability >= threshold).ravel()
        assert matrix(page) == {"tp": tp, "fn": fn, "fp": fp, "tn": tn}
        found = round(100 * sk.recall_score(truth, probability >= threshold))
        assert f"Of 100 ALL cells, {found} are found and {100 - found} missed" in said(page)


def test_decisions_are_counted_between_the_limits_and_move_with_each_of_them(visit):
    truth, probability = judged(champion())
    page = visit(champion())
    own = bundles.read(champion()).operating_point
    shown = decided(page)
    pick(page, "By hand")
    for low, high in (own.limits, (0.1, own.high), (0.1, 0.95)):
        page.select_slider[0].set_range(low, high).run()
        expected = {
            "all_like": (truth & (probability >= high)).sum(),
            "missed": (truth & (probability < low)).sum(),
            "alarmed": (~truth & (probability >= high)).sum(),
            "normal_like": (~truth & (probability < low)).sum(),
        }
        counts = decided(page)
        assert {name: counts[name] for name in expected} == expected
        assert sum(counts.values()) == len(truth)
        # What is shown at first is the model's own.
        assert (counts == shown) == ((low, high) == own.limits)


def test_curves_and_operating_point_are_scikit_learns(visit):
    truth, probability = judged(champion())
    threshold = bundles.read(champion()).threshold
    page = visit(champion())
    false, true, _ = sk.roc_curve(truth, probability)
    line = trace(page, "ROC curve")
    # A curve of thousands of cells is drawn with fewer points: each is one of scikit-learn's.
    drawn = np.stack([values(line["x"]), values(line["y"])], axis=1)
    every = np.stack([false, true], axis=1)
    assert {tuple(point) for point in drawn.round(9)} <= {tuple(point) for point in every.round(9)}
    assert sk.auc(*drawn.T) == pytest.approx(sk.auc(false, true), abs=2e-3)
    points = [one for one in traces(page) if one.get("name") == "Chosen threshold"]
    recall = sk.recall_score(truth, probability >= threshold)
    precision = sk.precision_score(truth, probability >= threshold)
    cleared = sk.recall_score(~truth, probability < threshold)
    places = [(values(point["x"])[0], values(point["y"])[0]) for point in points]
    assert places == [pytest.approx((recall, precision)), pytest.approx((1 - cleared, recall))]
    by_threshold = trace(page, "Sensitivity (ALL cells found)")
    where = np.flatnonzero(np.isclose(values(by_threshold["x"]), 0.4))[0]
    assert values(by_threshold["y"])[where] == pytest.approx(sk.recall_score(truth, probability >= 0.4))
    (table,) = [frame.value for frame in page.dataframe if "metric" in frame.value]
    shown = table.set_index("metric")["value (95%)"]
    assert shown["AUROC"].startswith(f"{sk.roc_auc_score(truth, probability):.3f} (")
    assert shown["average precision"].startswith(f"{sk.average_precision_score(truth, probability):.3f} (")
    assert shown["Brier score"].startswith(f"{sk.brier_score_loss(truth, probability):.3f} (")
    expected = bundles.read(champion()).record.estimates["auroc"]
    ends = [float(end) for end in re.findall(r"[\d.]+", shown["AUROC"])[1:]]
    # The record keeps four digits, the page shows three.
    assert ends == pytest.approx([expected.low, expected.high], abs=6e-4)


def test_the_threshold_is_picked_for_a_recall_or_a_specificity(visit):
    page = pick(visit(champion()), "For a sensitivity")
    page.slider[0].set_value(98).run()
    counts = matrix(page)
    predictions = bundles.read(champion()).predictions
    threshold = metrics.choose_threshold(predictions, 0.98)
    assert f"{threshold:.4f}" in said(page)
    # Each patient weighs the same; the matrix counts cells.
    found = predictions[predictions["label"] == "ALL"]
    assert np.average(found["probability"] >= threshold, weights=metrics.patient_weights(found)) >= 0.98
    assert counts["tp"] == (found["probability"] >= threshold).sum()
    assert "expect slightly worse results on new patients" in said(page)
    pick(page, "For a specificity")
    page.slider[0].set_value(90).run()
    counts = matrix(page)
    assert 0.9 <= counts["tn"] / (counts["tn"] + counts["fp"]) < 0.95


def test_at_a_prevalence_the_values_follow_bayes(visit):
    truth, probability = judged(champion())
    page = visit(champion(), "prevalence")
    called = probability >= bundles.read(champion()).threshold
    recall, cleared = sk.recall_score(truth, called), sk.recall_score(~truth, ~called)
    for percent in (1.0, 20.0):
        page.number_input[0].set_value(percent).run()
        share = percent / 100
        ppv = recall * share / (recall * share + (1 - cleared) * (1 - share))
        assert f"of 100 cells called ALL-like, {round(100 * ppv)} are ALL" in said(page)


def test_calibration_tells_counts_ece_and_brier(visit):
    truth, probability = judged(champion())
    page = visit(champion(), "calibration")
    found = {metric.label: metric.value for metric in page.metric}
    ece = plain_estimates.expected_calibration_error(truth, probability, np.ones(len(truth)))
    assert found == {
        "Calibration error (ECE)": f"{ece:.3f}",
        "Brier score": f"{sk.brier_score_loss(truth, probability):.3f}",
    }
    (bars,) = [one for one in traces(page) if one["type"] == "bar"]
    expected = np.histogram(probability, np.linspace(0, 1, metrics.ECE_BINS + 1))[0]
    assert values(bars["y"]).tolist() == expected[expected > 0].tolist()


def test_a_row_a_patient_the_worst_first_with_wilson_intervals(visit):
    bundle = bundles.read(champion())
    page = visit(champion(), "patients")
    (frame,) = [one.value for one in page.dataframe]
    expected = patients.table(bundle.predictions, bundle.threshold)
    assert frame["patient group"].tolist() == expected["patient_group"].tolist()
    assert frame["accuracy"].tolist() == pytest.approx((100 * expected["accuracy"]).tolist())
    assert frame["accuracy"].is_monotonic_increasing
    right, people, share = patients.rates(expected)["specificity"]
    assert f"{right} of {people} patient groups; 95% (Wilson): {100 * share.low:.1f} to" in said(page)


def test_errors_are_listed_without_images_the_most_confident_first(visit):
    truth, probability = judged(champion())
    bundle = bundles.read(champion())
    page = visit(champion(), "errors")
    assert "do not come with the program" in said(page)
    assert "<img" not in said(page)
    shown = [float(p) for p in re.findall(r"<b>(0\.\d{3})</b>", said(page))]
    missed = np.sort(probability[truth & (probability < bundle.threshold)])
    assert shown == [pytest.approx(p, abs=6e-4) for p in missed[:24]]
    page.session_state["performance-errors"] = "False alarms"
    page.run()
    shown = [float(p) for p in re.findall(r"<b>(\d\.\d{3})</b>", said(page))]
    alarms = np.sort(probability[~truth & (probability >= bundle.threshold)])[::-1]
    assert shown == [pytest.approx(p, abs=6e-4) for p in alarms[:24]]


def test_errors_show_their_images_where_they_are(visit, drawn_bundle, dataset):
    page = visit(drawn_bundle, "errors", data=dataset)
    kinds = ("Missed ALL cells", "False alarms")
    wrong = bundles.read(drawn_bundle).predictions["image_id"].iloc[:2]
    found = ""
    for kind in kinds:
        page.session_state["performance-errors"] = kind
        found += said(page.run())
    assert found.count("data:image/jpeg;base64,") == 2
    assert all(image_id[:12] in found for image_id in wrong)
    assert "synthetic drawing" in found


def test_subgroups_come_from_the_data_folder(visit, drawn_bundle, dataset):
    page = visit(drawn_bundle, "subgroups", data=dataset)
    cells = manifest.read(dataset).drop_duplicates("image_id").set_index("image_id")
    frames = [one.value for one in page.dataframe]
    assert len(frames) == len(subgroups.THIRDS)
    predictions = bundles.read(drawn_bundle).predictions
    areas = predictions["image_id"].map(cells["cell_area"])
    assert frames[0]["group"].iloc[0].startswith(f"small: {areas.min():,} to")
    for frame in frames:
        assert frame["ALL cells"].sum() == (predictions["label"] == "ALL").sum()


def test_without_the_set_subgroups_say_what_is_missing(visit):
    page = visit(champion(), "subgroups")
    # What a cross-validated bundle says of its cells itself is known without the set.
    known = bundles.read(champion()).predictions.columns
    needed = {"Cell size": "cell_area", "Brightness": "brightness"}
    missing = [name for name, column in needed.items() if column not in known]
    assert [info.value.split(" is not known")[0] for info in page.info] == missing

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from leukemia.errors import DatasetError
from leukemia.evaluation import conformal


def population(rng, patients, apart=1.5):
    """Held-out predictions of patients that differ from each other more than their cells do."""
    rows = []
    for number in range(patients):
        label = "ALL" if number % 3 else "Normal"
        centre = rng.normal(apart if label == "ALL" else -apart, 1)
        for value in rng.normal(centre, 0.5, rng.integers(1, 60)):
            rows.append((str(number), label, expit(value)))
    return pd.DataFrame(rows, columns=["patient_group", "label", "probability"])


def wrong(band, frame):
    """Share of cells called the other class outright, each patient weighing the same: ALL, Normal."""
    called = np.where(
        frame["label"] == "ALL", frame["probability"] < band.low, frame["probability"] >= band.high
    )
    share = pd.Series(called).groupby([frame["label"], frame["patient_group"]]).mean()
    return share["ALL"].mean(), share["Normal"].mean()


def test_the_guarantee_holds_on_new_patients():
    rng = np.random.default_rng(0)
    errors = np.array(
        [
            wrong(conformal.band(population(rng, 90), missed=0.05, alarmed=0.1), population(rng, 90))
            for _ in range(120)
        ]
    )
    missed, alarmed = errors.mean(axis=0)
    assert missed <= 0.055
    assert alarmed <= 0.105
    assert missed > 0.01
    assert alarmed > 0.03


def test_a_laxer_bound_leaves_fewer_cells_in_the_band():
    frame = population(np.random.default_rng(1), 120)
    strict = conformal.band(frame, missed=0.04, alarmed=0.06)
    lax = conformal.band(frame, missed=0.1, alarmed=0.15)
    assert strict.low <= lax.low <= lax.high <= strict.high


def test_patients_weigh_the_same_however_many_cells_they_have():
    frame = population(np.random.default_rng(2), 60)
    first = frame[frame["patient_group"] == "1"]
    assert conformal.band(frame) == conformal.band(pd.concat([frame, *[first] * 50]))


def test_too_few_patients_promise_nothing():
    frame = population(np.random.default_rng(3), 12)
    band = conformal.band(frame, missed=0.05, alarmed=0.05)
    assert (band.low, band.high) == (0, 1)


def test_classes_that_part_leave_a_gap_between_them():
    rows = [(f"{label}{n}", label, p) for label, p in (("ALL", 0.9), ("Normal", 0.1)) for n in range(40)]
    band = conformal.band(pd.DataFrame(rows, columns=["patient_group", "label", "probability"]))
    assert band.low == pytest.approx(0.1)
    assert band.low > 0.1, "a normal cell at the bound keeps it"
    assert band.high == 0.9


def test_a_class_without_cells_is_an_error():
    frame = population(np.random.default_rng(4), 30)
    with pytest.raises(DatasetError, match="No Normal cell"):
        conformal.band(frame[frame["label"] == "ALL"])


def test_the_curve_leaves_the_least_sure_out_first():
    frame = pd.DataFrame({"label": ["ALL", "Normal", "ALL", "Normal"], "probability": [0.99, 0.02, 0.4, 0.6]})
    curve = conformal.coverage_curve(frame, 0.5)
    assert curve["coverage"].tolist() == [1, 0.75, 0.5, 0.25]
    assert curve["accuracy"].iloc[0] == 0.5
    assert curve["accuracy"].iloc[2:].tolist() == [1, 1]
    assert curve["sensitivity"].iloc[0] == 0.5


def test_the_bounds_hold_on_the_patients_of_each_source():
    rng = np.random.default_rng(5)
    easy, hard = population(rng, 150, apart=4).assign(source="easy"), population(rng, 24, apart=0.5)
    tiny = population(rng, 6, apart=-3)
    frame = pd.concat(
        [
            easy,
            hard.assign(source="hard", patient_group="h" + hard["patient_group"]),
            tiny.assign(source="tiny", patient_group="t" + tiny["patient_group"]),
        ]
    )
    pooled, band = conformal.band(frame.drop(columns="source")), conformal.band(frame)
    own = frame[frame["source"] == "hard"]
    assert max(wrong(pooled, own)) > 0.2, "the pool hides it"
    missed, alarmed = wrong(band, own)
    assert missed <= 0.05
    assert alarmed <= 0.2
    promises = conformal.promises(frame, band)
    assert promises["easy"] == {"missed": conformal.GUARANTEED, "alarmed": conformal.GUARANTEED}
    assert promises["hard"]["missed"] == conformal.KEPT, "16 patients are too few for a guarantee at 5 %"
    assert promises["tiny"]["alarmed"] == conformal.TOO_FEW
    assert conformal.promises(frame, pooled)["hard"]["alarmed"] == conformal.BROKEN


def test_a_guarantee_of_its_own_needs_enough_patients():
    assert conformal.patients_needed(0.05) == 19
    assert conformal.patients_needed(0.2) == 4
    for patients, worth in ((18, conformal.KEPT), (19, conformal.GUARANTEED)):
        rows = [(f"a{n}", "ALL", 0.9, "one") for n in range(patients)]
        rows += [(f"h{n}", "Normal", 0.1, "one") for n in range(patients)]
        frame = pd.DataFrame(rows, columns=["patient_group", "label", "probability", "source"])
        band = conformal.Band(0.5, 0.6, 0.05, 0.2)
        assert conformal.promises(frame, band)["one"] == {"missed": worth, "alarmed": conformal.GUARANTEED}

"""Control charts: limits from the record, what they find, and how often they are wrong."""

import numpy as np
import pandas as pd
import pytest

from leukemia.monitoring import control, measures
from leukemia.monitoring.control import LEAST_CASES, State
from leukemia.monitoring.measures import MEASURES
from tests.support import monitoring_factory
from tests.support.monitoring_factory import POINT, SOURCES

LENGTH = 100


def record(rows):
    """Patients of a record: (patient, source, label, mean), of 25 cells each."""
    table = pd.DataFrame(rows, columns=["patient_group", "source", "label", "mean"])
    table = table.assign(cells=25, variance=4.0)
    return table.set_index(["patient_group", "source", "label"])


def even(mean=100.0, spread=5.0, patients=24, seed=0):
    rng = np.random.default_rng(seed)
    return record(
        [
            (f"P{n}", SOURCES[n // 2 % 2], ("Normal", "ALL")[n % 2], rng.normal(mean, spread))
            for n in range(patients)
        ]
    )


def follow(values, cells=25, expected=None):
    values = np.array(values, float)
    return control.track(values, np.full(len(values), cells), expected or control.baseline(even()))


@pytest.fixture(scope="module")
def drawn():
    """2,000 patients by measure, and what the first 60 of them make expected."""
    rng = np.random.default_rng(5)
    cells = pd.concat(
        monitoring_factory.patient(rng, ("Normal", "ALL")[n % 2]).assign(
            patient_group=f"P{n:04}", source=SOURCES[n // 2 % 2], label=("Normal", "ALL")[n % 2]
        )
        for n in range(2_000)
    )
    keys = [cells[name] for name in ("patient_group", "source", "label")]
    patients = measures.of_patients(measures.of_cells(cells.reset_index(drop=True), POINT), _reset(keys))
    return patients, {name: control.baseline(table.iloc[:60]) for name, table in patients.items()}


def _reset(keys):
    return [key.reset_index(drop=True) for key in keys]


def ever(drawn, runs, length, bad, pick=None, change=None):
    """Share of runs in which any measure comes to ``bad`` at some time from the tenth case on."""
    patients, expected = drawn
    rng = np.random.default_rng(1)
    pool = np.arange(60, 2_000) if pick is None else pick
    found = 0
    for _ in range(runs):
        rows = rng.choice(pool, length)
        tracks = []
        for name in MEASURES:
            own = patients[name].iloc[rows]
            value = own["mean"].to_numpy(float)
            value = change(name, value) if change else value
            tracks.append(control.track(value, own["cells"].to_numpy(float), expected[name]))
        found += any(_outside(track, bad) for track in tracks)
    return found / runs


def _outside(track, bad):
    low, high = getattr(track, bad)
    return ((track.ewma < low) | (track.ewma > high))[LEAST_CASES - 1 :].any()


def test_each_patient_counts_once_and_few_patients_make_no_mean_of_their_own():
    rows = [(f"P{n}", "east", "ALL", 10.0 + n) for n in range(5)]
    rows += [("P0", "west", "ALL", 20.0), ("P9", "west", "ALL", 90.0)]
    made = control.baseline(record(rows))
    assert made.patients == 6
    assert made.mean == pytest.approx(np.mean([15.0, 11, 12, 13, 14, 90]))
    assert made.by_source == {"east": 12.0}
    assert (made.sources.low, made.sources.high) == (12.0, 12.0)
    assert control.baseline(record(rows[:4])) is None


def test_the_weighted_mean_and_its_limits_are_those_of_the_formula():
    expected = control.baseline(even())
    track = follow([110.0, 90.0], expected=expected)
    first = 0.1 * 110 + 0.9 * expected.mean
    assert track.ewma == pytest.approx([first, 0.1 * 90 + 0.9 * first])
    band = expected.sources
    case = band.between + band.within / 25
    reach = 3 * np.sqrt(0.01 * case * (1 + 0.81) + band.error**2)
    assert track.watch[1][1] == pytest.approx(band.high + reach)
    assert track.watch[0][1] == pytest.approx(band.low - reach)


def test_a_case_of_few_cells_has_wider_limits():
    few, many = follow([100.0], cells=1), follow([100.0], cells=100)
    assert few.alone[1][0] > many.alone[1][0]


def test_the_state_follows_a_slow_drift_from_ok_to_stop():
    calm = np.random.default_rng(2).normal(100, 5, 40)
    assert follow(calm).state == State.OK
    states = [follow([*calm, *np.linspace(100, 140, 40)[:end]]).state for end in range(1, 41)]
    assert states[-1] == State.STOP
    assert states[0] == State.OK


def test_too_few_cases_say_nothing_however_far_off():
    assert follow([200.0] * (LEAST_CASES - 1)).state == State.TOO_FEW
    assert follow([200.0] * LEAST_CASES).state == State.STOP


def test_one_wild_case_is_named_and_two_are_a_reason_to_watch():
    calm = list(np.random.default_rng(2).normal(100, 3, 30))
    one = follow([*calm, 1_000.0])
    assert one.odd.tolist() == [False] * 30 + [True]
    assert one.state == State.OK
    assert follow([*calm, 1_000.0, 100.0, 1_000.0]).state == State.WATCH


def test_cases_without_the_measure_change_nothing():
    calm = list(np.random.default_rng(2).normal(100, 5, 20))
    gap = follow([*calm, np.nan, np.nan])
    assert gap.ewma[-1] == follow(calm).ewma[-1]
    assert gap.state == State.OK
    assert follow([np.nan] * 30).state == State.TOO_FEW


def test_a_share_that_no_patient_of_the_record_had_may_turn_up_now_and_then():
    never = even().assign(mean=0.0, variance=0.0)
    expected = control.baseline(never)
    rare = [0.0] * 20
    rare[9] = rare[17] = 0.04
    assert control.track(np.array(rare), np.full(20, 25), expected).state == State.OK
    assert control.track(np.full(20, 0.5), np.full(20, 25), expected).state == State.STOP


def test_where_each_stratum_has_one_patient_they_are_taken_together():
    rows = [(f"P{n}", f"source {n}", "ALL", 100.0 + n) for n in range(8)]
    made = control.baseline(record(rows))
    assert made.sources.low == made.sources.high == made.mean
    assert made.sources.between > 0


@pytest.mark.slow
def test_without_a_change_a_false_stop_is_rare(drawn):
    patients = drawn[0]["hue"].index
    pools = {"all": None}
    pools |= {name: np.flatnonzero(patients.get_level_values("source") == name) for name in SOURCES}
    rates = {name: ever(drawn, 60, LENGTH, "stop", pool) for name, pool in pools.items()}
    assert max(rates.values()) <= 0.05, rates


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "factor", "length"), [("brightness", 0.8, 30), ("cell_area", 1.3, 30), ("hue", 1.03, 30)]
)
def test_a_shifted_scanner_is_found(drawn, name, factor, length):
    def change(measure, value):
        return value * factor if measure == name else value

    assert ever(drawn, 40, length, "stop", change=change) >= 0.95


@pytest.mark.slow
def test_healthy_patients_alone_are_a_reason_to_watch_and_not_to_stop(drawn):
    healthy = np.flatnonzero(drawn[0]["hue"].index.get_level_values("label") == "Normal")
    assert ever(drawn, 40, 60, "watch", healthy) >= 0.95
    assert ever(drawn, 40, 60, "stop", healthy) <= 0.05

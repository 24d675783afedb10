"""What is said of a monitoring report: words, numbers and limits, without cases behind them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from leukemia.cases import agreement
from leukemia.evaluation.estimate import Estimate
from leukemia.monitoring import watch
from leukemia.monitoring.control import LEAST_CASES, Band, Baseline, State, track
from leukemia.monitoring.measures import MEASURES
from leukemia.monitoring.readers import Block, Readers
from leukemia.monitoring.recent import Cases, Cells, Model
from leukemia.monitoring.watch import Line, Report
from leukemia.operating_point import UNCLASSIFIED, OperatingPoint
from leukemia.reports import monitoring_tables
from leukemia.reports import monitoring_wording as wording

NONE = Estimate(np.nan, np.nan, np.nan)


def readers(missed=NONE, cases=0, promised=0.05):
    return Readers(20, 4, None, None, (), None, missed, cases, promised)


def line(value, mean=0.5, spread=0.01, cases=20):
    band = Band(mean - 0.02, mean + 0.02, 0.001, spread**2, 0.0)
    base = Baseline(mean, 30, {"a": mean - 0.02, "b": mean + 0.02}, band, band)
    followed = track(np.full(cases, value), np.full(cases, 50.0), base)
    return Line(Estimate(value, value - 0.01, value + 0.01), followed.state, base, followed)


def report(lines, own=None, cases=20, **options):
    numbers = tuple(range(1, cases + 1))
    model = Model("tiny", 3, "a" * 64, OperatingPoint(0.3, 0.7, 0.5))
    made = Cases(numbers, tuple(f"S-{n}" for n in numbers), {})
    return Report(model, made, 50, lines, own or readers(), True, **options)


def test_every_measure_has_a_title_and_something_to_do():
    for name in MEASURES:
        one = report({name: line(0.9)})
        assert one.state == State.STOP
        concluded = wording.conclusion(one)
        assert concluded.found[0].startswith(f"{MEASURES[name].title}: higher than")
        assert len(concluded.to_do) == 2
        assert monitoring_tables.rows(one)[0][0] == "■ Stop"


def test_limits_that_no_share_can_pass_are_not_named():
    (row,) = monitoring_tables.rows(report({"unclassified": line(0.01, mean=0.02)}))
    assert row[-1].startswith("0.0% to ")
    (row,) = monitoring_tables.rows(report({"all_like": line(0.5, spread=3.0)}))
    assert row[-2:] == ("–", "–")


def test_the_first_case_that_can_be_judged_is_said():
    few = report({"hue": line(0.5, cases=LEAST_CASES - 1)}, cases=LEAST_CASES - 1)
    assert wording.conclusion(few).headline == "Too few cases. 9 cases so far; at least 10 are needed."


def test_readers_alone_do_not_show_that_cases_are_like_the_record():
    own = readers(Estimate(0.0, 0.0, 0.02), 20)
    assert own.missed_state == State.OK
    few = report({}, own, cases=2)
    assert wording.conclusion(few).headline == "Too few cases. 2 cases so far; at least 10 are needed."
    lacking = report({"hue": Line(NONE, State.UNKNOWN)}, own)
    assert wording.conclusion(lacking).state == State.UNKNOWN
    assert wording.ALL_RIGHT not in wording.conclusion(lacking).headline
    compared = report({"hue": line(0.5), "sharpness": Line(NONE, State.UNKNOWN)}, own)
    assert wording.conclusion(compared).headline == f"OK. {wording.ALL_RIGHT}"


def test_one_of_a_thing_is_not_called_several():
    one = Readers(1, 0, None, None, (), None, Estimate(0.0, 0.0, 0.975), 1, 0.05)
    assert wording.agreement(one) == [
        "Of the cells signed as ALL-like, the model had called 0.0% (0.0 to 97.5) Normal-like (of 1 case).",
        "The model's answer was not hidden in the signed case: it may have guided the readers.",
    ]
    said = [wording.agreement(replace(one, signed=signed, unseen=n))[-1] for signed, n in ((1, 1), (3, 2))]
    assert said == [
        "The model's answer was hidden until the verdict in the signed case.",
        "The model's answer was hidden until the verdict in 2 of 3 signed cases. In the other it may have "
        "guided the readers.",
    ]


def test_all_that_is_not_counted_is_named_in_its_number():
    found = Cells(pd.DataFrame(), hidden=1, drawn=1, unreadable=1)
    one = report({})
    one = replace(one, cases=replace(one.cases, learned=1, without_colours=1))
    assert wording.left_out(one, found) == (
        "Not counted: 1 open case that hides the model's answer (until signed); 1 cell that the model "
        "learned from; 1 drawn cell; 1 file that could not be read; the colours of 1 case from before they "
        "were measured."
    )
    assert "2 files that could not be read" in wording.left_out(one, replace(found, unreadable=2))


def test_a_kappa_that_is_not_told_is_no_alert_and_no_number():
    pairs = np.array([(case, 0, verdict) for case in range(3) for verdict in (0, 1)])
    few = agreement.of_pairs(("the model", "readers"), pairs)
    before = agreement.of_pairs(few.readers, np.array([(n, n % 2, n % 2) for n in range(40)]))
    own = Readers(3, 3, few, None, (Block(1, 3, few, None),), before, NONE, 0, None)
    assert own.agreement_state == State.TOO_FEW
    assert (
        "the same on 3 of 6 verdicts in 3 signed cases; too few for Cohen's kappa"
        in wording.agreement(own)[0]
    )
    shown = monitoring_tables.table(report({}, own)).set_index("measure")
    assert np.isnan(shown.loc[watch.AGREEMENT, "latest"])


def test_cells_without_an_answer_are_not_called_by_one_of_their_two_names():
    assert UNCLASSIFIED not in wording.TITLES.values()
    assert "Not comparable or Not classified" in monitoring_tables.ABOUT


def test_what_the_model_missed_stops_all_by_itself():
    missed = report({"hue": line(0.5)}, readers(Estimate(0.2, 0.1, 0.3), 20))
    concluded = wording.conclusion(missed)
    assert concluded.state == State.STOP
    assert concluded.found == (
        "20.0% (10.0 to 30.0) of the cells signed as ALL-like were called Normal-like by the model, in 20 "
        "cases; its limits are to keep this at 5% or below.",
    )
    assert wording.READ_ALL in concluded.to_do
    assert monitoring_tables.rows(missed)[-1][:3] == (
        "■ Stop",
        wording.TITLES[watch.MISSED],
        "20.0% (10.0 to 30.0)",
    )


def test_the_nearest_source_is_named_with_how_the_model_fared_there():
    near = report({"hue": line(0.5)}, source="a")
    figures = {"sensitivity": Estimate(0.9, 0.8, 1.0)}
    assert "source a. There the model had a sensitivity of 0.900 (0.800 to 1.000)" in wording.nearest(
        near, figures
    )
    assert wording.nearest(near, None).endswith("source a.")
    assert wording.nearest(report({}), None) == ""


def test_the_table_that_leaves_the_house_has_the_numbers_unrounded():
    shown = monitoring_tables.table(report({"hue": line(0.5)})).set_index("measure")
    assert shown.loc["hue", "reference"] == 0.5
    assert shown.loc["hue", "lowest_source"] == pytest.approx(0.48)
    assert shown.loc["hue", "record_sha256"] == "a" * 64
    assert monitoring_tables.is_table(monitoring_tables.to_csv(report({"hue": line(0.5)})))
    assert not monitoring_tables.is_table("measure,value\n")

from dataclasses import replace

import numpy as np
import pytest

from leukemia.jobs.facts import SweepFacts, SweepTrial
from leukemia.tracking import sweep_results
from leukemia.tracking.records import Run

RANGES = {"learning_rate": (1e-4, 1e-2), "batch": (8.0, 64.0)}


def drawn(count=12, ranges=RANGES):
    """Trials whose objective rises with the learning rate and depends on nothing else."""
    rng = np.random.default_rng(0)
    trials = []
    for number in range(1, count + 1):
        rate = float(10 ** rng.uniform(-4, -2))
        trials.append(
            SweepTrial(
                number,
                {"learning_rate": rate, "batch": int(rng.integers(8, 65))},
                0.9 + 0.02 * (np.log10(rate) + 4),
                sweep_results.COMPLETE,
            )
        )
    return sweep_results.SweepResults(ranges, tuple(trials))


def past(number, settings, outcome="complete", objective="0.9", status="finished"):
    tags = {"trial": str(number), "outcome": outcome, "objective": objective}
    tags = {name: value for name, value in tags.items() if value}
    return Run(f"run{number}", "", "trial", "r", status, None, None, "", settings, {}, "p", tags=tags)


def test_what_mlflow_keeps_is_read_with_its_kinds():
    sweep = Run("p", "", "sweep", "r", "finished", None, None, "", {}, {})
    said = {"vary_flips": "both", "vary_batch": "8:64", "vary_learning_rate": "0.0001:0.01", "seed": "0"}
    settings = {"flips": "True", "batch": "16", "learning_rate": "0.001", "dropout": "0.2"}
    results = sweep_results.of_run(
        replace(sweep, settings=said),
        [
            past(2, settings, "pruned", ""),
            past(1, settings, objective="0.912345"),
            past(3, settings, "", "", "running"),
        ],
    )
    assert results.ranges == {"flips": (0, 1), "batch": (8, 64), "learning_rate": (1e-4, 1e-2)}
    assert [trial.number for trial in results.trials] == [1, 2, 3]
    assert [trial.state for trial in results.trials] == ["complete", "pruned", "running"]
    assert results.trials[0].settings == {"flips": True, "batch": 16, "learning_rate": 0.001}
    assert isinstance(results.trials[0].settings["batch"], int)
    assert results.best.objective == 0.912345 and len(results.finished) == 1


def test_what_a_job_tells_is_read():
    facts = {
        "vary": {"dropout": [0, 0.5]},
        "best": 1,
        "trials": [
            {"number": 1, "settings": {"dropout": 0.2}, "objective": 0.8, "state": "complete"},
            {"number": 2, "settings": {"dropout": 0.3}, "objective": None, "state": "running"},
        ],
    }
    results = sweep_results.of_facts(SweepFacts.read(facts))
    assert results.best.number == 1 and results.count(sweep_results.AT_WORK) == 1
    assert sweep_results.of_facts(SweepFacts.read({})).best is None


def test_the_table_has_the_best_first_and_the_course_never_falls():
    results = drawn()
    table, course = sweep_results.table(results), sweep_results.course(results)
    assert table["number"][0] == results.best.number
    assert table["objective"].is_monotonic_decreasing and len(table) == 12
    assert course["best"].is_monotonic_increasing
    assert course["best"].iloc[-1] == results.best.objective


def test_of_equal_trials_the_first_is_the_best():
    trials = tuple(SweepTrial(number, {"batch": number}, 0.9, "complete") for number in (1, 2))
    assert sweep_results.SweepResults({"batch": (1, 2)}, trials).best.number == 1


def test_the_surface_is_that_of_the_trials_and_open_outside():
    results = drawn(40)
    x, y, z = sweep_results.surface(results)
    assert z.shape == (len(y), len(x)) and np.isnan(z).any()
    inside = ~np.isnan(z)
    expected = np.broadcast_to(0.9 + 0.02 * (x + 4), z.shape)
    assert z[inside] == pytest.approx(expected[inside], abs=1e-6)
    assert (x[0], x[-1], y[0], y[-1]) == pytest.approx((-4, -2, 8, 64))


def test_too_few_trials_or_those_on_a_line_span_no_surface():
    assert sweep_results.surface(drawn(3)) is None
    on_a_line = tuple(replace(trial, settings={**trial.settings, "batch": 8}) for trial in drawn().trials)
    assert sweep_results.surface(sweep_results.SweepResults(RANGES, on_a_line)) is None
    assert sweep_results.surface(sweep_results.SweepResults({"batch": (8, 64)}, drawn().trials)) is None
    assert sweep_results.surface(sweep_results.SweepResults(RANGES, ())) is None


def test_the_sentences_say_the_best_the_tendency_and_what_was_broken_off():
    results = drawn()
    more = (
        *results.trials,
        SweepTrial(13, {"learning_rate": 1e-3, "batch": 9}, None, sweep_results.PRUNED),
        SweepTrial(14, {"learning_rate": 1e-2, "batch": 9}, None, sweep_results.FAILED),
    )
    said = " ".join(sweep_results.notes(sweep_results.SweepResults(RANGES, more)))
    assert f"The best is trial {results.best.number} of 14: AUROC {results.best.objective:.3f}" in said
    assert "More learning rate" not in said and "A higher learning rate went with a higher AUROC" in said
    assert "1 trial was stopped early" in said and "1 trial was unusable" in said
    assert "batch size went with" not in said


def test_a_best_value_at_the_end_of_its_range_is_told_unless_it_is_the_last_one():
    at_end = SweepTrial(1, {"learning_rate": 0.0099, "batch": 30}, 0.9, "complete")
    said = " ".join(sweep_results.notes(sweep_results.SweepResults(RANGES, (at_end,))))
    assert "learning rate is at the upper end of the range" in said and "batch size is at" not in said
    whole = {"learning_rate": (1e-4, 0.1), "batch": (8.0, 64.0)}
    at_bound = replace(at_end, settings={"learning_rate": 0.1, "batch": 30})
    assert "is at the" not in " ".join(sweep_results.notes(sweep_results.SweepResults(whole, (at_bound,))))


def test_without_an_ended_trial_that_is_said():
    running = SweepTrial(1, {"batch": 8}, None, sweep_results.AT_WORK)
    assert sweep_results.notes(sweep_results.SweepResults({"batch": (8, 64)}, (running,))) == [
        "No trial has finished yet."
    ]

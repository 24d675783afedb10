"""The form of a sweep and its charts, without a browser."""

import json
import shutil

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from leukemia import jobs
from leukemia.cli.main import parser
from leukemia.jobs.facts import SweepFacts
from leukemia.recipes import search_space, throughput
from leukemia.recipes.definitions import RECIPES
from leukemia.recipes.settings import field
from leukemia.tracking import run_history
from leukemia.tracking.records import Run
from tests.support.app import PATIENCE, fill, open_page, press, said, widget
from tests.support.performance_page import traces, values


def form():
    import streamlit as st

    from pages.sections.training import sweep_form

    space = sweep_form.show("reference-cnn")
    st.session_state["space"] = space and (space.arguments(), space.trials)


def charts():
    import streamlit as st

    from pages.sections.training import sweep_trials

    sweep_trials.show_running(st.session_state["facts"])


def of_runs():
    from pathlib import Path

    import streamlit as st

    from pages.sections.training import sweep_trials

    sweep_trials.show(Path(), st.session_state["sweep"])


@pytest.fixture
def filled():
    page = AppTest.from_function(form, default_timeout=PATIENCE).run()
    assert not page.exception
    return page


def test_it_opens_on_the_learning_rate_about_the_recipes_own(filled):
    arguments, trials = filled.session_state["space"]
    assert arguments == ["--vary", "learning_rate=5e-05:0.005", "--trials", "12"] and trials == 12
    assert [one.name for one in search_space.axes("reference-cnn", arguments[1:2])] == ["learning_rate"]


def test_settings_ranges_and_trials_become_the_command_lines_words(filled):
    filled.multiselect[0].set_value(["learning_rate", "flips", "batch"]).run()
    widget(filled.number_input, "Learning rate: to").set_value(0.01)
    widget(filled.number_input, "Batch size: from").set_value(8)
    widget(filled.number_input, "Trials").set_value(20).run()
    arguments, trials = filled.session_state["space"]
    assert arguments[:6] == [
        "--vary", "learning_rate=5e-05:0.01", "--vary", "flips=both", "--vary", "batch=8:64"
    ]  # fmt: skip
    assert trials == 20
    assert not filled.error


def test_bounds_are_the_catalogues_and_idle_settings_are_not_offered(filled):
    rate = field("learning_rate")
    for word in ("from", "to"):
        one = widget(filled.number_input, f"Learning rate: {word}")
        assert (one.min, one.max) == (rate.low, rate.high)
    assert "Frozen blocks" not in filled.multiselect[0].options
    assert "L2" in filled.multiselect[0].options
    assert filled.multiselect[0].proto.max_selections == 4


def test_a_range_that_falls_and_no_setting_at_all_are_said_and_start_nothing(filled):
    widget(filled.number_input, "Learning rate: from").set_value(0.05).run()
    assert filled.session_state["space"] is None
    assert "must go from low to high" in filled.error[0].value
    filled.multiselect[0].set_value([]).run()
    assert filled.session_state["space"] is None
    assert "at least one setting" in filled.error[0].value


def test_few_different_settings_make_few_trials(filled):
    filled.multiselect[0].set_value(["flips", "rotation"]).run()
    assert filled.session_state["space"][1] == 4
    assert "4 combinations of settings: each is tried once" in said(filled)


@pytest.mark.parametrize("recipe", ["dense-baseline", "efficientnet-lite0", "mobilenet-v2"])
def test_the_usual_range_of_every_setting_is_a_range(recipe):
    from pages.sections.training import sweep_form

    for name in sweep_form.offered(recipe):
        if field(name).kind != "bool":
            low, high = sweep_form.usual(recipe, field(name))
            search_space.axis(recipe, f"{name}={low!r}:{high!r}")


def facts(count=12, names=("learning_rate", "dropout")):
    rng = np.random.default_rng(1)
    trials = []
    for place in range(1, count + 1):
        settings = {"learning_rate": float(10 ** rng.uniform(-4, -2)), "dropout": float(rng.uniform(0, 0.5))}
        settings["flips"] = bool(rng.random() < 0.5)
        objective = 0.8 + 0.05 * (np.log10(settings["learning_rate"]) + 4) + 0.01 * rng.random()
        trials.append(
            {"number": place, "settings": {n: settings[n] for n in names}, "objective": float(objective)}
            | {"state": "complete"}
        )
    trials[-1] |= {"objective": None, "state": "running"}
    trials[-2] |= {"objective": None, "state": "pruned"}
    ranges = {"learning_rate": [1e-4, 1e-2], "dropout": [0, 0.5], "flips": [0, 1]}
    return {"trials": trials, "best": 1, "vary": {name: ranges[name] for name in names}}


def live(given):
    page = AppTest.from_function(charts, default_timeout=PATIENCE)
    page.session_state["facts"] = SweepFacts.read(given)
    page.run()
    assert not page.exception
    return page


def titles(page):
    return [json.loads(c.proto.spec)["layout"]["title"]["text"] for c in page.get("plotly_chart")]


def test_a_sweep_of_two_numbers_has_three_charts_and_its_best_settings():
    given = facts()
    page = live(given)
    best = max((one for one in given["trials"] if one["objective"]), key=lambda one: one["objective"])
    assert f"The best is trial {best['number']} of 12: AUROC {best['objective']:.3f}" in said(page)
    assert "1 trial was stopped early" in said(page)
    assert [title.split(" ")[0] for title in titles(page)] == ["Settings", "AUROC", "AUROC"]
    (lines,) = [one for one in traces(page) if one["type"] == "parcoords"]
    assert [one["label"] for one in lines["dimensions"]] == ["Learning rate", "Dropout", "AUROC"]
    ended = [one for one in given["trials"] if one["objective"]]
    rates = values(lines["dimensions"][0]["values"])
    assert 10.0**rates == pytest.approx([one["settings"]["learning_rate"] for one in ended])
    assert lines["dimensions"][0]["ticktext"][0] == "0.0001"
    (star,) = [one for one in traces(page) if one.get("name") == "Best trial"]
    assert values(star["x"])[0] == best["settings"]["learning_rate"]
    table = page.dataframe[0].value.set_index("setting")
    assert table.loc["Learning rate", "value"] == f"{best['settings']['learning_rate']:.4g}"
    assert table.loc["Dropout", "range tried"] == "0 to 0.5"
    assert len(page.dataframe[1].value) == 12


def test_on_and_off_have_words_and_no_contour():
    page = live(facts(names=("learning_rate", "flips")))
    assert len(titles(page)) == 2
    (lines,) = [one for one in traces(page) if one["type"] == "parcoords"]
    assert lines["dimensions"][1]["ticktext"] == ["off", "on"]
    assert "off and on" in page.dataframe[0].value["range tried"].tolist()


def test_a_trial_that_has_no_run_of_its_own_cuts_no_other_off_the_chart():
    given = facts()
    del given["trials"][3]
    (chart,) = [c for c in live(given).get("plotly_chart") if "trial by trial" in c.proto.spec]
    assert json.loads(chart.proto.spec)["layout"]["xaxis"]["range"] == [0.5, 12.5]


def test_a_sweep_that_has_just_begun_says_so():
    assert "No trial has started yet" in said(live({}))
    first = facts()
    first["trials"] = [first["trials"][0] | {"objective": None, "state": "running"}]
    page = live(first)
    assert "No trial has finished yet" in said(page) and not titles(page)
    one = facts()
    one["trials"] = one["trials"][:1]
    assert len(titles(live(one))) == 1


def test_a_sweep_that_was_is_read_from_its_runs(monkeypatch):
    page = AppTest.from_function(of_runs, default_timeout=PATIENCE)
    told = {"vary_learning_rate": "0.0001:0.01", "vary_dropout": "0.0:0.5"}
    page.session_state["sweep"] = Run("p", "", "sweep", "r", "finished", None, None, "", told, {})
    children = [
        Run(
            f"r{one['number']}", "", "trial", "r", "finished", None, None, "",
            {name: str(value) for name, value in one["settings"].items()}, {}, "p",
            tags={"trial": str(one["number"]), "outcome": one["state"]}
            | {"objective": str(one["objective"] or "")},
        )
        for one in facts()["trials"]
    ]  # fmt: skip
    monkeypatch.setattr(run_history, "children", lambda *_: children)
    page.run()
    assert not page.exception
    assert len(titles(page)) == 3 and "The best is trial" in said(page)


@pytest.fixture
def start_sweep(looked_through, tmp_path, monkeypatch):
    """The page's form with the kind Sweep; what is asked for is kept, and nothing is started."""
    data = shutil.copytree(looked_through, tmp_path / "data")
    for name in RECIPES:
        throughput.record(data / "cache", name, 0.01, 0.004)
    asked = []

    def ask(data, kind, title, arguments, by=""):
        asked.append((kind, title, list(arguments)))
        return jobs.WaitingJob("0", kind, title, tuple(arguments), "2026-01-01T00:00:00+00:00", by)

    monkeypatch.setattr(jobs, "submit", ask)
    monkeypatch.setenv("LEUKEMIA_DATA", str(data))
    page = open_page("training", section="new")
    page.session_state["training-kind"] = "sweep"
    page.run()
    assert not page.exception
    return page, asked


def test_the_page_asks_for_a_sweep_that_the_command_line_takes(start_sweep):
    page, asked = start_sweep
    page.multiselect[0].set_value(["learning_rate", "brightness"]).run()
    # What is varied has no value of its own to be typed in.
    assert not {"Learning rate", "Brightness"} & {one.label for one in page.number_input}
    widget(page.number_input, "Epochs").set_value(3).run()
    assert "At most about" in said(page)
    press(page, "Start")
    assert "give your name" in " ".join(one.value for one in page.error) and not asked
    fill(page, "Your name", "Dr. Ada")
    press(page, "Start")
    ((kind, title, arguments),) = asked
    assert kind == "sweep" and title.startswith("Sweep of reference-cnn over learning rate, brightness")
    options = parser().parse_args(arguments)
    assert options.in_registry and options.trials == 12 and options.settings == ["epochs=3"]
    assert [one.name for one in search_space.axes(options.recipe, options.vary)] == [
        "learning_rate",
        "brightness",
    ]


def test_a_sweep_without_a_setting_cannot_be_started(start_sweep):
    page, asked = start_sweep
    page.multiselect[0].set_value([]).run()
    (button,) = [one for one in page.button if one.label == "Start"]
    assert button.disabled and not asked

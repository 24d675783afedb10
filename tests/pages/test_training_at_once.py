"""The page Training, told of two things in one message: none of them starts anything later, unasked."""

import shutil

import pytest

from leukemia import jobs
from leukemia.recipes import throughput
from leukemia.recipes.definitions import RECIPES
from leukemia.registry import versions
from pages.components import pending
from pages.sections.training import form
from tests.support import runs_page
from tests.support.app import fill, go, open_page, press, said, widget
from tests.support.runs_page import register, told

alone, data, visit = runs_page.alone, runs_page.data, runs_page.visit


@pytest.fixture
def asked(monkeypatch):
    """The titles of what the page asks for; nothing is started."""
    found = []
    monkeypatch.setattr(jobs, "submit", lambda data, kind, title, *given, **options: found.append(title))
    return found


@pytest.fixture
def new_run(looked_through, tmp_path, tiny_bundle, monkeypatch):
    """Open the form of a new run."""
    folder = shutil.copytree(looked_through, tmp_path / "data")
    for name in RECIPES:
        throughput.record(folder / "cache", name, 0.01, 0.004)
    monkeypatch.setenv("LEUKEMIA_DATA", str(folder))
    monkeypatch.setenv("LEUKEMIA_MODEL", str(tiny_bundle))
    return open_page("training", section="new")


def choose(page, section):
    (one,) = [one for one in page.get("button_group") if one.key.startswith("training-section")]
    return one.set_value(section)


@pytest.mark.usefixtures("either_order")
@pytest.mark.parametrize("section", ["runs", "now"])
def test_a_start_pressed_with_another_section_is_forgotten_and_said_to_be(new_run, asked, section):
    widget(new_run.button, "Start").click()
    choose(new_run, section).run()
    assert not new_run.exception
    assert new_run.query_params["section"] in (section, [section])
    assert pending.NOT_STARTED in said(new_run)
    choose(new_run, "new").run()
    new_run.run()
    assert not new_run.exception
    assert asked == []
    assert pending.NOT_STARTED not in said(new_run)
    press(new_run, "Start")
    assert len(asked) == 1


def test_that_a_start_was_forgotten_is_not_said_once_more_after_another_page(new_run, asked):
    widget(new_run.button, "Start").click()
    choose(new_run, "runs").run()
    assert pending.NOT_STARTED in said(new_run)
    go(new_run, "dataset")
    go(new_run, "training", section="new")
    assert pending.NOT_STARTED not in said(new_run)
    assert asked == []


@pytest.mark.usefixtures("either_order")
def test_a_start_pressed_with_the_short_training_starts_that_one_alone(new_run, asked):
    widget(new_run.button, "Start").click()
    press(new_run, "Train on the sample set")
    choose(new_run, "new").run()
    assert not new_run.exception
    assert asked == ["Short training on the sample set"]


def test_a_start_pressed_with_another_page_is_forgotten_and_said_to_be(new_run, asked):
    widget(new_run.button, "Start").click()
    new_run.switch_page("pages/dataset.py").run()
    assert new_run.title[0].value == "Dataset"
    go(new_run, "training", section="new")
    assert asked == []
    assert pending.NOT_STARTED in said(new_run)
    press(new_run, "Start")
    assert len(asked) == 1


@pytest.mark.usefixtures("either_order")
def test_a_start_pressed_with_a_change_of_the_form_starts_what_the_form_says_now(new_run, asked):
    widget(new_run.button, "Start").click()
    (kind,) = [one for one in new_run.get("button_group") if one.key == form.KIND]
    kind.set_value(form.CROSSVALIDATE).run()
    assert not new_run.exception
    (title,) = asked
    assert title.startswith("Cross-validation")


@pytest.mark.usefixtures("either_order")
def test_a_version_promoted_and_marked_at_once_is_in_service_and_no_challenger(
    visit, data, tiny_bundle, tmp_path
):
    run = register(data, tiny_bundle, tmp_path / "one", "reference-cnn")
    page = visit(run.run_id)
    fill(page, "Your name", "Ada")
    fill(page, "Reason", "finds more")
    for box in page.checkbox:
        box.check()
    widget(page.button, "Mark as challenger").click()
    press(page, "Promote version 1")
    assert not page.exception
    assert versions.version(data, 1).aliases == ("champion",)
    assert "in service" in told(page)

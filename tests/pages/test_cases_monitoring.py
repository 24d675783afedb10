"""The section Monitoring of the Cases page, without a browser."""

import json

import pytest

from leukemia.audit import trail
from leukemia.cases import cells
from leukemia.errors import RecordsError
from leukemia.monitoring import alerts
from leukemia.monitoring.measures import MEASURES
from leukemia.reports import monitoring_tables
from leukemia.reports import monitoring_wording as wording
from pages.components import model_in_service
from pages.sections.cases import monitoring
from tests.support.app import dashboard, go, said, widget
from tests.support.monitoring_factory import add_cases, as_the_model, darker_and_larger, read, record, sign


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def bundle(tmp_path, data, monkeypatch):
    monkeypatch.setenv("LEUKEMIA_DATA", str(data))
    monkeypatch.setenv("LEUKEMIA_MODEL", str(tmp_path / "bundle"))
    return record(tmp_path / "bundle", data)


def visit(section="monitoring", **query):
    model_in_service.refresh()
    return go(dashboard(), "cases", section=section, **query)


def table(page):
    (shown,) = page.dataframe
    return shown.value.set_index("Measure")


def test_without_cases_a_sentence_says_what_will_be_here(data, bundle):
    page = visit()
    assert monitoring.EMPTY in said(page)
    assert not page.dataframe


def test_cases_like_the_record_say_that_nothing_needs_to_be_done(data, bundle):
    add_cases(data, bundle, 20)
    page = visit()
    assert f"OK.** {wording.ALL_RIGHT}" in said(page)
    shown = table(page)
    assert list(shown.columns) == [name for name in monitoring_tables.HEADER if name != "Measure"]
    assert set(shown["State"]) == {"✓ OK"}
    assert json.loads(page.dataframe[0].proto.columns)["Latest cases"]["width"] >= 180, "it holds an interval"
    assert len(page.get("plotly_chart")) == 1


def test_an_alert_comes_first_with_what_to_do_and_is_recorded_once(data, bundle):
    add_cases(data, bundle, 30, change=darker_and_larger)
    page = visit()
    alert = page.error[0].value.replace("\\", "")
    assert alert.startswith("**Stop and check.** Cell area: higher than in the model's patients")
    assert wording.READ_ALL in alert
    assert table(page)["State"].tolist()[:2] == ["■ Stop", "■ Stop"]
    assert widget(page.selectbox, "Chart of").value == "cell_area"
    page.run()
    visit()
    assert len(trail.entries(data, events=[trail.ALERT])) == 2
    listed = visit("worklist")
    assert "Monitoring: stop and check." in said(listed)


def test_too_few_cases_are_said_to_be(data, bundle):
    add_cases(data, bundle, 3)
    assert "3 cases so far; at least 10 are needed." in said(visit())


def test_each_version_is_compared_by_itself(data, bundle):
    add_cases(data, bundle, 20, change=darker_and_larger)
    add_cases(data, bundle, 12, seed=2, version=4)
    page = visit()
    assert "OK." in said(page)
    widget(page.selectbox, "Answered by").select_index(1).run()
    assert not page.exception
    assert page.error[0].value.startswith("**Stop and check.**")


def test_the_window_is_chosen(data, bundle):
    add_cases(data, bundle, 25)
    page = visit()
    before = table(page).loc["Cell area (pixels at the model's scale)", "Latest cases"]
    widget(page.selectbox, "Describe the latest").set_value(20).run()
    assert table(page).loc["Cell area (pixels at the model's scale)", "Latest cases"] != before


def test_nothing_of_a_case_that_hides_the_answer_is_shown_before_it_is_signed(data, bundle):
    add_cases(data, bundle, 2, hide_model=True)
    page = visit()
    assert "2 open cases hide the model's answer" in said(page)
    assert not page.dataframe
    sign(data, [1, 2])
    assert "2 cases so far" in said(visit())


def test_a_case_outside_its_limits_opens_at_a_press(data, bundle):
    add_cases(data, bundle, 12)
    (odd,) = add_cases(data, bundle, 1, seed=2, change=lambda own: own.assign(hue=0.5))
    page = visit()
    assert "Hue of the mean colour" in said(page)
    next(one for one in page.button if one.key == f"monitoring-open-{odd}").click().run()
    assert not page.exception
    assert page.query_params["case"] in (str(odd), [str(odd)])


def test_readers_of_signed_cases_are_shown(data, bundle):
    numbers = add_cases(data, bundle, 12, cells=6)
    for number in numbers:
        read(data, number, "Ada", as_the_model)
    assert "Agreement is shown once cases are signed." in said(visit())
    sign(data, numbers)
    page = visit()
    assert "Cohen's kappa 1.000" in said(page)
    assert len(page.get("plotly_chart")) == 2


def test_a_model_that_is_gone_leaves_the_cases_and_says_so(data, bundle, tmp_path, monkeypatch):
    add_cases(data, bundle, 12, version=None)
    record(tmp_path / "other", tmp_path / "elsewhere", seed=9)
    monkeypatch.setenv("LEUKEMIA_MODEL", str(tmp_path / "other"))
    page = visit()
    assert wording.NO_RECORD in said(page)
    assert "not on record" in table(page)["Model's patients"].tolist()
    assert len(cells.cells(data, 1)) == 20


def test_an_alert_that_cannot_be_recorded_is_shown_all_the_same(data, bundle, monkeypatch):
    def refuse(*_):
        raise RecordsError("Nothing was saved. The disk is full.")

    monkeypatch.setattr(alerts, "record", refuse)
    add_cases(data, bundle, 30, change=darker_and_larger)
    page = visit()
    assert page.error[0].value.startswith("**Stop and check.**")
    assert "The alert could not be put on record. Nothing was saved." in said(page)
    assert len(table(page)) == len(MEASURES)

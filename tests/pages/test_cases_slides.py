"""Adding a whole slide on a case's page: chosen, started, followed, paused and resumed."""

import pytest

from leukemia import jobs
from leukemia.cases import case as cases
from leukemia.errors import BusyError
from leukemia.jobs import JobKind
from leukemia.storage.workspace import Workspace
from pages.components import identity, model_in_service, scale_question
from pages.sections.cases import slides, words
from tests.support import job_factory
from tests.support import slides as drawn
from tests.support.app import dashboard, go, said, widget
from tests.support.at_once import at_once

IN_BOTH_ORDERS = pytest.mark.parametrize("order", [1, -1])


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def case(data):
    return cases.create(data, "P-1", who="Ada", keep_names=True)


@pytest.fixture
def submitted(monkeypatch):
    started = []
    monkeypatch.setattr(jobs, "submit", lambda *given, **more: started.append((*given, more)))
    return started


@pytest.fixture
def visit(data, case, tiny_bundle, monkeypatch):
    def start(name="Ada"):
        monkeypatch.setenv("LEUKEMIA_DATA", str(data))
        monkeypatch.setenv("LEUKEMIA_MODEL", str(tiny_bundle))
        model_in_service.refresh()
        page = dashboard()
        page.session_state[identity.NAME] = name
        return go(page, "cases", case=str(case.id))

    return start


def put(data, name="one.svs", **written):
    folder = Workspace(data).slides
    folder.mkdir(parents=True, exist_ok=True)
    return drawn.write(folder / name, drawn.smear(width=600, height=500), **written)


def job(data, case, **more):
    arguments = ["add-slide", "one.svs", "--case", str(case.id)]
    return job_factory.write(data, "slide", "Search of one.svs", record={"arguments": arguments}, **more)


def test_without_slides_it_says_where_to_put_them(visit, data):
    assert str(Workspace(data).slides.resolve()) in said(visit())


def test_a_slide_is_searched_in_the_background_for_this_case(visit, data, case, submitted):
    path = put(data)
    page = visit()
    widget(page.button, "Search the slide").click().run()
    ((folder, kind, title, arguments, more),) = submitted
    assert (folder.resolve(), kind, title) == (data.resolve(), JobKind.SLIDE, "Search of one.svs")
    assert arguments == ["add-slide", str(path), "--case", str(case.id), "--data", str(data.resolve())]
    assert more == {"by": "Ada"}


def test_a_differential_count_goes_along_the_battlement_track(visit, data, case, submitted):
    put(data)
    page = visit()
    page.segmented_control(key=f"slide-how-{case.id}").set_value(slides.COUNT).run()
    assert "first 100 white cells along the battlement track" in said(page)
    widget(page.button, "Search the slide").click().run()
    assert submitted[0][3][-1] == "--battlement"


def test_a_slide_without_a_scale_asks_for_it(visit, data, case, submitted):
    put(data, pixel_size=None)
    page = visit()
    widget(page.button, "Search the slide").click().run()
    assert scale_question.NEEDED in said(page) and submitted == []
    page.number_input(key=f"slide-scale-{case.id}").set_value(0.1).run()
    widget(page.button, "Search the slide").click().run()
    assert submitted[0][3][-2:] == ["--pixel-size", "0.1"]


@IN_BOTH_ORDERS
def test_the_slide_that_is_chosen_in_the_moment_of_the_press_is_searched_as_is_chosen_then(
    visit, data, case, submitted, order
):
    put(data)
    two = put(data, "two.svs")
    page = visit()
    chosen = page.selectbox(key=f"slide-{case.id}").set_value(two)
    how = page.segmented_control(key=f"slide-how-{case.id}").set_value(slides.COUNT)
    at_once(page, *[chosen, how, widget(page.button, "Search the slide").click()][::order])
    ((_, _, title, arguments, _),) = submitted
    assert title == "Search of two.svs"
    assert arguments[1] == str(two) and arguments[-1] == "--battlement"


@IN_BOTH_ORDERS
def test_a_slide_without_a_scale_that_is_chosen_in_the_moment_of_the_press_asks_for_it(
    visit, data, case, submitted, order
):
    put(data)
    two = put(data, "two.svs", pixel_size=None)
    page = visit()
    chosen = page.selectbox(key=f"slide-{case.id}").set_value(two)
    at_once(page, *[chosen, widget(page.button, "Search the slide").click()][::order])
    assert scale_question.NEEDED in said(page) and submitted == []


def test_a_slide_that_became_unreadable_since_it_was_shown_is_a_sentence(visit, data, submitted):
    path = put(data)
    page = visit()
    path.write_bytes(b"nothing")
    widget(page.button, "Search the slide").click().run()
    assert "The slide cannot be read" in said(page) and submitted == []


def test_a_slide_that_is_too_coarse_for_the_model_says_so_before_the_search(visit, data):
    put(data, pixel_size=0.25)
    assert "0.25 µm per pixel" in said(visit()) and "not classified" in said(visit())


def test_without_a_name_it_is_asked_for(visit, data, submitted):
    put(data)
    page = visit(name="")
    widget(page.button, "Search the slide").click().run()
    assert words.NAME_FIRST in said(page) and submitted == []


def test_a_damaged_slide_is_a_sentence(visit, data, submitted):
    put(data).write_bytes(b"nothing")
    page = visit()
    assert "The slide cannot be read" in said(page)
    assert not [one for one in page.button if one.label == "Search the slide"]


@pytest.mark.process
def test_a_running_search_can_be_paused_and_another_case_waits(visit, data, case):
    process = job_factory.sleeper()
    try:
        put(data)
        running = job(
            data, case, process=process, told={"done": 3, "total": 12, "what": "Searching the slide"}
        )
        page = visit()
        assert "Pause" in [one.label for one in page.button]
        assert not [one for one in page.button if one.label == "Search the slide"]
        other = cases.create(data, "P-2", who="Ada")
        page = go(page, "cases", case=str(other.id))
        assert "Only one slide is searched at a time" in said(page)
        with pytest.raises(BusyError, match="another slide is being searched"):
            jobs.submit(data, JobKind.SLIDE, "Another", ["add-slide"])
        assert jobs.state(running).active
    finally:
        process[0].kill()
        process[0].wait()


def test_a_paused_search_is_resumed(visit, data, case, monkeypatch):
    put(data)
    paused = job(
        data, case, end=(130, "Paused: 3 of 12 parts of the slide are searched, 2 white cells found. Go on.")
    )
    resumed = []
    monkeypatch.setattr(jobs, "resubmit", resumed.append)
    page = visit()
    assert "Paused: 3 of 12 parts" in said(page)
    widget(page.button, "Resume").click().run()
    assert resumed == [paused]


def test_how_a_search_ended_for_another_case_is_not_shown(visit, data, case):
    job(data, cases.create(data, "P-2", who="Ada"), end=(130, "Paused: 3 of 12 parts."))
    assert "Paused" not in said(visit())


def test_a_signed_case_takes_no_slide(visit, data, case, monkeypatch):
    put(data)
    monkeypatch.setattr(cases.Case, "is_signed", property(lambda case: True))
    page = visit()
    assert "Search the slide" not in [one.label for one in page.button]

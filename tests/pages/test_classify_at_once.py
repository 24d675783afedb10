"""What is pressed on Classify in one moment with something else: each is done, or it is said why not."""

import pytest

from leukemia.audit import answers, trail
from leukemia.cases import fields, worklist
from leukemia.segmentation import kept
from leukemia.segmentation import segment as segmenting
from pages.components import scale_bar, stain_choice
from pages.sections.cases import make_case
from tests.support.app import go, press, said, widget
from tests.support.at_once import at_once
from tests.support.fields import ColourNetwork, encode_field

TWO = ((200, 200, 60), (450, 300, 60))
SCALE = 0.1  # micrometres per pixel
IN_BOTH_ORDERS = pytest.mark.parametrize("order", [1, -1])


@pytest.fixture(autouse=True)
def network(monkeypatch):
    monkeypatch.setattr(segmenting, "shipped", ColourNetwork)


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("LEUKEMIA_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def cells(drawn_files, start, end):
    return [(one.name, one.read_bytes(), "image/bmp") for one in sorted(drawn_files.iterdir())[start:end]]


def with_field(page, **drawn):
    return (
        page.file_uploader[0].set_value([("smear.png", encode_field(white=TWO, **drawn), "image/png")]).run()
    )


def clear(page):
    return widget(page.button, "Clear").click()


@IN_BOTH_ORDERS
def test_files_that_are_dropped_in_the_moment_of_clear_are_answered(app, drawn_files, order):
    page = app()
    page.file_uploader[0].set_value(cells(drawn_files, 0, 3)).run()
    dropped = page.file_uploader[0].set_value(cells(drawn_files, 3, 5))
    at_once(page, *[clear(page), dropped][::order]).run()
    assert not page.exception
    assert len(page.session_state.batch.results) == 2


@IN_BOTH_ORDERS
def test_a_stain_that_is_matched_in_the_moment_of_clear_is_gone(app, stain_bundle, order):
    page = with_field(app(stain_bundle))
    matched = widget(page.toggle, stain_choice.MATCH).set_value(True)
    at_once(page, *[clear(page), matched][::order])
    assert not len(page.session_state.batch)


def test_a_stain_that_is_matched_in_the_moment_in_which_its_field_is_taken_away_is_gone(app, stain_bundle):
    page = with_field(app(stain_bundle))
    matched = widget(page.toggle, stain_choice.MATCH).set_value(True)
    at_once(page, page.file_uploader[0].set_value([]), matched)
    assert not len(page.session_state.batch)


@IN_BOTH_ORDERS
@pytest.mark.parametrize("what", ["cells", "field"])
def test_a_case_that_is_made_in_the_moment_of_clear_opens_with_its_cells_or_says_why_not(
    app, data, drawn_files, order, what
):
    page = app()
    if what == "field":
        with_field(page)
    else:
        page.file_uploader[0].set_value(cells(drawn_files, 0, 3)).run()
    page.text_input("make-case-identifier").set_value("P-9")
    page.text_input("make-case-who").set_value("Ada")
    at_once(page, *[clear(page), widget(page.button, "Make the case").click()][::order])
    assert page.title[0].value == "Cases"
    (one,) = worklist.worklist(data)
    was_cleared = what == "field" and order == 1
    assert (one.cells == 0) == was_cleared == (make_case.CLEARED in said(page))
    for field in fields.fields(data, one.case.id):
        kept.load(field.file, field.image_id)


@IN_BOTH_ORDERS
def test_answers_that_are_downloaded_in_the_moment_of_clear_are_on_record_once(app, data, order):
    page = press(app(), "Try drawn cells")
    count = len(page.session_state.batch.results)

    def recorded():
        return sum(
            len(answers.of_entry(data, one.number)) for one in trail.entries(data, events=[trail.ANSWERS])
        )

    assert recorded() == count
    download = widget(page.get("download_button"), "Download CSV").click()
    at_once(page, *[clear(page), download][::order])
    assert recorded() == count
    press(page, "Try drawn cells")
    assert recorded() == 2 * count


@IN_BOTH_ORDERS
def test_a_scale_that_is_stated_in_the_moment_of_clear_stays(app, order):
    page = with_field(app(), red=())
    page.number_input[0].set_value(SCALE)
    at_once(page, *[clear(page), widget(page.button, "Use this scale").click()][::order])
    assert page.session_state.batch.scale.pixel_size == SCALE


def test_a_bar_that_is_used_in_the_moment_in_which_the_scale_is_stated_leaves_the_field(app):
    page = with_field(app(), red=())
    page.number_input[0].set_value(SCALE)
    widget(page.number_input, "Length in pixels").set_value(200.0)
    widget(page.number_input, "Length in micrometres").set_value(20.0)
    at_once(page, widget(page.button, "Use this scale").click(), widget(page.button, scale_bar.USE).click())
    assert not [one for one in page.button if one.label == scale_bar.BACK]
    page.run()
    assert len(page.session_state.batch.results) == len(TWO)


def test_a_case_that_is_made_in_the_moment_of_leaving_is_there_and_opens_only_when_asked(app, data):
    page = press(app(), "Try drawn cells")
    page.text_input("make-case-identifier").set_value("P-9")
    page.text_input("make-case-who").set_value("Ada")
    widget(page.button, "Make the case").click()
    go(page, "dataset")
    assert [one.case.identifier for one in worklist.worklist(data)] == ["P-9"]
    go(page, "classify")
    assert page.title[0].value == "Classify cells"

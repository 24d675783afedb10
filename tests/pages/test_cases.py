"""The Cases page, without a browser: cases begun, listed and opened, cells added, the review grid."""

import pytest
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData

from leukemia.cases import case as cases
from leukemia.cases import cells, signing, verdicts, worklist
from leukemia.inference.batch import Batch
from leukemia.operating_point import ALL_LIKE, NORMAL_LIKE
from pages.components import identity
from pages.sections.cases import address, new_case, words
from pages.sections.cases import worklist as worklist_section
from tests.support import review_page
from tests.support.app import fill, open_dashboard, press, said, widget
from tests.support.case_factory import make_case
from tests.support.review_page import grid, lines, shown

HOSTILE = "<b>P</b> 'x' \"y\" *7* :cat: $z$"

data, visit = review_page.data, review_page.visit


def listed(page):
    """Identifiers in the list, in its order."""
    return [button.label for button in page.button if (button.key or "").startswith("open-case-")]


def test_without_a_case_the_page_says_how_to_begin_and_writes_nothing(visit, data):
    page = visit()
    assert worklist_section.NONE_YET in said(page, escaped=True)
    assert not data.exists()


def test_a_case_is_begun_and_opens_at_an_address_of_its_own(visit, data):
    page = visit(name="")
    fill(page, "Identifier", HOSTILE)
    widget(page.checkbox, "Keep file names").check()
    for field in page.text_input:
        if field.key == f"{new_case.FORM}-who":
            field.set_value("Ada")
    press(page, "Begin the case")
    (one,) = worklist.worklist(data)
    assert one.case.identifier == HOSTILE
    assert (one.case.keep_names, one.case.blind, one.case.hide_model) == (True, False, False)
    assert page.query_params["case"] == str(one.case.id)
    assert HOSTILE in said(page)
    assert widget(page.text_input, "Your name").value == "Ada"


def test_an_identifier_that_is_taken_or_empty_is_a_sentence(visit, data):
    cases.create(data, "P-1", who="Ada")
    page = visit()
    press(page, "Begin the case")
    assert "give the case an identifier" in said(page)
    fill(page, "Identifier", " P-1 ")
    press(page, "Begin the case")
    assert "There is a case with this identifier already." in said(page)
    assert len(worklist.worklist(data)) == 1


def test_the_list_is_searched_narrowed_and_ordered_in_the_address(visit, data):
    make_case(data, "sure", (0.95, 0.02))
    make_case(data, "unsure", (0.5, 0.55, 0.9), first=20)
    page = visit()
    names = listed(page)
    assert names == ["unsure", "sure"]
    widget(page.text_input, "Search by identifier").set_value("SURE").run()
    widget(page.multiselect, "State").set_value([worklist.TO_REVIEW]).run()
    assert page.query_params["search"] == "SURE"
    assert page.query_params["state"] == worklist.TO_REVIEW
    assert listed(page) == ["unsure"]
    again = visit(state=worklist.TO_REVIEW, order=worklist.MOST_UNCERTAIN, search="nothing")
    assert worklist_section.NO_MATCH in said(again)
    press(visit(), "sure")


@pytest.mark.parametrize("asked", ["999", "x", "-1", "9" * 40, ""])
def test_a_case_that_is_not_there_is_a_sentence(visit, data, asked):
    make_case(data)
    assert "There is no case number" in said(visit(case=asked))


def test_dropped_cells_are_answered_and_on_record(visit, data, drawn_files):
    case = cases.create(data, "P-1", who="Ada")
    page = visit(case=case.id)
    files = [(path.name, path.read_bytes(), "image/bmp") for path in sorted(drawn_files.iterdir())[:5]]
    files.append(("broken.bmp", b"no picture", "image/bmp"))
    page.file_uploader[0].set_value(files).run()
    assert not page.exception
    found = cells.cells(data, case.id)
    assert len(found) == 6
    assert {cell.name for cell in found} == {""}
    (broken,) = [cell for cell in found if not cell.image_id]
    assert broken.error in lines(page, broken.number)
    assert [cell.probability is None for cell in found].count(True) == 1
    assert "1 file could not be read: broken.bmp. It has no picture" in said(page)
    page.run()
    assert len(cells.cells(data, case.id)) == 6
    again = visit(case=case.id)
    again.file_uploader[0].set_value(files[:2]).run()
    assert len(cells.cells(data, case.id)) == 6
    assert "2 in this case already" in said(again)
    assert "could not be read" not in said(again)


def test_what_was_answered_when_a_press_ended_the_run_is_on_record(visit, data, drawn_files, monkeypatch):
    case = cases.create(data, "P-1", who="Ada")
    page = visit(case=case.id)
    work = Batch.work

    def work_until_a_press(batch, *given):
        done = work(batch, *given)
        context = get_script_run_ctx()
        context.script_requests.request_rerun(
            RerunData(query_string=context.query_string, page_script_hash=context.page_script_hash)
        )
        return done

    monkeypatch.setattr(Batch, "work", work_until_a_press)
    files = [(path.name, path.read_bytes(), "image/bmp") for path in sorted(drawn_files.iterdir())[:2]]
    page.file_uploader[0].set_value(files).run()
    assert not page.exception
    assert len(cells.cells(data, case.id)) == 2


def test_files_that_could_not_be_read_are_named_in_part():
    assert words.unread(["a", "b"]).startswith("2 files could not be read: a, b. They have no picture")
    assert "read: 0, 1, 2, 3, 4 and 3 more. They" in words.unread(list("01234567"))


def test_nobody_adds_cells_without_a_name(visit, data):
    case = cases.create(data, "P-1", who="Ada")
    page = visit(name="", case=case.id)
    assert page.file_uploader[0].disabled


def test_cells_that_cannot_be_put_on_record_wait(visit, data, drawn_files, monkeypatch):
    from leukemia.errors import RecordsUnavailableError

    case = cases.create(data, "P-1", who="Ada")
    page = visit(case=case.id)
    whole = cells.add

    def fails(*_, **__):
        raise RecordsUnavailableError("Nothing was saved. The database is gone.")

    monkeypatch.setattr(cells, "add", fails)
    path = next(iter(sorted(drawn_files.iterdir())))
    page.file_uploader[0].set_value([(path.name, path.read_bytes(), "image/bmp")]).run()
    assert "The database is gone. These cells are not in the case yet." in said(page)
    monkeypatch.setattr(cells, "add", whole)
    press(page, "Try again")
    assert len(cells.cells(data, case.id)) == 1
    assert "database is gone" not in said(page)


def test_the_grid_shows_answers_and_verdicts_side_by_side(visit, data):
    case = make_case(data)
    verdicts.give(data, case.id, [1], ALL_LIKE, reader="Ada")
    verdicts.give(data, case.id, [1, 2], NORMAL_LIKE, reader="Ben <i>")
    page = visit(case=case.id)
    assert list(shown(page)) == [1, 2, 3, 4, 5]
    assert [cell["own"] for cell in shown(page).values()] == [ALL_LIKE, "", "", "", ""]
    assert lines(page, 1)[:1] == ["Model: ALL-like, 0.900"]
    assert lines(page, 1)[-2:] == ["Ben <i>: Normal-like", "Readers disagree"]
    assert lines(page, 4)[0] == "Model: not classified"
    assert "Unlike the cells" in lines(page, 4)[1]
    assert "You have read 1 of 5 cells." in grid(page)["progress"]
    assert "3 still need a verdict" in grid(page)["progress"]


def test_where_no_cell_waits_the_grid_says_so_signed_or_not(visit, data):
    case = make_case(data, probabilities=(0.9, 0.1))
    said = "You have read 0 of 2 cells. No cell is waiting for a verdict."
    assert grid(visit(case=case.id))["progress"] == said
    signing.sign(data, case.id, who="Ada", meaning=signing.MEANINGS[0])
    assert grid(visit(case=case.id))["progress"] == said


def test_records_that_cannot_be_read_are_a_sentence(visit, data):
    case = make_case(data)
    for file in data.glob("records.db*"):
        file.write_bytes(b"no database at all" * 100)
    page = visit(case=case.id)
    assert "The records cannot be read" in said(page)


def test_the_cells_of_a_quick_look_become_a_case(visit, data, drawn_files, monkeypatch):
    visit()
    page = open_dashboard()
    page.session_state[identity.NAME] = "Ada"
    files = [(path.name, path.read_bytes(), "image/bmp") for path in sorted(drawn_files.iterdir())[:3]]
    page.file_uploader[0].set_value([*files, ("broken.bmp", b"no picture", "image/bmp")]).run()
    fill(page, "Identifier", "P-7")
    press(page, "Make the case")
    assert not page.exception
    (one,) = worklist.worklist(data)
    assert page.query_params["case"] == str(one.case.id)
    assert one.cells == 4
    answers = {
        result.answer.image_id: result.answer.probability for result in page.session_state.batch.results
    }
    assert {cell.image_id: cell.probability for cell in cells.cells(data, one.case.id)} == answers


def test_fields_that_went_with_the_list_do_not_close_the_case_that_was_opened(monkeypatch):
    class Query(dict):
        def from_dict(self, words):
            self.clear()
            self.update(words)

    monkeypatch.setattr(address.st, "query_params", Query(page="3"))
    address.put_list(search=" x ", states=[worklist.SIGNED], order=worklist.LATEST)
    assert address.st.query_params == {"search": "x", "state": [worklist.SIGNED]}
    address.open_case(7)
    address.put_list(search="", states=[], order=worklist.LATEST)
    address.put_page(2)
    assert address.st.query_params == {"case": "7"}

"""What the Cases page keeps back from a reader, without a browser: others' verdicts, the model's answers."""

import csv
import io

import pytest

from leukemia.cases import corrections, disagreements, signing, verdicts, worklist
from leukemia.errors import AccessError
from leukemia.operating_point import ALL_LIKE, NORMAL_LIKE
from leukemia.reports import case_files, case_wording
from pages.sections.cases import opened_cell, readers
from pages.sections.cases import report as report_section
from tests.support import review_page
from tests.support.app import said, widget
from tests.support.case_factory import make_case, read_all
from tests.support.field_factory import make_case_of_field
from tests.support.review_page import grid, lines, shown

data, visit = review_page.data, review_page.visit


def test_a_blind_case_keeps_others_verdicts_and_hidden_answers_back(visit, data):
    case = make_case(data, blind=True, hide_model=True)
    verdicts.give(data, case.id, [1, 2], ALL_LIKE, reader="Ben")
    verdicts.give(data, case.id, [2], NORMAL_LIKE, reader="Ada")
    page = visit(case=case.id)
    assert "Ben" not in "".join(lines(page, 1))
    assert "0.9" not in str(shown(page)[1])
    assert shown(page)[1]["probability"] is None
    assert {"Ben: ALL-like", "Readers disagree", "Model: Indeterminate, 0.500"} <= set(lines(page, 2))
    history = visit(case=case.id, section="history").dataframe[0].value
    assert set(history["Cell"].dropna()) == {2}
    summary = visit(case=case.id, section="summary")
    counts = summary.dataframe[0].value.set_index("Cells")
    assert list(counts["Model's answers"]) == ["0", "1", "0", "0", "–", "–"]
    assert not summary.get("plotly_chart")
    assert "hidden until read" in said(visit())


def test_a_reader_is_known_however_the_letters_of_her_name_are_typed(visit, data):
    case = make_case(data, blind=True, hide_model=True)
    verdicts.give(data, case.id, [1], ALL_LIKE, reader="Zo\u00eb")
    page = visit("Zoe\u0308", case=case.id)
    assert shown(page)[1]["own"] == ALL_LIKE
    assert shown(page)[1]["probability"] is not None


def test_the_history_of_a_blind_case_is_silent_on_cells_that_were_removed_unread(visit, data):
    case = make_case_of_field(data, (0.9, 0.5, 0.1), blind=True, hide_model=True)
    verdicts.give(data, case.id, [1, 2], ALL_LIKE, reader="Ben")
    verdicts.give(data, case.id, [2], ALL_LIKE, reader="Ada")
    verdicts.give(data, case.id, [3], NORMAL_LIKE, reader="Ada")
    verdicts.undo(data, case.id, reader="Ada")

    def history():
        return visit(case=case.id, section="history").dataframe[0].value

    assert set(history()["Cell"].dropna()) == {2}
    for number in (1, 3):
        corrections.remove(data, case.id, number, who="Ada")
    assert set(history()["Cell"].dropna()) == {2}
    corrections.remove(data, case.id, 2, who="Ada")
    shown = history()
    assert set(shown["Cell"].dropna()) == {2}, "she has read it; the others she has not"
    assert len(shown[shown["Who"] == "Ben"]) == 1
    corrections.undo(data, case.id, 1, who="Ada")
    signing.sign(data, case.id, who="Ada", meaning=signing.MEANINGS[0])
    assert set(history()["Cell"].dropna()) == {1, 2, 3}


def test_hidden_answers_are_not_said_to_be_none(visit, data):
    text = said(visit(case=make_case(data, hide_model=True).id, section="summary"))
    assert case_wording.ANSWERS_HIDDEN in text
    assert case_wording.NONE_CLASSIFIED not in text
    assert case_wording.ABOUT_SHARE not in text, "there is no interval"
    none = make_case(data, "P-2", probabilities=(None, None), first=10)
    text = said(visit(case=none.id, section="summary"))
    assert case_wording.NONE_CLASSIFIED in text
    assert case_wording.ABOUT_SHARE not in text
    verdicts.give(data, none.id, [1], ALL_LIKE, reader="Ada")
    text = said(visit(case=none.id, section="summary"))
    assert "ALL-like with readers' verdicts: 1 of 1 cells, 100.0%" in text
    assert case_wording.ABOUT_SHARE in text


def test_the_list_and_the_head_of_a_case_tell_nothing_of_cells_that_are_kept_back(visit, data):
    case = make_case(data, blind=True, hide_model=True)
    verdicts.give(data, case.id, [1, 2], ALL_LIKE, reader="Ben")
    verdicts.give(data, case.id, [1], NORMAL_LIKE, reader="Cy")
    for text in (said(visit()), said(visit(case=case.id))):
        assert "5 need a verdict" in text
        assert "disputed" not in text.lower().replace(worklist.IN_DISPUTE, "")
    assert f"**{worklist.TO_REVIEW}**" in said(visit())
    read_all(data, case.id, ALL_LIKE)
    text = said(visit())
    assert "1 disputed" in text
    assert "1 ALL-like" in text, "all are read: the model's answers are no longer hidden"


def test_what_is_missing_for_a_signature_does_not_tell_of_others_verdicts(visit, data):
    case = make_case(data, probabilities=(0.9, 0.1), blind=True)
    verdicts.give(data, case.id, [1], ALL_LIKE, reader="Ben")
    verdicts.give(data, case.id, [1], NORMAL_LIKE, reader="Cy")
    page = visit(case=case.id, section="report")
    assert report_section.MISSING_KEPT_BACK in said(page)
    assert "(cell 1)" not in said(page)
    assert "(cell 1)" in said(visit("Ben", case=case.id, section="report"))


def test_agreement_and_settled_cells_of_a_blind_case_wait_for_the_reader(visit, data):
    case = make_case(data, blind=True)
    for reader, verdict in (("Ben", ALL_LIKE), ("Cy", NORMAL_LIKE)):
        verdicts.give(data, case.id, [1, 2], verdict, reader=reader)
    disagreements.settle(data, case.id, 2, ALL_LIKE, who="Ben", reason="seen together")
    text = said(visit(case=case.id, section="readers"))
    for secret in ("Ben", "Cy", "seen together", "2 disputed", "1 disputed"):
        assert secret not in text
    assert readers.KEPT_BACK in text
    verdicts.give(data, case.id, [2], ALL_LIKE, reader="Ada")
    text = said(visit(case=case.id, section="readers"))
    assert "seen together" in text
    assert "on 0 of 1 cell" in text


def test_the_window_of_a_hidden_cell_has_its_picture_alone(visit, data):
    case = make_case(data, hide_model=True)
    page = visit(case=case.id)
    page.session_state[f"open-cell-{case.id}"] = 1
    page.run()
    assert opened_cell.HIDDEN in said(page)
    assert "0.900" not in said(page) + str(grid(page))


def test_in_a_blind_case_whoever_settles_asks_to_see(visit, data):
    case = make_case(data, blind=True)
    verdicts.give(data, case.id, [1], ALL_LIKE, reader="Cy")
    verdicts.give(data, case.id, [1], NORMAL_LIKE, reader="Ben")
    page = visit(case=case.id, section="readers")
    assert "Ben" not in said(page)
    widget(page.checkbox, readers.SHOW_ALL).check().run()
    assert "Cy: ALL-like, Ben: Normal-like" in said(page)


def test_a_page_left_open_hands_out_no_report_of_a_case_that_was_reopened(visit, data, monkeypatch):
    case = make_case(data, blind=True)
    read_all(data, case.id, NORMAL_LIKE, reader="Ben")
    signing.sign(data, case.id, who="Ben", meaning=signing.MEANINGS[0])
    offered = {}

    def button(label, make, **_):
        offered[label] = make

    monkeypatch.setattr(report_section.st, "download_button", button)
    visit(case=case.id, section="report")
    assert b"Ben" in offered["Download HTML"]()
    signing.reopen(data, case.id, who="Ben", reason="again")
    assert len(offered) == len(case_files.MEDIA_TYPES)
    for make in offered.values():
        with pytest.raises(AccessError, match=case_files.KEPT_BACK):
            make()
    read_all(data, case.id, ALL_LIKE)
    (first, *_) = csv.DictReader(io.StringIO(offered["Download CSV"]().decode()))
    assert (first["readings"], first["signed_by"]) == ("Ben: Normal-like; Ada: ALL-like", "")


def test_a_report_does_not_tell_what_is_kept_back(visit, data):
    case = make_case(data, hide_model=True)
    assert case_files.KEPT_BACK in said(visit(case=case.id, section="report"))
    labels = {button.label for button in visit(case=case.id, section="report").get("download_button")}
    assert labels == set()
    read_all(data, case.id, NORMAL_LIKE)
    labels = {button.label for button in visit(case=case.id, section="report").get("download_button")}
    assert labels == {f"Download {kind}" for kind in ("PDF", "HTML", "CSV", "FHIR", "HL7", "DICOM")}

"""What is pressed on a case in one moment with something else: what the page shows by then is what counts."""

import pytest

from leukemia.cases import case as cases
from leukemia.cases import cells, verdicts
from leukemia.operating_point import ALL_LIKE, INDETERMINATE, NORMAL_LIKE
from pages.components import identity
from pages.sections.cases import words
from tests.support import review_page
from tests.support.app import fill, press, said, widget
from tests.support.at_once import at_once
from tests.support.case_factory import make_case, read_all

IN_BOTH_ORDERS = pytest.mark.parametrize("order", [1, -1])

data, visit = review_page.data, review_page.visit


def to_sign(data):
    case = make_case(data)
    read_all(data, case.id, NORMAL_LIKE)
    return case


def called(page, name):
    return fill(page, "Your name", name)


def click(page, label):
    return widget(page.button, label).click()


@IN_BOTH_ORDERS
def test_a_disagreement_is_settled_by_the_name_that_was_given_right_before(visit, data, order):
    case = make_case(data)
    verdicts.give(data, case.id, [1], ALL_LIKE, reader="Ada")
    verdicts.give(data, case.id, [1], NORMAL_LIKE, reader="Ben")
    page = visit(case=case.id, section="readers")
    widget(page.radio, "Settle it as").set_value(INDETERMINATE)
    fill(page, "Reason", "Seen together")
    at_once(page, *[called(page, "Cleo"), click(page, "Settle cell 1")][::order])
    assert cells.cells(data, case.id)[0].settlement.who == "Cleo"


@IN_BOTH_ORDERS
def test_a_case_is_signed_and_reopened_by_the_name_that_was_given_right_before(visit, data, order):
    case = to_sign(data)
    page = visit(case=case.id, section="report")
    at_once(page, *[called(page, "Cleo"), click(page, "Sign")][::order])
    assert cases.find(data, case.id).signed_by == "Cleo"
    fill(page, "Reason", "Again")
    at_once(page, *[called(page, "Dora"), click(page, "Reopen")][::order])
    assert cases.history(data, case.id)[0].who == "Dora"


@IN_BOTH_ORDERS
def test_a_printed_name_that_was_typed_is_the_one_that_signs_and_stays(visit, data, order):
    case = to_sign(data)
    page = visit(case=case.id, section="report")
    fill(page, "Printed name", "Dr. Ben")
    at_once(page, *[called(page, "Cleo"), click(page, "Sign")][::order])
    assert cases.find(data, case.id).signed_by == "Dr. Ben"


def test_the_printed_name_follows_the_name_and_another_that_signed_becomes_the_name(visit, data):
    page = visit(case=to_sign(data).id, section="report")
    called(page, "Cleo").run()
    assert widget(page.text_input, "Printed name").value == "Cleo"
    fill(page, "Printed name", "Dr. Ben")
    press(page, "Sign")
    assert widget(page.text_input, "Your name").value == page.session_state[identity.NAME] == "Dr. Ben"


@IN_BOTH_ORDERS
def test_files_that_are_dropped_in_the_moment_of_signing_are_told_and_forgotten(
    visit, data, drawn_files, order
):
    case = to_sign(data)
    page = visit(case=case.id, section="report")
    files = [(path.name, path.read_bytes(), "image/bmp") for path in sorted(drawn_files.iterdir())[:2]]
    before = cells.cells(data, case.id)
    at_once(page, *[page.file_uploader[0].set_value(files), click(page, "Sign")][::order])
    assert cases.find(data, case.id).is_signed
    assert words.not_added(2) in said(page)
    assert words.not_added(2) not in said(page.run())
    fill(page, "Reason", "Again")
    press(page, "Reopen")
    assert cells.cells(data, case.id) == before
    page.file_uploader[0].set_value(files).run()
    assert len(cells.cells(data, case.id)) == len(before) + 2


def test_one_file_is_not_several():
    assert words.not_added(1) == (
        "1 file was not added, because the case was signed first. To add it, reopen the case and "
        "drop it in again."
    )

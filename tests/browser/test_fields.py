"""Fields of a smear in a real browser: dropped, outlined, opened, exported; and a case of them, signed."""

import csv

import pytest
from PIL import Image

from leukemia.cases import case as cases
from leukemia.cases import cells, fields, verdicts
from leukemia.operating_point import NORMAL_LIKE
from tests.support.browser import at_rest
from tests.support.case_pages import ready, section
from tests.support.fields import draw_smear

CELLS = 5  # of a drawn field


@pytest.fixture(scope="module")
def five(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fields")
    for seed in range(5):
        Image.fromarray(draw_smear(seed)).save(folder / f"smear-{seed}.png")
    return sorted(folder.iterdir())


def test_a_field_is_outlined_and_its_cell_opens_by_keyboard(visit, five, tmp_path):
    page = visit()
    page.locator("input[type=file]").set_input_files(five[:1])
    outlines = page.locator(".field .cell")
    outlines.nth(CELLS - 1).wait_for()
    at_rest(page)
    assert outlines.count() == CELLS
    tag = page.locator(".field .tag").first.bounding_box()
    assert tag["height"] > 15, "its number can be read"
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download CSV").click()
    waiting.value.save_as(tmp_path / "cells.csv")
    with (tmp_path / "cells.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["field"] for row in rows} == {"smear-0.png"}
    assert all(150 < float(row["width"]) < 400 for row in rows)
    at_rest(page)
    outlines.nth(1).focus()
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_text("smear-0.png, cell 2").first.wait_for()


def test_five_fields_are_dropped_into_a_case_read_and_signed(open_cases, five, data):
    case = cases.create(data, "S-5", who="Ada", keep_names=True)
    page = open_cases(f"case={case.id}")
    page.locator("input[type=file]").set_input_files(five)
    ready(page, 5 * CELLS)
    found = cells.cells(data, case.id)
    assert [(one.field, one.place.number) for one in found] == [
        (field, number) for field in range(1, 6) for number in range(1, CELLS + 1)
    ]
    assert [one.name for one in fields.fields(data, case.id)] == [one.name for one in five]

    section(page, "Fields")
    page.get_by_text(f"{5 * CELLS} white cells").first.wait_for()
    at_rest(page)
    page.locator(".field .cell").nth(2).click()
    page.get_by_role("dialog").get_by_text("smear-0.png, cell 3").first.wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")

    verdicts.give(data, case.id, range(1, 5 * CELLS + 1), NORMAL_LIKE, reader="Ada")
    section(page, "Sign and report")
    page.get_by_role("button", name="Sign", exact=True).click()
    page.get_by_text("Signed by Ada").first.wait_for()
    section(page, "Fields")
    page.locator(".field .cell").nth(CELLS - 1).wait_for()

"""A whole slide in a real browser: searched for a case, paused, resumed; its cells are read as any others."""

import numpy as np
from playwright.sync_api import expect

from leukemia.cases import case as cases
from leukemia.cases import cells, fields
from leukemia.storage.workspace import Workspace
from pages.sections.cases import intake
from tests.support import slides
from tests.support.browser import at_rest
from tests.support.case_pages import ready, section
from tests.support.fields import draw_smear

CELLS = 5  # of a drawn field
NATIVE = 0.05  # micrometres per pixel of one


def test_the_button_below_stays_where_it_is_when_the_name_is_known(open_cases, data):
    """A press takes a tenth of a second: a button that moves meanwhile is not pressed."""
    folder = Workspace(data).slides
    folder.mkdir(parents=True)
    slides.write(folder / "smear.svs", draw_smear(1), pixel_size=NATIVE, compression="jpeg", tile=512)
    case = cases.create(data, "S-1", who="Ada", keep_names=True)
    page = open_cases(f"case={case.id}", name="")
    page.get_by_text("Add a whole slide").click()
    button = page.get_by_role("button", name="Search the slide")
    button.wait_for()
    at_rest(page)
    expect(page.get_by_text(intake.WHO_FIRST)).to_be_visible()
    before = button.bounding_box()
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("Your name").press("Enter")
    page.get_by_text("Drop images of single cells").wait_for()
    at_rest(page)
    assert button.bounding_box() == before


def test_a_slide_is_searched_paused_and_resumed_and_its_cells_become_the_cases(open_cases, data):
    fields_of_it = [draw_smear(seed) for seed in range(6)]
    pixels = np.concatenate([np.concatenate(fields_of_it[at : at + 3], axis=1) for at in (0, 3)])
    folder = Workspace(data).slides
    folder.mkdir(parents=True)
    slides.write(folder / "smear.svs", pixels, pixel_size=NATIVE, compression="jpeg", tile=512)
    case = cases.create(data, "S-1", who="Ada", keep_names=True)
    page = open_cases(f"case={case.id}")
    page.get_by_label("Your name").and_(page.locator("input:not([value=''])")).first.wait_for()
    page.get_by_text("Add a whole slide").click()
    page.get_by_role("button", name="Search the slide").click()
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Resume").click()
    ready(page, 6 * CELLS)
    found = cells.cells(data, case.id)
    assert len(found) == 6 * CELLS and len({cell.image_id for cell in found}) == 6 * CELLS
    (one,) = fields.fields(data, case.id)
    assert (one.name, one.width, one.height) == ("smear.svs", 5_400, 2_700)
    assert "JPEG-compressed slide" in one.note

    section(page, "Fields")
    page.get_by_text(f"{6 * CELLS} white cells").first.wait_for()
    at_rest(page)
    page.locator(".field .cell").nth(2).click()
    page.get_by_role("dialog").get_by_text("smear.svs, cell 3").first.wait_for()

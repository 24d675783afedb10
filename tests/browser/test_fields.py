"""Fields of a smear in a real browser: dropped, outlined, opened, corrected; and a case of them, signed."""

import csv
import math

import pytest
from PIL import Image
from playwright.sync_api import expect

from leukemia.audit import trail
from leukemia.cases import case as cases
from leukemia.cases import cells, corrections, fields, verdicts
from leukemia.operating_point import NORMAL_LIKE
from tests.support.browser import at_rest
from tests.support.case_pages import ready, section
from tests.support.fields import draw_smear

CELLS = 5  # of a drawn field
# Where points of a field, in its pixels, lie on the screen.
ON_SCREEN = """(svg, points) => points.map(([x, y]) => {
  const at = new DOMPoint(x, y).matrixTransform(svg.getScreenCTM());
  return [at.x, at.y];
})"""


@pytest.fixture(scope="module")
def five(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fields")
    for seed in range(5):
        Image.fromarray(draw_smear(seed)).save(folder / f"smear-{seed}.png")
    return sorted(folder.iterdir())


def dropped(visit, files):
    """Classify with fields dropped on it, all cells of the first one outlined: the page and the outlines."""
    page = visit()
    page.locator("input[type=file]:enabled").set_input_files(files)
    outlines = page.locator(".field .cell")
    outlines.nth(CELLS - 1).wait_for()
    at_rest(page)
    return page, outlines


def test_a_field_is_outlined_and_its_cell_opens_by_keyboard(visit, five, tmp_path):
    page, outlines = dropped(visit, five[:1])
    expect(outlines).to_have_count(CELLS)
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


def take(page, tool):
    page.get_by_role("toolbar").get_by_role("button", name=tool).click()


def told(page, text):
    page.locator(".bar .said", has_text=text).wait_for()
    at_rest(page)


def within(page, cell):
    """Where a cell's outline lies in the picture of its field, in pixels of the screen."""
    shape, svg = cell.locator("polygon").first.bounding_box(), page.locator(".field svg").bounding_box()
    return shape | {side: shape[side] - svg[side] for side in "xy"}


def shape(polygon):
    """Left, top, width and height of an outline, in pixels of its field."""
    return polygon.evaluate(
        "one => { const { x, y, width, height } = one.getBBox(); return [x, y, width, height]; }"
    )


def drag(page, start, end):
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=6)
    page.mouse.up()


def test_cells_are_corrected_by_mouse_on_classify(visit, five):
    page, outlines = dropped(visit, five[:1])
    page.locator(".field").scroll_into_view_if_needed()
    before = within(page, outlines.nth(1))

    take(page, "Choose")
    outlines.nth(1).locator("polygon").first.click()
    take(page, "Remove")
    told(page, "The cell is removed")
    expect(outlines).to_have_count(CELLS - 1)

    take(page, "Draw a box")
    shape = before | {side: before[side] + page.locator(".field svg").bounding_box()[side] for side in "xy"}
    drag(
        page,
        (shape["x"] - 4, shape["y"] - 4),
        (shape["x"] + shape["width"] + 4, shape["y"] + shape["height"] + 4),
    )
    expect(outlines, "nothing is sent while it is drawn").to_have_count(CELLS - 1)
    take(page, "Apply")
    told(page, "Cell 6: ")
    expect(outlines).to_have_count(CELLS)
    drawn = within(page, page.locator(".field .cell.chosen"))
    for side, size in before.items():
        assert drawn[side] == pytest.approx(size, abs=5)

    take(page, "Move corners")
    corner = page.locator(".handle").nth(2).bounding_box()
    middle = corner["x"] + corner["width"] / 2, corner["y"] + corner["height"] / 2
    drag(page, middle, (middle[0] + 25, middle[1] + 25))
    page.keyboard.press("Escape")
    told(page, "Nothing was changed")
    drag(page, middle, (middle[0] + 25, middle[1] + 25))
    page.keyboard.press("Enter")
    told(page, "Cell 6: ")
    page.get_by_text("cells by hand: 1 removed, 1 drawn").wait_for()
    for _ in range(3):
        take(page, "Undo")
        told(page, "taken back")
    expect(outlines).to_have_count(CELLS)
    expect(page.get_by_text("cells by hand")).to_have_count(0)


def test_the_outline_of_a_missed_cell_is_drawn_freehand_or_corner_by_corner(visit, five):
    page, outlines = dropped(visit, five[:1])
    svg = page.locator(".field svg")
    svg.scroll_into_view_if_needed()
    box = shape(svg.locator(".cell polygon").nth(2))
    x, y, width, height = box
    turns = [2 * math.pi * turn / 40 for turn in range(40)]
    ellipse = [
        [x + width / 2 * (1 + math.cos(turn)), y + height / 2 * (1 + math.sin(turn))] for turn in turns
    ]
    take(page, "Choose")
    outlines.nth(1).locator("polygon").first.click()
    take(page, "Remove")
    told(page, "The cell is removed")
    page.keyboard.press("c")

    svg.focus()
    page.keyboard.press("t")
    points = svg.evaluate(ON_SCREEN, ellipse)
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point)
    page.mouse.up()
    expect(outlines, "nothing is sent while it is drawn").to_have_count(CELLS - 1)
    page.keyboard.press("Enter")
    told(page, "Cell 6: ")
    assert shape(svg.locator(".cell.chosen polygon").first) == pytest.approx(box, abs=3)

    # The chosen cell again, by clicks; the last one is taken back.
    for point in points[::5]:
        page.mouse.click(*point)
    page.mouse.click(points[0][0] + 90, points[0][1] + 90)
    page.keyboard.press("Backspace")
    page.keyboard.press("Enter")
    told(page, "Cell 6: ")
    page.get_by_text("cells by hand: 1 removed, 1 drawn").wait_for()
    assert shape(svg.locator(".cell.chosen polygon").first) == pytest.approx(box, abs=8)
    expect(outlines).to_have_count(CELLS)

    # Another cell, while this one is still chosen: each is one of its own.
    for point in svg.evaluate(ON_SCREEN, [[column / 2, row / 2] for column, row in ellipse]):
        page.mouse.click(*point)
    page.keyboard.press("Enter")
    told(page, "Cell 7: ")
    expect(outlines).to_have_count(CELLS + 1)


def test_a_missed_cell_is_drawn_by_keyboard(visit, five):
    page, outlines = dropped(visit, five[:1])
    page.locator(".field svg").focus()
    page.keyboard.press("b")
    page.keyboard.press("Enter")
    for key in ("ArrowLeft", "ArrowUp", "Shift+ArrowRight"):
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    told(page, "Cell 6: ")
    page.keyboard.press("c")
    page.keyboard.press("u")
    told(page, "taken back")
    expect(outlines).to_have_count(CELLS)


def mark_bar(page):
    svg = page.locator(".field svg")
    svg.scroll_into_view_if_needed()
    drag(page, *svg.evaluate(ON_SCREEN, [[100, 145], [500, 145]]))
    page.keyboard.press("Enter")


# How far a field lies below its tools, and how its width is to its height.
BELOW_TOOLS = """() => {
  const roots = [...document.querySelectorAll("*")].map((one) => one.shadowRoot).filter(Boolean);
  const root = roots.find((one) => one.querySelector(".field svg"));
  const [svg, row] = [".field svg", ".row"].map((one) => root.querySelector(one).getBoundingClientRect());
  return [svg.top - row.top, svg.width / svg.height];
}"""
# Whether it still lies as far.
STAYS = f"(top) => Math.abs(({BELOW_TOOLS})()[0] - top) < 0.5"


@pytest.mark.parametrize("width", [768, 1280])
def test_a_field_stays_where_it_is_as_tools_are_taken_and_has_no_ground_beside_it(visit, tmp_path, width):
    Image.fromarray(draw_smear(3)[:, 200:]).save(tmp_path / "narrow.png")
    page = visit(width=width)
    page.locator("input[type=file]:enabled").set_input_files(tmp_path / "narrow.png")
    svg = page.locator(".field svg")
    svg.wait_for()
    at_rest(page)
    expect(svg).to_have_css("background-color", "rgba(0, 0, 0, 0)")
    top, ratio = page.evaluate(BELOW_TOOLS)
    assert ratio == pytest.approx(1_600 / 1_350, abs=0.01)
    for tool in ("Choose", "Draw a box", "Draw an outline", "Move corners", "Scale bar"):
        take(page, tool)
        pressed = page.get_by_role("toolbar").get_by_role("button", name=tool)
        expect(pressed).to_have_attribute("aria-pressed", "true")
        page.wait_for_function(STAYS, arg=top)
    take(page, "Draw an outline")
    drag(page, *svg.evaluate(ON_SCREEN, [[60, 60], [140, 60]]))
    page.locator(".bar .said", has_text="Go on round the cell").wait_for()
    page.wait_for_function(STAYS, arg=top)


def test_a_scale_bar_is_marked_on_a_field_and_its_length_typed(visit, tmp_path):
    pixels = draw_smear(9)
    pixels[140:150, 100:500] = 0
    Image.fromarray(pixels).save(tmp_path / "bar.png")
    page = visit()
    page.locator("input[type=file]:enabled").set_input_files(tmp_path / "bar.png")
    page.locator(".field .cell").nth(CELLS - 1).wait_for()
    page.get_by_text("red cells, taken as").first.wait_for()
    at_rest(page)
    page.get_by_role("button", name="Scale bar S").click()
    mark_bar(page)
    length = page.get_by_label("Length in pixels", exact=True)
    page.get_by_text("pixels long").first.wait_for()
    expect(length).not_to_have_value("")
    assert float(length.input_value()) == pytest.approx(400, abs=4)
    length.fill("400")
    page.get_by_label("Length in micrometres", exact=True).fill("20")
    page.get_by_role("button", name="Search the field at this scale").click()
    page.get_by_text("0.05 µm per pixel, by a scale bar: 20 µm are 400 pixels").first.wait_for()
    expect(page.locator(".bar .said"), "nothing is left to be said below").to_be_empty()
    at_rest(page)
    mark_bar(page)
    page.get_by_text("pixels long").first.wait_for()
    page.get_by_role("button", name="Back to the scale as it was").click()
    page.get_by_text("red cells, taken as").first.wait_for()
    expect(page.locator(".bar .said")).to_be_empty()


def test_five_fields_are_dropped_into_a_case_read_and_signed(open_cases, five, data):
    case = cases.create(data, "S-5", who="Ada", keep_names=True)
    page = open_cases(f"case={case.id}")
    page.locator("input[type=file]:enabled").set_input_files(five)
    ready(page, 5 * CELLS)
    found = cells.cells(data, case.id)
    assert [(one.field, one.place.number) for one in found] == [
        (field, number) for field in range(1, 6) for number in range(1, CELLS + 1)
    ]
    assert [one.name for one in fields.fields(data, case.id)] == [one.name for one in five]

    section(page, "Fields")
    page.get_by_text(f"{5 * CELLS} white cells").first.wait_for()
    at_rest(page)
    before = found[1].place
    take(page, "Choose")
    page.locator(".field .cell").nth(1).locator("polygon").first.click()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Enter")
    told(page, "Cell 2 is cut out and answered")
    expect(page.locator(".field .cell")).to_have_count(CELLS)
    (gone,) = corrections.removed(data, case.id)
    assert (gone.number, gone.by) == (2, "Ada")
    (entry,) = [one for one in cases.history(data, case.id) if one.event == trail.CELL_OUTLINED]
    anew = cells.cells(data, case.id)[-1]
    assert (entry.cell, entry.who) == (anew.number, "Ada")
    assert (anew.place.x, anew.place.width) == pytest.approx((before.x + 2, before.width), abs=2)
    assert anew.place.height > before.height and anew.place.confidence is None
    page.get_by_text("Removed or changed by hand: cell 2 (Ada").wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    at_rest(page)
    page.locator(".field .cell").nth(2).click()
    page.get_by_role("dialog").get_by_text("smear-0.png, cell 3").first.wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")

    verdicts.give(
        data, case.id, [one.number for one in cells.cells(data, case.id)], NORMAL_LIKE, reader="Ada"
    )
    section(page, "Sign and report")
    page.get_by_role("button", name="Sign", exact=True).click()
    page.get_by_text("Signed by Ada").first.wait_for()
    section(page, "Fields")
    page.locator(".field .cell").nth(CELLS - 1).wait_for()
    expect(page.get_by_role("toolbar"), "a signed case is not changed").to_be_hidden()

"""What a person does on the Dataset page: import, lasso to the gallery, correct a label and undo it."""

import contextlib
import itertools
import re
import shutil

import pytest

from leukemia import jobs
from leukemia.bundles import bundle as bundles
from leukemia.dataset import label_log, manifest
from leukemia.dataset.synthetic import sample_writer
from leukemia.inference import embedding
from tests.support.browser import Server, at_address, at_rest, fits_the_screen

PLACES = """() => {
  const plot = document.querySelector(".st-key-map-chart .js-plotly-plot");
  const box = plot.getBoundingClientRect(), {xaxis, yaxis} = plot._fullLayout;
  return plot.data.flatMap(trace => trace.customdata.map(([id], i) => [id,
    box.x + xaxis._offset + xaxis.l2p(plot._fullData[trace.index ?? plot.data.indexOf(trace)].x[i]),
    box.y + yaxis._offset + yaxis.l2p(plot._fullData[trace.index ?? plot.data.indexOf(trace)].y[i])]));
}"""


@pytest.fixture(scope="module")
def ready(looked_through, drawn_bundle, tmp_path_factory):
    """The drawn set with all that a page would compute in the background."""
    data = tmp_path_factory.mktemp("ready") / "data"
    shutil.copytree(looked_through, data)
    embedding.place_cached(bundles.read(drawn_bundle), data, manifest.read(data), workers=2)
    return data


@pytest.fixture
def serve(drawn_bundle, sessions, tmp_path):
    """Start a dashboard on a data folder; return it and a function that opens its Dataset page."""
    with contextlib.ExitStack() as servers:

        def start(data):
            log = tmp_path / f"log-{len(list(tmp_path.glob('log-*')))}.txt"
            server = servers.enter_context(Server(drawn_bundle, log, data))
            return server, lambda query, **look: visiting(sessions, server, query, **look)

        yield start
        sessions.close()


@pytest.fixture(scope="module")
def ready_server(browser, drawn_bundle, ready, tmp_path_factory):
    with Server(drawn_bundle, tmp_path_factory.mktemp("ready_server") / "log.txt", ready) as running:
        yield running


@pytest.fixture
def visit(sessions, ready_server):
    """Open the Dataset page of the folder that is ready; no test may alter that."""
    return lambda query, **look: visiting(sessions, ready_server, query, **look)


def visiting(sessions, server, query, **look):
    return sessions.open(server, f"dataset?{query}", "Dataset", height=1000, **look)


def test_an_import_is_started_watched_left_and_found_again_after_a_restart(serve, tmp_path):
    planted = sample_writer.write_sample(tmp_path / "set", patients=24, cells=25)
    data = tmp_path / "data"
    server, visit = serve(data)
    page = visit("section=import")
    field = page.get_by_label("Folder or .zip on the server")
    field.fill(str(tmp_path / "nowhere"))
    field.press("Enter")
    page.get_by_role("button", name="Start the import").click()
    page.get_by_text("No such file or folder on the server").wait_for()
    field.fill(str(tmp_path / "set"))
    field.press("Enter")
    page.get_by_role("button", name="Start the import").click()
    how_far = page.get_by_text(re.compile(r"Importing: [\d,]+ of [\d,]+"))
    how_far.first.wait_for()
    first = how_far.first.inner_text()
    page.wait_for_function(
        "first => { const found = document.body.innerText.match(/Importing: [\\d,]+ of [\\d,]+/);"
        " return !found || !first.startsWith(found[0]); }",
        arg=first,
    )
    # The tab is closed and the dashboard stopped: the import goes on.
    page.close()
    server.stop()
    _, visit = serve(data)
    page = visit("section=import")
    images = sum(planted.images.values()) + planted.sources["final"] + len(planted.unlisted)
    page.get_by_text(f"{images:,} synthetic images of 24 patients").first.wait_for()
    page.get_by_text("Import of set: done").click()
    page.get_by_text(f"{len(planted.unreadable) + len(planted.unlisted)} problems found").wait_for()
    assert jobs.running(data, jobs.Lane.CHANGE) is None
    page.get_by_role("button", name="Gallery").last.click()
    page.get_by_text(re.compile(rf"^{images:,} images match of")).wait_for()


def test_an_import_is_cancelled_and_gone_on_with(serve, tmp_path):
    sample_writer.write_sample(tmp_path / "set", patients=24, cells=25)
    data = tmp_path / "data"
    _, visit = serve(data)
    page = visit("section=import")
    field = page.get_by_label("Folder or .zip on the server")
    field.fill(str(tmp_path / "set"))
    field.press("Enter")
    page.get_by_role("button", name="Start the import").click()
    page.get_by_text(re.compile(r"Importing: [\d,]+ of")).first.wait_for()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("Import of set: Stopped. Finished work is kept").wait_for()
    assert not (data / "manifest.csv").exists()
    page.get_by_role("button", name="Resume").click()
    page.get_by_text("synthetic images of 24 patients").first.wait_for()


def places_at_rest(page):
    """Where the cells lie on the screen, once that does not change any more."""
    at_rest(page)
    before, places = None, page.evaluate(PLACES)
    while before != places:
        page.wait_for_timeout(300)
        before, places = places, page.evaluate(PLACES)
    return places


def test_a_lasso_on_the_map_opens_its_cells_in_the_gallery(visit, ready):
    page = visit("section=map")
    page.locator(".st-key-map-chart .js-plotly-plot .nsewdrag").first.wait_for()
    page.get_by_text("Nothing is selected").wait_for()
    places = places_at_rest(page)
    assert len(places) == len(manifest.read(ready))
    # About half of the cells, by a line that passes between dots.
    across = sorted(x for _, x, _ in places)
    gaps = [(right - left, (left + right) / 2) for left, right in itertools.pairwise(across)]
    middle = len(gaps) // 2
    cut = max(gaps[middle - 8 : middle + 8])[1]
    wanted = {image_id for image_id, x, _ in places if x < cut}
    rows = sum(x < cut for _, x, _ in places)
    low, high = min(y for *_, y in places) - 8, max(y for *_, y in places) + 8
    left = across[0] - 8
    page.mouse.move(left, low)
    page.mouse.down()
    # Bulging to the left, so that it is a lasso and no box.
    for x, y in ((cut, low), (cut, high), (left, high), (left - 6, (low + high) / 2), (left, low + 1)):
        page.mouse.move(x, y, steps=6)
    page.mouse.up()
    page.get_by_text(re.compile(rf"^{rows} cells selected")).wait_for()
    page.get_by_role("button", name="Open in the gallery").click()
    page.get_by_text(f"{len(wanted)} cells selected on the map").first.wait_for()
    at_address(page, "section=gallery", "selection=map")
    page.get_by_text(re.compile(rf"^{rows} images match of")).wait_for()
    shown = set(page.locator(".card").evaluate_all("cards => cards.map(c => c.dataset.image)"))
    assert shown
    assert shown <= wanted


def test_the_cell_under_the_pointer_is_shown(visit):
    page = visit("section=map")
    page.locator(".st-key-map-chart .js-plotly-plot .nsewdrag").first.wait_for()
    _, x, y = places_at_rest(page)[0]
    picture = page.locator(".hovered img")
    for _ in range(10):
        page.mouse.move(x + 30, y + 30)
        page.mouse.move(x, y, steps=3)
        page.wait_for_timeout(700)
        if picture.count() and picture.first.is_visible():
            break
    assert picture.first.is_visible()
    page.mouse.move(20, 400)
    picture.first.wait_for(state="hidden")


def test_a_label_is_corrected_and_the_correction_undone(serve, ready, tmp_path):
    data = shutil.copytree(ready, tmp_path / "data")
    cells = manifest.read(data)
    image_id = cells.loc[cells["label"] == "Normal", "image_id"].iloc[0]
    _, visit = serve(data)
    page = visit(f"section=gallery&cell={image_id}")
    window = page.get_by_test_id("stDialog")
    window.get_by_text("Label: Normal (original)").click()
    window.get_by_text("Corrected: the cell is ALL").click()
    window.get_by_role("button", name="Save").click()
    window.get_by_text("Please give your name").wait_for()
    assert label_log.history(data) == []
    window.get_by_label("Your name").first.fill("Dr. Ada")
    window.get_by_label("Reason").first.fill("Chromatin of a blast")
    window.get_by_role("button", name="Save").click()
    window.get_by_text("Label: ALL (originally Normal)").wait_for()
    window.get_by_text("Changed, Normal → ALL. Chromatin of a blast").wait_for()
    (row,) = label_log.history(data)
    assert (row.image_id, row.who, row.new, row.original) == (image_id, "Dr. Ada", "ALL", "Normal")

    window.get_by_label("Reason").last.fill("A mistake")
    window.get_by_role("button", name="Undo").click()
    window.get_by_text("Label: Normal (original)").wait_for()
    assert label_log.current(data) == {}
    assert [entry.undoes for entry in label_log.history(data)] == [row.number, None]
    # A key pressed while the page is laid out anew would be lost.
    at_rest(page)
    page.keyboard.press("Escape")
    window.wait_for(state="hidden")
    page.get_by_test_id("stButtonGroup").get_by_text("Corrections").click()
    page.get_by_text("2 changes in all").wait_for()


@pytest.mark.parametrize("section", ["checks", "map", "corrections", "import"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_sections_fit_a_narrow_screen_in_both_themes(visit, section, scheme):
    page = visit(f"section={section}", width=768, scheme=scheme)
    at_rest(page)
    fits_the_screen(page)

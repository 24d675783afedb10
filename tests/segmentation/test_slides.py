"""Whole slides: the same cells as in a field, once each; paused and resumed; damage costs itself alone."""

import csv

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageFilter

from leukemia.errors import ImageError
from leukemia.imaging.scale import stated
from leukemia.imaging.slide import Slide, is_slide
from leukemia.segmentation import result
from leukemia.segmentation import segment as segmenting
from leukemia.segmentation.slides import search
from leukemia.segmentation.slides.search import Settings
from leukemia.segmentation.slides.state import StateError
from tests.support import slides
from tests.support.fields import GLASS, PIXEL_SIZE, ColourNetwork, field

# In parts of 1,536 pixels: two of them lie where parts meet.
CELLS = ((300, 300), (1_536, 700), (1_000, 1_100), (1_530, 1_540), (1_900, 300))
USUAL = Settings()
SIZE = {"width": 2_048, "height": 1_792}


@pytest.fixture(scope="module")
def pixels():
    return slides.smear(**SIZE, cells=CELLS)


@pytest.fixture(autouse=True)
def _reads_colours(monkeypatch):
    for module in (segmenting, search):  # a drawn slide is read by its colours
        monkeypatch.setattr(module, "shipped", ColourNetwork)


def searched(path, folder, settings=USUAL, **options):
    """Middles and edges of a slide's cells, and the state of its search."""
    with Slide(path) as slide, search.search(path, slide, folder / "one.db", settings, **options) as state:
        cells = list(search.cells(state, settings))
        return middles(cells), state.counts, state.damaged(), search.note(state, settings)


def middles(cells):
    return [(cell.x + cell.width / 2, cell.y + cell.height / 2) for cell in cells]


def rows(folder):
    with (folder / result.TABLE).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def near(found, expected):
    return np.array(sorted(found)) == pytest.approx(np.array(sorted(expected)), abs=6)


@pytest.mark.parametrize(
    "written",
    [{}, {"levels": 1}, {"compression": None}, {"tile": 512}, {"levels": 4, "tile": 128}],
    ids=["pyramid", "one level", "uncompressed", "large tiles", "small tiles"],
)
def test_the_same_cells_as_in_a_field_once_each(tmp_path, pixels, written):
    found, counts, damaged, _ = searched(slides.write(tmp_path / "one.tif", pixels, **written), tmp_path)
    whole = segmenting.segment(field().of(pixels), stated(PIXEL_SIZE))
    assert near(found, middles(whole.cells)) and near(found, CELLS)
    assert counts.done == counts.parts == 4 and damaged == []


def test_a_jpeg_slide_gives_the_same_cells_and_says_so(tmp_path, pixels):
    path = slides.write(tmp_path / "one.svs", pixels, compression="jpeg")
    count = result.write([path], tmp_path / "out")
    assert (count.cells, count.failed, count.damaged) == (5, 0, 0)
    assert all("JPEG-compressed slide" in row["note"] for row in rows(tmp_path / "out"))


def test_the_result_is_that_of_a_field_in_pixels_of_the_slide(tmp_path, pixels):
    path = slides.write(tmp_path / "one.tif", pixels)
    assert is_slide(path)
    result.write([path], tmp_path / "out")
    found = rows(tmp_path / "out")
    boxes = [[float(row[side]) for side in ("x", "y", "width", "height")] for row in found]
    assert near([(x + w / 2, y + h / 2) for x, y, w, h in boxes], CELLS)
    assert all("from the slide" in row["note"] and row["edge"] == "no" for row in found)
    for row in found:
        assert (tmp_path / "out" / row["crop"]).is_file() and float(row["area_um2"]) == pytest.approx(
            113, rel=0.06
        )
    assert (tmp_path / "out" / "outlines" / "one.geojson").is_file()
    assert not result.unfinished(tmp_path / "out").exists()


def test_glass_is_not_searched(tmp_path, pixels):
    clean = slides.glass(pixels, left=1_500)
    found, counts, *_ = searched(slides.write(tmp_path / "one.tif", clean), tmp_path)
    assert counts.parts == 2 and near(found, [(300, 300), (1_000, 1_100)])


def test_one_cell_alone_on_glass_is_found(tmp_path):
    lonely = slides.smear(**SIZE, cells=[(1_000, 1_000)], red=[])
    found, counts, *_ = searched(slides.write(tmp_path / "one.tif", lonely), tmp_path)
    assert counts.parts == 1 and near(found, [(1_000, 1_000)])


@pytest.mark.parametrize(
    ("compression", "how"),
    [
        ("deflate", lambda data: bytes(len(data))),
        ("jpeg", lambda data: bytes(len(data))),
        ("jpeg", lambda data: data[: len(data) // 2] + bytes(len(data) - len(data) // 2)),
    ],
    ids=["deflate", "jpeg", "half a jpeg"],
)
def test_a_damaged_tile_is_a_row_and_the_rest_is_answered(tmp_path, pixels, compression, how):
    path = slides.write(tmp_path / "one.svs", pixels, compression=compression, levels=1)
    slides.spoil(path, 1_000, 1_100, how=how)
    count = result.write([path], tmp_path / "out")
    found = rows(tmp_path / "out")
    (bad,) = [row for row in found if row["error"]]
    assert count.damaged == 1 and bad["error"] == search.DAMAGED
    assert [float(bad[side]) for side in ("x", "y", "width", "height")] == [768, 1_024, 256, 256]
    whole = [row for row in found if row["edge"] == "no"]
    boxes = [[float(row[side]) for side in ("x", "y", "width", "height")] for row in whole]
    assert near(
        [(x + w / 2, y + h / 2) for x, y, w, h in boxes], [one for one in CELLS if one != (1_000, 1_100)]
    )
    assert "1 tile of the slide damaged" in whole[0]["note"]


def test_of_many_damaged_tiles_the_first_are_rows_and_the_others_are_counted(tmp_path, pixels, monkeypatch):
    monkeypatch.setattr(result, "MOST_DAMAGED", 5)
    path = slides.write(tmp_path / "one.svs", pixels, levels=1, compression=None)
    path.write_bytes(path.read_bytes()[: -256 * 2_048 * 3])
    assert result.write([path], tmp_path / "out").damaged == 8
    bad = [row["error"] for row in rows(tmp_path / "out") if row["error"]]
    assert bad == [search.DAMAGED] * 5 + ["Another 3 parts of the slide are damaged and were not searched."]


def test_a_cell_beside_a_damaged_tile_is_cut_as_by_an_edge(tmp_path, pixels):
    path = slides.write(tmp_path / "one.svs", pixels, levels=1)
    slides.spoil(path, 200, 300)  # of a cell from 240 to 360, whose tile ends at 256
    result.write([path], tmp_path / "out")
    cell = min((row for row in rows(tmp_path / "out") if row["crop"]), key=lambda row: float(row["x"]))
    assert cell["edge"] == "yes"


def test_a_damaged_tile_of_a_coarser_level_is_read_from_a_finer_one(tmp_path, pixels):
    path = slides.write(tmp_path / "one.tif", pixels)
    slides.spoil(path, 300 // 4, 300 // 4, level=2)
    found, _, damaged, _ = searched(path, tmp_path)
    assert near(found, CELLS) and damaged == []


def test_a_slide_cut_off_at_its_end_is_searched_as_far_as_it_goes(tmp_path, pixels):
    path = slides.write(tmp_path / "one.tif", pixels, levels=1, compression=None)
    path.write_bytes(path.read_bytes()[: -256 * 2_048 * 3])
    found, _, damaged, _ = searched(path, tmp_path)
    # The last row of tiles, from 1,536 on, is missing, and with it half of a cell.
    assert near(found, [(x, y if y < 1_500 else 1_508) for x, y in CELLS]) and len(damaged) == 8


def test_without_a_scale_it_is_asked_for(tmp_path, pixels):
    path = slides.write(tmp_path / "one.tif", pixels, pixel_size=None)
    count = result.write([path], tmp_path / "out")
    assert count.failed == 1 and "State how many micrometres" in rows(tmp_path / "out")[0]["error"]
    assert result.write([path], tmp_path / "out", stated(PIXEL_SIZE)).cells == 5


def test_72_dpi_are_no_scale(tmp_path, pixels):
    with Slide(slides.write(tmp_path / "one.tif", pixels, pixel_size=25_400 / 72)) as slide:
        assert slide.pixel_size is None


def test_a_slide_without_a_cell_is_a_row_that_says_so(tmp_path):
    path = slides.write(tmp_path / "one.tif", slides.smear(width=1_000, height=900))
    result.write([path], tmp_path / "out")
    (row,) = rows(tmp_path / "out")
    assert "No white cell" in row["note"] and row["error"] == ""


def test_an_empty_slide_is_a_row_that_says_so(tmp_path):
    path = slides.write(tmp_path / "one.tif", np.full((900, 1_000, 3), GLASS, np.uint8))
    assert result.write([path], tmp_path / "out").failed == 0
    assert "No white cell" in rows(tmp_path / "out")[0]["note"]


def test_the_label_is_never_searched(tmp_path, pixels):
    label = slides.smear(width=700, height=500, cells=[(300, 250), (500, 250)])
    found, *_ = searched(slides.write(tmp_path / "one.tif", pixels, label=label), tmp_path)
    assert near(found, CELLS)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda pixels: pixels.astype(np.uint16) * 257, "16 bits per channel"),
        (lambda pixels: pixels[..., 0], "not in colour"),
    ],
    ids=["16 bits", "grey"],
)
def test_what_is_not_read_is_a_sentence(tmp_path, pixels, change, words):
    path = tmp_path / "one.svs"
    changed = change(pixels)
    photometric = "rgb" if changed.ndim == 3 else "minisblack"
    tifffile.imwrite(path, changed, tile=(256, 256), photometric=photometric)
    result.write([path], tmp_path / "out")
    assert words in rows(tmp_path / "out")[0]["error"]


def test_files_that_only_call_themselves_slides_are_sentences(tmp_path, pixels):
    strip = tmp_path / "strip.svs"
    tifffile.imwrite(strip, np.zeros((6_000, 6_000, 3), np.uint8), rowsperstrip=6_000, photometric="rgb")
    empty, text, many = (tmp_path / f"{name}.svs" for name in ("empty", "text", "many"))
    empty.write_bytes(b"")
    text.write_text("Dear colleague")
    with tifffile.TiffWriter(many) as out:
        for _ in range(101):
            out.write(pixels[:16, :16], photometric="rgb")
    cut = tmp_path / "header.svs"
    cut.write_bytes(slides.write(tmp_path / "whole.svs", pixels).read_bytes()[:100])
    for path, words in (
        (strip, "not cut into tiles"),
        (empty, "cannot be read"),
        (text, "cannot be read"),
        (many, "no slide"),
        (cut, "cannot be read"),
    ):
        with pytest.raises(ImageError, match=words):
            Slide(path)


def test_a_search_that_was_interrupted_goes_on_without_doubling_or_losing_a_cell(tmp_path, pixels):
    class Interrupted(ColourNetwork):
        left = 0

        def maps(self, pixels):
            if not self.left:
                raise KeyboardInterrupt
            self.left -= 1
            return super().maps(pixels)

    path = slides.write(tmp_path / "one.tif", pixels)
    whole, *_ = searched(path, tmp_path / "whole")
    network, seen = Interrupted(), []
    for _ in range(3):
        network.left = 1
        with pytest.raises(KeyboardInterrupt):
            searched(path, tmp_path / "parts", network=network)
        network.left = 0
        with pytest.raises(KeyboardInterrupt):
            searched(path, tmp_path / "parts", network=network, progress=lambda *said: seen.append(said))
    assert [done for done, *_ in seen] == [1, 2, 3]  # the coarse look is not done again
    assert searched(path, tmp_path / "parts")[0] == whole


def test_an_interrupted_search_of_something_else_is_not_gone_on_with(tmp_path, pixels):
    path = slides.write(tmp_path / "one.tif", pixels)
    searched(path, tmp_path)
    with pytest.raises(StateError, match="another slide, or to a search with other settings"):
        searched(path, tmp_path, Settings(most=3))
    (tmp_path / "one.db").write_bytes(b"not a database, but as long as one is, or nearly" * 20)
    with pytest.raises(StateError, match="damaged"):
        searched(path, tmp_path)


def test_parts_out_of_focus_are_searched_and_counted(tmp_path, pixels):
    soft = np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(30)))
    half = np.where(np.arange(pixels.shape[1])[None, :, None] < 1_800, soft, pixels)
    found, counts, _, note = searched(slides.write(tmp_path / "one.tif", half), tmp_path)
    # The margins of the parts on the right begin at 1,280: they are sharp from 1,800 on.
    assert "2 parts out of focus" in note and counts.done == 4
    assert any(place == pytest.approx((1_900, 300), abs=6) for place in found)


def test_more_cells_than_asked_for_are_left_and_it_says_so(tmp_path, pixels):
    path = slides.write(tmp_path / "one.tif", pixels)
    found, counts, _, note = searched(path, tmp_path, Settings(most=2))
    assert len(found) == 2 and counts.done < counts.parts
    assert f"ended at 2 white cells: {counts.done} of {counts.parts} parts" in note


def test_a_differential_count_takes_the_first_cells_along_the_battlement_track(tmp_path):
    # A film of 5 x 3 parts (of 1,536 pixels) with a cell in the middle of each.
    side = 1_536
    places = {
        (column, row): (column * side + 768, row * side + 768) for row in range(3) for column in range(5)
    }
    path = slides.write(
        tmp_path / "one.tif", slides.smear(width=5 * side, height=3 * side, cells=places.values(), red=[])
    )
    found, _, _, note = searched(path, tmp_path, Settings(most=9, battlement=True))
    track = [(0, 0), (1, 0), (2, 0), (2, 1), (2, 2), (3, 2), (4, 2), (4, 1), (4, 0)]
    assert np.array(found) == pytest.approx(np.array([places[at] for at in track]), abs=6)
    assert "battlement" in note and "9 of 15 parts" in note

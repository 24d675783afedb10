"""The network that comes with the program: real cells on drawn red ones, and pictures of other things."""

from pathlib import Path

import numpy as np
import pytest
import skimage
from PIL import Image, ImageDraw

from benchmarks.segmentation.pasted import red_cells
from leukemia.dataset import demonstration
from leukemia.errors import ImageError
from leukemia.imaging.cell import foreground, read_cell
from leukemia.imaging.scale import NATIVE
from leukemia.segmentation.field import Field
from leukemia.segmentation.segment import segment
from leukemia.settings import FINDER

CELLS = sorted(Path(demonstration.__file__).parent.glob("*.png"))[::4]


def paste(pixels, file, x, y):
    """Put a cell on a field, its middle at a place; return where it then is."""
    cell = read_cell(file)
    mask = foreground(cell.pixels)
    top, left = y - cell.middle[0], x - cell.middle[1]
    pixels[top : top + cell.height, left : left + cell.width][mask] = cell.pixels[mask]
    whole = np.zeros(pixels.shape[:2], bool)
    whole[top : top + cell.height, left : left + cell.width] = mask
    return whole


def outlined(cell, shape):
    """Pixels of a field within a cell's outline."""
    whole = np.zeros(shape, bool)
    rows, columns = np.nonzero(cell.outline.mask)
    y = (cell.outline.top + (rows + 0.5) * cell.outline.down).astype(int)
    whole[y, (cell.outline.left + (columns + 0.5) * cell.outline.across).astype(int)] = True
    return whole


@pytest.mark.parametrize("file", CELLS, ids=lambda file: file.stem)
def test_a_real_cell_among_red_ones_is_found_and_outlined(file):
    pixels = red_cells()
    truth = paste(pixels, file, 600, 600)
    (cell,) = segment(Field.of(pixels), NATIVE).cells
    mask = outlined(cell, truth.shape)
    assert 2 * (mask & truth).sum() / (mask.sum() + truth.sum()) > 0.95 and not cell.edge


def test_two_cells_that_touch_are_two():
    pixels = red_cells()
    paste(pixels, CELLS[0], 490, 600)
    paste(pixels, CELLS[1], 710, 600)
    cells = segment(Field.of(pixels), NATIVE).cells
    assert sorted(cell.x + cell.width / 2 for cell in cells) == pytest.approx([490, 710], abs=40)


@pytest.mark.parametrize("name", ["astronaut.png", "page.png", "coffee.png"])
def test_a_picture_of_something_else_has_no_cell(name):
    folder = skimage.data.__path__[0]
    with Image.open(f"{folder}/{name}") as image:
        field = Field(image.convert("RGB"))
    try:
        assert segment(field).cells == ()
    except ImageError as error:
        assert "no field of a stained smear" in str(error) or "no colour" in str(error)


def test_a_slide_scanners_label_has_no_cell():
    label = Image.new("RGB", (700, 500), (252, 250, 244))
    draw, rng = ImageDraw.Draw(label), np.random.default_rng(0)
    draw.rectangle((0, 0, 700, 90), fill=(40, 90, 190))
    draw.text((30, 25), "University Hospital", fill="white", font_size=40)
    draw.text((30, 130), "S-2026/0417  Wright-Giemsa", fill=(30, 30, 40), font_size=36)
    for x in range(30, 600, 6):
        draw.rectangle((x, 250, x + int(rng.integers(1, 5)), 420), fill=(10, 10, 10))
    try:
        assert segment(Field(label)).cells == ()
    except ImageError as error:
        assert "no field of a stained smear" in str(error) or "no colour" in str(error)


def test_it_is_small_and_says_what_it_is():
    assert sum(file.stat().st_size for file in FINDER.iterdir()) < 5_000_000
    card = (FINDER / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "not for use in diagnostic procedures" in card

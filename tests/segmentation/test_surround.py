"""The black surround of a round field: it cuts what lies at it, and nothing else is taken for it."""

import numpy as np
import pytest

from leukemia.imaging.scale import stated
from leukemia.segmentation import by_hand
from leukemia.segmentation.field import Field
from leukemia.segmentation.outline import Outline
from leukemia.segmentation.segment import segment
from leukemia.segmentation.surround import Surround
from tests.support.fields import PIXEL_SIZE, ColourNetwork, draw, draw_smear

NETWORK = ColourNetwork()
MIDDLE, RADIUS = (320, 240), 235
DARK = (12, 8, 14)


def distances(x, y, shape=(480, 640)):
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return np.hypot(columns + 0.5 - x, rows + 0.5 - y)


def round_field(radius=RADIUS, **settings):
    pixels = draw(**settings)
    pixels[distances(*MIDDLE) > radius] = 0
    return pixels


def disc(x, y, radius):
    return Outline(distances(x, y) <= radius, 0.0, 0.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("white", "cut"),
    [
        ((320, 240, 60), False),
        ((165, 240, 60), False),  # 2 micrometres from the rim
        ((130, 240, 60), True),
        ((320, 50, 60), True),
        ((490, 350, 60), True),
    ],
)
def test_a_cell_that_the_rim_cuts_says_so(white, cut):
    (cell,) = segment(Field.of(round_field(white=[white])), stated(PIXEL_SIZE), NETWORK).cells
    assert cell.edge == cut


def test_a_rim_of_which_only_the_corners_show_cuts_as_well():
    pixels = round_field(radius=340, white=[(75, 75, 60), (320, 240, 60)])
    cells = segment(Field.of(pixels), stated(PIXEL_SIZE), NETWORK).cells
    assert [cell.edge for cell in sorted(cells, key=lambda one: one.x)] == [True, False]


def test_a_cell_that_is_drawn_by_hand_at_the_rim_is_cut():
    pixels = round_field(white=[(130, 240, 60), (330, 240, 60)])
    for left, cut in ((86, True), (268, False)):
        box = (left, 178, 124, 124)
        assert by_hand.in_box(Field.of(pixels), box, PIXEL_SIZE, NETWORK).edge == cut


@pytest.mark.parametrize("nucleus", [(180, 240), (320, 240), (125, 240)])
def test_a_dark_nucleus_is_no_surround(nucleus):
    pixels = round_field(white=[(180, 240, 60)])
    pixels[distances(*nucleus) <= 25] = DARK
    surround = Surround.of(Field.of(pixels), PIXEL_SIZE)
    assert not surround.cuts(disc(170, 240, 60)), "whole, a micrometre and a half from the rim"
    assert surround.cuts(disc(140, 240, 60))


@pytest.mark.parametrize(
    "pixels",
    [
        draw(white=[(20, 240, 60), (300, 200, 60)]),
        draw_smear(),
        # A dark nucleus at the picture's border, and a picture whose dark spots touch none.
        np.where((distances(0, 240) <= 60)[..., None], np.uint8(DARK), draw(white=[(320, 240, 60)])),
        np.where((distances(320, 240) <= 120)[..., None], np.uint8(DARK), draw()),
    ],
)
def test_a_field_without_a_surround_has_none(pixels):
    assert Surround.of(Field.of(pixels), PIXEL_SIZE) == Surround()


def test_without_a_surround_only_the_pictures_edge_cuts():
    white = [(20, 240, 60), (300, 200, 60), (500, 80, 60)]
    cells = segment(Field.of(draw(white=white)), stated(PIXEL_SIZE), NETWORK).cells
    assert [cell.edge for cell in sorted(cells, key=lambda one: one.x)] == [True, False, False]


def test_a_surround_is_found_in_a_large_field_of_many_pixels(monkeypatch):
    from leukemia.segmentation import surround

    pixels = round_field(white=[(130, 240, 60)])
    monkeypatch.setattr(surround, "MOST", 10_000)
    small = Surround.of(Field.of(pixels), PIXEL_SIZE)
    assert small.near.size <= 11_000 and small.cuts(disc(130, 240, 60)) and not small.cuts(disc(320, 240, 60))

import numpy as np
import pytest

from leukemia.plots import heatmap, style
from tests.support.pictures import ellipse


@pytest.fixture
def crop():
    return ellipse(64, 2_000)


def blob(row, column, value):
    y, x = np.mgrid[:64, :64]
    return value * np.exp(-((y - row) ** 2 + (x - column) ** 2) / 50)


def test_where_the_map_says_nothing_the_picture_is_grey(crop):
    shown = heatmap.overlay(crop, np.zeros((64, 64)))
    assert (shown == np.rint(crop.mean(axis=2, keepdims=True))).all()


def test_the_caption_names_only_what_is_drawn():
    ahead, against = blob(32, 22, 1.0), blob(32, 42, 1.0)
    orange, blue = "Orange, solid outline: speaks for ALL.", "Blue, dotted outline: speaks against ALL."
    assert heatmap.caption(ahead) == orange
    assert heatmap.caption(-against) == blue
    assert heatmap.caption(ahead - against) == f"{orange} {blue}"
    assert heatmap.caption(ahead - 0.3 * against) == f"{orange} Blue: speaks against ALL."
    assert heatmap.caption(0.03 * ahead) == "Orange: speaks for ALL."
    assert heatmap.caption(np.zeros((64, 64))) == heatmap.NOTHING


def test_both_directions_have_their_colour_and_their_outline(crop):
    shown = heatmap.overlay(crop, blob(32, 22, 1.0) - blob(32, 42, 1.0)).astype(int)
    for_all, against = shown[32, 22], shown[32, 42]
    assert for_all[0] > for_all[2] and against[2] > against[0]
    assert np.abs(for_all - heatmap._rgb(style.ALL)).max() < 60
    white = (shown == 255).all(axis=2)
    # Solid on the one side, with gaps on the other.
    assert white[:, :32].sum() > 1.3 * white[:, 32:].sum() > 0


def test_a_map_with_hardly_any_change_is_drawn_as_faint_as_it_is(crop):
    faint = heatmap.overlay(crop, blob(32, 32, heatmap.FAINT / 10)).astype(int)
    strong = heatmap.overlay(crop, blob(32, 32, 10.0)).astype(int)
    grey = np.rint(crop.mean(axis=2, keepdims=True))
    assert np.abs(faint - grey).max() < 20 < np.abs(strong - grey)[28:36, 28:36].max()
    assert not (faint == 255).any()

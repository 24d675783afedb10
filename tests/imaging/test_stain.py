import numpy as np
import pytest

from leukemia.imaging import stain
from leukemia.imaging.stain import Stain
from tests.support.pictures import ellipse


def textured(colour, seed=0, spread=0.1):
    """A disc whose levels vary about a colour."""
    disc = ellipse(frame=200, area=12_000, colour=colour)
    noise = np.random.default_rng(seed).normal(1, spread, (200, 200, 1))
    return np.where(disc > 0, np.clip(disc * noise, 20, 255), 0).astype(np.uint8)


PURPLE, PINK = textured((110, 50, 150), 1), textured((190, 120, 160), 2, 0.05)


def test_colours_are_brought_to_those_of_the_target():
    own, target = stain.measure([PINK]), stain.measure([PURPLE])
    moved = stain.measure([stain.recolour(PINK, own, target)])
    assert moved.middle == pytest.approx(target.middle, abs=0.01)
    assert moved.spread == pytest.approx(target.spread, abs=0.01)
    assert np.abs(np.subtract(own.middle, target.middle)).max() > 0.1, "they were apart before"


def test_the_way_back_gives_the_first_colours_but_for_rounding():
    own, target = stain.measure([PINK]), stain.measure([PURPLE])
    there = stain.recolour(PINK, own, target)
    back = stain.recolour(there, target, own)
    assert np.abs(back.astype(int) - PINK).max() <= 3


def test_black_stays_black_and_the_picture_itself_is_not_altered():
    before = PINK.copy()
    out = stain.recolour(PINK, stain.measure([PINK]), stain.measure([PURPLE]))
    assert (before == PINK).all()
    assert not out[PINK.max(axis=2) == 0].any()
    assert out.shape == PINK.shape and out.dtype == np.uint8


def test_grey_has_no_colour_in_the_published_space():
    # The rows of equation 4 sum to about 1, so the three cones answer grey alike: alpha and beta are near 0.
    grey = stain.measure([ellipse(frame=200, area=12_000, colour=(128, 128, 128))])
    assert grey.middle[0] == pytest.approx(np.sqrt(3) * np.log10(128 / 255), abs=0.02)
    assert grey.middle[1:] == pytest.approx((0, 0), abs=0.02)
    assert grey.spread == pytest.approx((0, 0, 0), abs=1e-6)


def test_each_cell_weighs_the_same_however_large():
    small = ellipse(frame=200, area=1_000, colour=(200, 60, 160))
    large = ellipse(frame=200, area=12_000, colour=(90, 60, 160))
    both = stain.measure([small, large])
    middles = [stain.measure([one]).middle for one in (small, large)]
    assert both.middle == pytest.approx(tuple(np.mean(middles, axis=0)))
    assert both.cells == 2


def test_noise_of_a_plain_cell_is_not_stretched_without_end():
    own = Stain(stain.measure([PINK]).middle, (1e-9, 1e-9, 1e-9), 1)
    target = Stain(stain.measure([PURPLE]).middle, (1.0, 1.0, 1.0), 1)
    given = stain.measure([PINK]).spread
    moved = stain.measure([stain.recolour(PINK, own, target)]).spread
    assert moved[0] <= stain.STRETCH * given[0] * 1.1


def test_without_a_cell_there_is_no_stain():
    black = np.zeros((50, 50, 3), np.uint8)
    assert stain.measure([]) is None
    assert stain.measure([black]) is None
    assert not stain.recolour(black, stain.measure([PINK]), stain.measure([PURPLE])).any()

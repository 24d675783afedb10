"""Samples of any depth to eight bits: exact where the file says so, assumed and said where it does not."""

import numpy as np
import pytest

from leukemia.errors import ImageError
from leukemia.imaging import depth
from tests.support.pictures import ellipse

CELL = ellipse(64, 800)


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_bits_in_a_container_of_sixteen_are_told_by_the_brightest_sample(bits):
    levels, note = depth.to_eight_bits(CELL.astype(np.uint16) << (bits - 8))
    assert np.array_equal(levels, CELL)
    assert f"{bits}-bit" in note


@pytest.mark.parametrize("times", [256, 257])
def test_sixteen_bits_need_no_word(times):
    levels, note = depth.to_eight_bits(CELL.astype(np.uint16) * times)
    assert np.array_equal(levels, CELL)
    assert note == ""


def test_what_the_file_records_goes_before_the_brightest_sample():
    dark = CELL.astype(np.uint16)  # 12 bits that reach no farther than 8
    levels, note = depth.to_eight_bits(dark, 12)
    assert np.array_equal(levels, CELL >> 4)
    assert note == ""


@pytest.mark.parametrize(("samples", "top"), [(CELL / np.float32(255), 1), (CELL.astype(np.float32), 255)])
def test_floats_are_fractions_of_one_or_levels(samples, top):
    levels, note = depth.to_eight_bits(samples)
    assert np.array_equal(levels, CELL)
    assert f"0 to {top}" in note


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), -0.1, 256.0])
def test_floats_that_are_neither_are_refused(wrong):
    samples = CELL / np.float32(255)
    samples[3, 3, 1] = wrong
    with pytest.raises(ImageError, match="8-bit colour"):
        depth.to_eight_bits(samples)


@pytest.mark.parametrize("kind", [np.int16, np.uint32])
def test_other_depths_are_refused_for_what_they_are(kind):
    with pytest.raises(ImageError, match=r"sign|more than 16 bits"):
        depth.to_eight_bits(np.full((4, 4, 3), 30_000, kind) * (1 if kind is np.int16 else 4))


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("recorded", [None, 10, 12, 16])
def test_part_by_part_the_levels_are_those_of_the_whole(bits, recorded):
    whole = np.random.default_rng(bits).integers(0, 1 << bits, (40, 9, 3)).astype(np.uint16)
    whole >>= np.arange(40, dtype=np.uint16)[::-1, None, None] // 4  # brighter and brighter
    for order in (range(40), reversed(range(40))):
        levels = depth.Levels(whole.shape, whole.dtype, recorded)
        for row in order:
            levels.put(row, whole[row])
        expected, note = depth.to_eight_bits(whole, recorded)
        assert np.array_equal(levels.pixels, expected) and levels.note == note
        used = recorded if recorded and whole.max() < 1 << recorded else bits
        assert np.array_equal(expected, whole >> (used - 8))

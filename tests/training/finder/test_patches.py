"""Patches to learn from: cells keep their boxes and their pixels, whatever is done to them."""

import numpy as np
import pytest
from PIL import Image

from leukemia.errors import DatasetError
from leukemia.segmentation.boxes import RED, WHITE
from leukemia.training.finder import labelled_fields
from leukemia.training.finder.patches import Patches, cut_out
from tests.support.fields import PIXEL_SIZE, draw

WHITES = [(200, 200, 60), (450, 300, 55)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A set of one drawn field, 640 x 480, with the boxes of its cells."""
    place = tmp_path_factory.mktemp("fields")
    for below in ("images/train", "labels/train"):
        (place / below).mkdir(parents=True)
    Image.fromarray(draw(white=WHITES)).save(place / "images/train/one.jpg", quality=95)
    rows = [(0, x, y, 2 * radius) for x, y, radius in WHITES]
    rows += [(1, x, y, 72) for x in (50, 600) for y in (50, 430, 300)]
    text = "\n".join(f"{k} {x / 640} {y / 480} {w / 640} {w / 480}" for k, x, y, w in rows)
    (place / "labels/train/one.txt").write_text(text + "\n")
    return place


@pytest.fixture(scope="module")
def labelled(folder):
    return next(labelled_fields.read(folder, "train"))


def test_a_field_is_brought_to_one_scale_by_its_red_cells(labelled):
    times = PIXEL_SIZE / labelled_fields.KEPT_SIZE
    assert labelled.pixels.shape == (round(480 * times), round(640 * times), 3)
    assert (labelled.kinds == WHITE).sum() == 2 and (labelled.kinds == RED).sum() == 6
    assert labelled.boxes[0] == pytest.approx(np.array([140, 140, 260, 260]) * times, abs=1)


def test_the_outline_within_a_box_is_the_cells(labelled):
    times = PIXEL_SIZE / labelled_fields.KEPT_SIZE
    for number, (x, y, radius) in enumerate(WHITES):
        rows, columns = np.ogrid[: labelled.white.shape[0], : labelled.white.shape[1]]
        disc = np.hypot(columns + 0.5 - x * times, rows + 0.5 - y * times) <= radius * times
        mask = labelled.white == number + 1
        assert 2 * (mask & disc).sum() / (mask.sum() + disc.sum()) > 0.95


def test_a_folder_without_fields_is_a_sentence(tmp_path):
    with pytest.raises(DatasetError, match="No labelled fields"):
        next(labelled_fields.read(tmp_path, "train"))


def test_boxes_of_white_cells_lie_about_their_pixels_in_every_patch(labelled):
    supply = Patches([labelled], cut_out(labelled), [], np.random.default_rng(0))
    seen = 0
    for _ in range(40):
        patch = supply.draw()
        inside = np.zeros(patch.white.shape, bool)
        for left, top, right, bottom in patch.boxes[patch.kinds == WHITE]:
            rows = slice(max(round(float(top)) - 3, 0), max(round(float(bottom)) + 3, 0))
            inside[rows, max(round(float(left)) - 3, 0) : max(round(float(right)) + 3, 0)] = True
        assert not (patch.white & ~inside).any()
        assert patch.pixels.shape == (96, 96, 3) and patch.pixels.dtype == np.uint8
        seen += patch.white.any()
    assert seen > 20


def test_pictures_of_other_things_come_without_a_cell(labelled, monkeypatch):
    from leukemia.training.finder import patches

    monkeypatch.setattr(patches, "NOTHING", 1.0)
    other = np.full((200, 300, 3), 90, np.uint8)
    patch = Patches([labelled], [], [other], np.random.default_rng(0)).draw()
    assert len(patch.boxes) == 0 and not patch.white.any()


def test_an_edge_is_made_to_cut_white_cells(labelled, monkeypatch):
    from leukemia.training.finder import patches

    def slivers(share):
        monkeypatch.setattr(patches, "CUT_OFF", share)
        for name in ("PASTED", "TOGETHER", "ENDING"):
            monkeypatch.setattr(patches, name, 0.0)
        supply, cut = Patches([labelled], [], [], np.random.default_rng(0)), 0
        for _ in range(100):
            patch = supply.draw()
            boxes = patch.boxes[patch.kinds == WHITE]
            seen = np.clip(boxes[:, 2:], 0, 96) - np.clip(boxes[:, :2], 0, 96)
            share = np.prod(seen, axis=1) / np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
            cut += ((share > 0.1) & (share < 0.5)).any()
        return cut

    assert slivers(1.0) > 2 * slivers(0.0) and slivers(1.0) > 60


def test_where_a_picture_ends_it_goes_on_in_its_mean_colour_and_without_a_cell(labelled, monkeypatch):
    from leukemia.training.finder import patches

    monkeypatch.setattr(patches, "ENDING", 1.0)
    supply = Patches([labelled], [], [], np.random.default_rng(0))
    ends = set()
    for _ in range(30):
        patch = supply.draw()
        width, height = patch.width, patch.height
        assert 64 < width <= 96 and 64 < height <= 96
        mean = patch.pixels[:height, :width].mean(axis=(0, 1)).astype(np.uint8)
        beyond = np.concatenate(
            [patch.pixels[height:].reshape(-1, 3), patch.pixels[:, width:].reshape(-1, 3)]
        )
        assert (beyond == mean).all()
        assert not patch.white[height:].any() and not patch.white[:, width:].any()
        ends.add((width, height))
    assert len(ends) > 20

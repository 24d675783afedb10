"""A field that stands in two parts of a set is told, however it was saved."""

import numpy as np
import pytest
from PIL import Image

from leukemia.training.finder import labelled_fields
from leukemia.training.finder.copies import copies
from tests.support.fields import draw


def _other(seed):
    """A field with its cells where no other has them."""
    rng = np.random.default_rng(seed)
    return draw(white=[], red=list(zip(rng.integers(40, 600, 12), rng.integers(40, 440, 12), strict=True)))


@pytest.fixture(scope="module")
def fields(tmp_path_factory):
    folder = tmp_path_factory.mktemp("set")
    for part in ("train", "val"):
        for kind in ("images", "labels"):
            (folder / kind / part).mkdir(parents=True)
    for seed, name in enumerate(["one", "two"]):
        Image.fromarray(_other(seed)).save(folder / "images/train" / f"{name}.jpg")
        (folder / "labels/train" / f"{name}.txt").write_text(
            "".join(f"1 0.{n} 0.5 0.1 0.1\n" for n in range(2, 8))
        )
    turned = Image.fromarray(np.rot90(_other(1))).resize((500, 640))
    turned.save(folder / "images/val/again.jpg", quality=70)
    Image.fromarray(_other(2)).save(folder / "images/val/own.jpg")
    return folder


def test_a_copy_is_told_though_it_was_turned_and_resized(fields):
    known = copies(labelled_fields.pictures(fields, "val"), labelled_fields.pictures(fields, "train"))
    assert {file.name for file in known} == {"again.jpg"}
    assert copies([], labelled_fields.pictures(fields, "train")) == set()


def test_what_is_judged_is_not_learned_from(fields):
    assert [one.name for one in labelled_fields.read(fields, "train")] == ["one"]

"""A DICOM picture is answered as the same picture in another file: a cell on black, and a field."""

import numpy as np
import pytest

from leukemia.bundles import bundle as bundles
from leukemia.inference.answer import Source
from leukemia.inference.batch import Batch, Item
from leukemia.inference.classifier import Classifier
from leukemia.segmentation import segment as segmenting
from tests.support.bundle_factory import write_bundle
from tests.support.dicom_factory import NAME, made
from tests.support.fields import ColourNetwork, draw
from tests.support.pictures import ellipse, encoded

CELL = ellipse(frame=400, area=30_000)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    return Classifier(bundles.read(write_bundle(tmp_path_factory.mktemp("model") / "bundle")))


def answered(classifier, **files):
    batch = Batch(picture=384)
    batch.add(Item(name, Source(f"{name}.dcm", lambda data=data: data)) for name, data in files.items())
    while batch.waiting:
        batch.work(classifier)
    return batch


def test_a_cell_at_the_scale_that_its_header_records(classifier):
    frame = np.zeros((450, 450, 3), np.uint8)
    frame[25:425, 25:425] = CELL
    batch = answered(classifier, cell=made(CELL, PixelSpacing=[0.00005] * 2), png=encoded(frame))
    one, other = (result.answer for result in batch.results)
    assert one.probability == other.probability is not None
    assert one.note == "scale: 0.05 µm per pixel, from the file"


def test_without_a_scale_it_is_asked_for(classifier):
    assert answered(classifier, cell=made(CELL)).unscaled == 1


def test_a_field_is_searched_and_nothing_of_the_patient_is_kept(classifier, monkeypatch):
    monkeypatch.setattr(segmenting, "shipped", ColourNetwork)
    pixels = draw(white=((200, 200, 60), (450, 300, 60)))
    batch = answered(classifier, field=made(pixels, PixelSpacing=[0.0001] * 2))
    assert [one.answer.probability is not None for one in batch.results] == [True, True]
    assert batch.fields["field"].note == "scale: 0.1 µm per pixel, from the file"
    assert NAME.encode() not in batch.fields["field"].picture
    assert all(NAME not in repr(one) for one in batch.results)
    assert pixels.shape[:2] == (batch.fields["field"].height, batch.fields["field"].width)

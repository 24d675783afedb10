"""Fields whose scale is that of a bar marked on them."""

import math

import pytest

from leukemia.bundles import bundle as bundles
from leukemia.errors import ImageError
from leukemia.inference import scale_bar
from leukemia.inference.answer import Source
from leukemia.inference.batch import Batch, Item
from leukemia.inference.classifier import Classifier
from leukemia.inference.corrections import Corrections
from leukemia.inference.scale_bar import ScaleBars
from leukemia.inference.waiting import WaitingFields
from leukemia.segmentation import segment as segmenting
from leukemia.segmentation.change import REMOVE, UNDO, Change
from tests.support.bundle_factory import write_bundle
from tests.support.fields import PIXEL_SIZE, ColourNetwork, encode_field

TWO = ((200, 200, 60), (450, 300, 60))
# A bar of 20 µm in a drawn field.
PIXELS, MICROMETRES = 20 / PIXEL_SIZE, 20.0


@pytest.fixture(autouse=True)
def network(monkeypatch):
    monkeypatch.setattr(segmenting, "shipped", ColourNetwork)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    return Classifier(bundles.read(write_bundle(tmp_path_factory.mktemp("model") / "bundle")))


@pytest.fixture
def dropped(classifier, tmp_path):
    def batch_of(**drawn):
        batch = Batch(picture=384, waiting_fields=WaitingFields(tmp_path / "waiting"))
        batch.add([Item("A", Source("a.png", lambda: encode_field(white=TWO, **drawn)))])
        batch.work(classifier)
        return batch

    return batch_of


def test_a_field_of_unknown_scale_is_answered_once_its_bar_is_marked(dropped, classifier):
    batch = dropped(red=())
    assert batch.unscaled == 1 and not batch.final
    ScaleBars().apply(batch, classifier, Corrections(), "A", PIXELS, MICROMETRES)
    assert batch.unscaled == 0
    assert [one.answer.probability is not None for one in batch.final] == [True, True]
    assert not any(one.answer.scale_unknown for one in batch.final)
    said = "scale: 0.1 µm per pixel, by a scale bar: 20 µm are 200 pixels"
    assert batch.fields["A"].note == said
    assert {one.answer.note for one in batch.final} == {said}


def test_a_bar_overrules_the_red_cells_and_can_be_taken_back(dropped, classifier):
    batch, bars = dropped(), ScaleBars()
    before, field = batch.results, batch.fields["A"]
    assert "red cells" in field.note
    bars.apply(batch, classifier, Corrections(), "A", 2 * PIXELS, MICROMETRES)
    areas = [[one.answer.area for one in some] for some in (before, batch.results)]
    # Half as large a pixel, so that a cell has a quarter of its area.
    assert [new / old for old, new in zip(*areas, strict=True)] == pytest.approx([0.25, 0.25], rel=0.1)
    assert "red cells" not in batch.fields["A"].note
    bars.apply(batch, classifier, Corrections(), "A", PIXELS, MICROMETRES)
    bars.take_back(batch, classifier, Corrections(), "A")
    assert (batch.results, batch.fields["A"]) == (before, field)
    with pytest.raises(ImageError, match="No scale bar"):
        bars.take_back(batch, classifier, Corrections(), "A")


@pytest.mark.parametrize(
    ("pixels", "micrometres", "said"),
    [
        (0, 10, "both above 0"),
        (200, 0, "both above 0"),
        (math.nan, 10, "both above 0"),
        (200, math.inf, "both above 0"),
        (5, 1, "fewer than 10 pixels"),
        (200, 2_000, "No microscope's camera"),
    ],
)
def test_a_bar_that_is_none_is_a_sentence_and_changes_nothing(dropped, classifier, pixels, micrometres, said):
    batch = dropped()
    before, field = batch.results, batch.fields["A"]
    with pytest.raises(ImageError, match=said):
        ScaleBars().apply(batch, classifier, Corrections(), "A", pixels, micrometres)
    assert (batch.results, batch.fields["A"]) == (before, field)


def test_corrections_by_hand_are_not_lost_to_a_bar(dropped, classifier):
    batch, corrections, bars = dropped(), Corrections(), ScaleBars()
    corrections.apply(batch, classifier, "A", Change(REMOVE, batch.results[0].key))
    with pytest.raises(ImageError, match=r"corrected by hand.*Undo first"):
        bars.apply(batch, classifier, corrections, "A", PIXELS, MICROMETRES)
    assert len(batch.results) == 1
    corrections.apply(batch, classifier, "A", Change(UNDO))
    bars.apply(batch, classifier, corrections, "A", PIXELS, MICROMETRES)
    assert len(batch.results) == 2


def test_a_field_whose_pixels_are_gone_says_so(dropped, classifier):
    batch = dropped()
    batch.fields["A"].file.unlink()
    with pytest.raises(ImageError, match="gone"):
        ScaleBars().apply(batch, classifier, Corrections(), "A", PIXELS, MICROMETRES)


def test_the_scale_is_the_bars_length_by_its_pixels():
    scale = scale_bar.by_bar(400, 20)
    assert scale.pixel_size == 0.05
    assert str(scale) == "0.05 µm per pixel, by a scale bar: 20 µm are 400 pixels"

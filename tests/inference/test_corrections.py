"""Fields of a batch corrected by hand: each change with an answer, a note, and a way back."""

import numpy as np
import pytest

from leukemia.bundles import bundle as bundles
from leukemia.errors import ImageError
from leukemia.inference.answer import Source
from leukemia.inference.batch import Batch, Item
from leukemia.inference.classifier import Classifier
from leukemia.inference.corrections import Corrections
from leukemia.inference.waiting import WaitingFields
from leukemia.segmentation import by_hand
from leukemia.segmentation import segment as segmenting
from leukemia.segmentation.change import BOX, DRAW, OUTLINE, REMOVE, UNDO, Change
from tests.support.bundle_factory import write_bundle
from tests.support.fields import ColourNetwork, encode_field

CELLS = ((200, 200, 60), (450, 300, 66))  # two that differ
FREE = (300.0, 90.0, 90.0, 90.0)  # no cell lies there


@pytest.fixture(autouse=True)
def network(monkeypatch):
    for module in (segmenting, by_hand):
        monkeypatch.setattr(module, "shipped", ColourNetwork)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    return Classifier(bundles.read(write_bundle(tmp_path_factory.mktemp("model") / "bundle")))


@pytest.fixture
def start(classifier, tmp_path):
    def started(data=None, keeps=True, by=classifier):
        waiting = WaitingFields(tmp_path / "fields") if keeps else None
        batch = Batch(picture=384, waiting_fields=waiting)
        data = data or encode_field(white=CELLS)
        batch.add([Item("A", Source("a.png", lambda: data))])
        while batch.waiting:
            batch.work(by)
        return batch, Corrections()

    return started


def numbers(batch):
    return [one.answer.place.number for one in batch.results if one.field]


def ring(x, y, radius):
    turn = np.linspace(0, 2 * np.pi, 32)
    corners = np.stack([x + radius * np.cos(turn), y + radius * np.sin(turn)], axis=1)
    return tuple(map(tuple, corners.tolist()))


def test_a_missed_cell_is_drawn_and_answered_like_the_others(start, classifier):
    batch, corrections = start()
    found = batch.results[0]
    corrections.apply(batch, classifier, "A", Change(REMOVE, found.key))
    place = found.answer.place
    key = corrections.apply(
        batch, classifier, "A", Change(DRAW, box=(place.x, place.y, place.width, place.height))
    )
    drawn = next(one for one in batch.results if one.key == key)
    assert drawn.answer.name == "a.png, cell 3", "a number is never given twice"
    assert drawn.answer.place.confidence is None
    assert drawn.answer.probability == pytest.approx(found.answer.probability, abs=0.05)
    assert drawn.answer.picture and drawn.answer.thumbnail
    assert drawn.answer.note == found.answer.note
    assert batch.fields["A"].note.endswith("; cells by hand: 1 removed, 1 drawn")


def test_a_missed_cell_is_drawn_by_its_outline(start, classifier):
    batch, corrections = start()
    key = corrections.apply(batch, classifier, "A", Change(DRAW, ring=ring(420, 120, 50)))
    drawn = batch.results[-1]
    assert (drawn.key, drawn.answer.place.number) == (key, 3)
    place = drawn.answer.place
    assert (place.x, place.y, place.width, place.height) == pytest.approx((370, 70, 100, 100), abs=1)
    assert batch.fields["A"].note.endswith("cells by hand: 1 drawn")


def test_a_cell_that_is_outlined_anew_keeps_its_number_and_is_cut_out_anew(start, classifier):
    batch, corrections = start()
    before = batch.results[0]
    key = corrections.apply(batch, classifier, "A", Change(OUTLINE, before.key, ring=ring(200, 200, 40)))
    now = batch.results[0]
    assert (now.key, now.answer.place.number) == (key, 1)
    assert now.key != before.key, "its answer is a new one, to be put on record"
    assert now.answer.area < 0.6 * before.answer.area
    assert now.answer.image_id != before.answer.image_id
    assert (now.answer.place.x, now.answer.place.width) == pytest.approx((160, 80), abs=1)
    key = corrections.apply(batch, classifier, "A", Change(BOX, key, box=(138, 138, 124, 124)))
    assert batch.results[0].answer.area == pytest.approx(before.answer.area, rel=0.04)
    assert batch.fields["A"].note.endswith("cells by hand: 1 outlined anew")


def test_changes_are_taken_back_one_by_one(start, classifier):
    batch, corrections = start()
    first, note = batch.results, batch.fields["A"].note
    corrections.apply(batch, classifier, "A", Change(REMOVE, first[0].key))
    corrections.apply(batch, classifier, "A", Change(REMOVE, first[1].key))
    assert numbers(batch) == []
    assert [one.answer.error for one in batch.results] == [
        "All white cells that were found were removed by hand."
    ]
    assert corrections.can_undo("A")
    corrections.apply(batch, classifier, "A", Change(UNDO))
    assert numbers(batch) == [2]
    corrections.apply(batch, classifier, "A", Change(UNDO))
    assert (batch.results, batch.fields["A"].note) == (first, note)
    with pytest.raises(ImageError, match="nothing to take back"):
        corrections.apply(batch, classifier, "A", Change(UNDO))


def test_a_cell_is_drawn_on_a_field_in_which_none_was_found(start, classifier, monkeypatch):
    class Blind(ColourNetwork):
        def maps(self, pixels):
            maps = super().maps(pixels)
            maps.centres[..., 0] = 0
            return maps

    monkeypatch.setattr(segmenting, "shipped", Blind)
    batch, corrections = start()
    assert [one.answer.error for one in batch.results] == ["No white cell was found."]
    corrections.apply(batch, classifier, "A", Change(DRAW, box=(138, 138, 124, 124)))
    assert numbers(batch) == [1] and batch.results[0].answer.probability is not None


def test_what_cannot_be_done_leaves_all_as_it_was(start, classifier):
    batch, corrections = start()
    before = batch.results
    again = before[0].answer.place
    corrections.apply(batch, classifier, "A", Change(DRAW, box=FREE))
    drawn = batch.results
    for change in (
        Change(DRAW, box=(0, 0, 2, 2)),
        Change(OUTLINE, before[0].key, ring=((0, 0), (1, 1))),
        Change(DRAW, ring=((0, 0), (1, 1))),
        Change(DRAW),
        Change(BOX, before[0].key),
        Change(OUTLINE, before[0].key),
        Change(REMOVE, "another"),
        Change(OUTLINE, before[0].key, ring=again.ring[:2]),
    ):
        with pytest.raises(ImageError):
            corrections.apply(batch, classifier, "A", change)
    with pytest.raises(ImageError, match="not here any more"):
        corrections.apply(batch, classifier, "B", Change(DRAW, box=FREE))
    assert batch.results == drawn


def test_without_its_pixels_a_cell_can_only_be_removed(start, classifier):
    batch, corrections = start(keeps=False)
    with pytest.raises(ImageError, match="not kept"):
        corrections.apply(batch, classifier, "A", Change(DRAW, box=FREE))
    corrections.apply(batch, classifier, "A", Change(REMOVE, batch.results[0].key))
    assert numbers(batch) == [2]


def test_a_field_of_unknown_scale_takes_its_scale_first(start, classifier):
    batch, corrections = start(encode_field(white=CELLS, red=()))
    with pytest.raises(ImageError, match="State it above first"):
        corrections.apply(batch, classifier, "A", Change(REMOVE, batch.results[0].key))


def test_a_field_whose_stain_is_matched_stays_so_and_so_does_a_cell_that_is_drawn(start, stain_bundle):
    classifier = Classifier.load(stain_bundle)
    batch, corrections = start(by=classifier)
    batch.match_stain("A", classifier)
    note = batch.fields["A"].note
    key = corrections.apply(batch, classifier, "A", Change(DRAW, box=(480, 60, 90, 90)))
    assert batch.is_matched("A")
    drawn = next(one for one in batch.results if one.key == key)
    assert drawn.answer.note.count("stain matched") <= 1
    assert "1 drawn" in batch.fields["A"].note
    corrections.apply(batch, classifier, "A", Change(UNDO))
    assert (batch.is_matched("A"), batch.fields["A"].note) == (True, note)

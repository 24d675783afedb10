"""Fields answered with their stain matched: what is recoloured, what stays, what can be taken back."""

import csv
import io
from dataclasses import replace

import numpy as np
import pytest

from leukemia.bundles import bundle as bundles
from leukemia.errors import ImageError
from leukemia.imaging import reader
from leukemia.imaging.cell import center_crop
from leukemia.inference import decisions, stain_match
from leukemia.inference.answer import Source
from leukemia.inference.batch import Batch, Item
from leukemia.inference.classifier import Classifier
from leukemia.inference.corrections import Corrections
from leukemia.inference.fields import answer_field
from leukemia.inference.learned import Learned
from leukemia.inference.scale_bar import ScaleBars
from leukemia.inference.waiting import WaitingFields
from leukemia.operating_point import OperatingPoint
from leukemia.segmentation import by_hand
from leukemia.segmentation import segment as segmenting
from leukemia.segmentation.change import DRAW, REMOVE, UNDO, Change
from tests.support.bundle_factory import write_bundle
from tests.support.fields import ColourNetwork, encode_field
from tests.support.stain_factory import LIMIT, write_stain_bundle

POINT = OperatingPoint(0.4, 0.6, 0.5)
WHITE = ((200, 200, 60), (450, 300, 60), (15, 400, 60))  # the last one is cut by the edge


@pytest.fixture(autouse=True)
def network(monkeypatch):
    for module in (segmenting, by_hand):
        monkeypatch.setattr(module, "shipped", ColourNetwork)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    return Classifier(bundles.read(write_stain_bundle(tmp_path_factory.mktemp("model") / "bundle")))


@pytest.fixture
def batch(classifier, tmp_path):
    batch = Batch(picture=384, waiting_fields=WaitingFields(tmp_path / "waiting"))
    batch.add([Item("A", Source("a.png", lambda: encode_field(white=WHITE)))])
    batch.work(classifier)
    return batch


def answers(batch):
    return [one.answer for one in batch.results]


def timeless(batch):
    """The results without when they were given: what comes back is answered again."""
    return [replace(one, answer=replace(one.answer, at="")) for one in batch.results]


def test_cells_that_were_unlike_are_answered_once_their_stain_is_matched(batch, classifier):
    before = answers(batch)
    assert [one.probability for one in before] == [None] * 3
    assert all(one.distance > LIMIT for one in before)
    batch.match_stain("A", classifier)
    after = answers(batch)
    for was, now in zip(before[:2], after[:2], strict=True):
        assert now.probability is not None and not now.error
        assert now.distance <= LIMIT < now.stain.distance_before == was.distance
        assert stain_match.MATCHED in now.note
    found = stain_match.distances(after, LIMIT)
    assert (found.cells, found.within_before, found.within_after) == (2, 0, 2)
    assert found.after < LIMIT < found.before


def test_a_cell_that_the_edge_cuts_is_left_as_it_is(batch, classifier):
    before = answers(batch)[2]
    batch.match_stain("A", classifier)
    assert answers(batch)[2] == before


def test_switched_off_the_very_same_answers_are_back(batch, classifier):
    before, field = batch.results, batch.fields["A"]
    batch.match_stain("A", classifier)
    assert batch.is_matched("A") and batch.results != before
    assert batch.fields["A"].note == stain_match.noted(field.note)
    batch.unmatch_stain("A")
    assert batch.results == before
    assert batch.fields["A"] == field
    assert not batch.is_matched("A")


def test_pictures_and_identities_stay_those_of_the_cell_as_it_is(batch, classifier):
    before = answers(batch)
    batch.match_stain("A", classifier)
    for was, now in zip(before, answers(batch), strict=True):
        assert (now.picture, now.thumbnail, now.image_id, now.area, now.place) == (
            (was.picture, was.thumbnail, was.image_id, was.area, was.place)
        )


def test_what_is_on_record_of_the_match_gives_what_the_model_read(batch, classifier):
    batch.match_stain("A", classifier)
    one = answers(batch)[0]
    crop = center_crop(reader.decode(one.picture)[None], classifier.bundle.input_size)[0]
    probability, distance = classifier.predict(one.stain.apply(crop)[None])
    assert (one.probability, one.distance) == (probability[0], distance[0])
    assert np.abs(one.stain.apply(crop).astype(int) - crop).max() > 20


def test_what_is_still_unlike_has_no_answer(batch, classifier, monkeypatch):
    monkeypatch.setattr(bundles.Bundle, "novelty_limit", property(lambda self: 0.0))
    batch.match_stain("A", classifier)
    assert all(one.probability is None and "Unlike the cells" in one.error for one in answers(batch)[:2])
    assert decisions.state(answers(batch)[0], POINT) == decisions.NOT_COMPARABLE


def test_a_field_that_is_corrected_by_hand_stays_matched_and_can_be_taken_back(batch, classifier):
    first = batch.results
    batch.match_stain("A", classifier)
    note = batch.fields["A"].note
    corrections = Corrections()
    corrections.apply(batch, classifier, "A", Change(REMOVE, batch.results[0].key))
    assert batch.is_matched("A")
    assert len(batch.results) == 2 and batch.results[0].answer.stain
    batch.unmatch_stain("A")
    assert batch.results == first[1:], "as they are"
    assert batch.fields["A"].note.count(stain_match.MATCHED) == 0
    batch.match_stain("A", classifier)
    assert batch.fields["A"].note != note, "it says what was removed"


def test_a_cell_that_is_drawn_is_matched_by_the_fields_stain_and_changes_no_other_answer(batch, classifier):
    batch.match_stain("A", classifier)
    matched, own = timeless(batch), batch.stain_of("A")
    corrections = Corrections()
    key = corrections.apply(batch, classifier, "A", Change(DRAW, box=(530, 60, 90, 90)))
    assert [one for one in timeless(batch) if one.key != key] == matched
    drawn = next(one for one in batch.results if one.key == key)
    assert drawn.answer.stain.own == own
    # The stain is measured anew where matching is switched on anew; what came before it comes back as it was.
    batch.unmatch_stain("A")
    batch.match_stain("A", classifier)
    assert batch.stain_of("A") != own
    corrections.apply(batch, classifier, "A", Change(UNDO))
    assert timeless(batch) == matched


def test_a_field_stays_matched_where_all_its_cells_were_removed(batch, classifier):
    batch.match_stain("A", classifier)
    matched, field, own = timeless(batch), batch.fields["A"], batch.stain_of("A")
    corrections = Corrections()
    for one in batch.results:
        corrections.apply(batch, classifier, "A", Change(REMOVE, one.key))
    assert batch.is_matched("A")
    assert stain_match.MATCHED not in batch.fields["A"].note, "there is no cell that was"
    key = corrections.apply(batch, classifier, "A", Change(DRAW, box=(138, 138, 124, 124)))
    (drawn,) = batch.results
    assert (drawn.key, drawn.answer.stain.own) == (key, own)
    while corrections.can_undo("A"):
        corrections.apply(batch, classifier, "A", Change(UNDO))
    assert (timeless(batch), batch.fields["A"], batch.is_matched("A")) == (matched, field, True)


@pytest.mark.parametrize("micrometres", [5, 12, 20])  # by the first one no cell is large enough
def test_the_scale_as_it_was_comes_back_with_the_matched_answers(batch, classifier, micrometres):
    batch.match_stain("A", classifier)
    matched, field = timeless(batch), batch.fields["A"]
    corrections, bars = Corrections(), ScaleBars()
    bars.apply(batch, classifier, corrections, "A", 200, micrometres)
    assert batch.is_matched("A")
    assert bool([one for one in batch.results if one.answer.stain]) == (micrometres > 5)
    bars.take_back(batch, classifier, corrections, "A")
    assert (timeless(batch), batch.fields["A"], batch.is_matched("A")) == (matched, field, True)


def test_what_was_switched_off_meanwhile_is_not_switched_on_by_taking_a_change_back(batch, classifier):
    first = batch.results
    batch.match_stain("A", classifier)
    corrections = Corrections()
    corrections.apply(batch, classifier, "A", Change(REMOVE, batch.results[0].key))
    batch.unmatch_stain("A")
    corrections.apply(batch, classifier, "A", Change(UNDO))
    assert (batch.results, batch.is_matched("A")) == (first, False)


def test_a_field_that_goes_takes_its_matched_answers_along(batch, classifier):
    batch.match_stain("A", classifier)
    batch.remove(["A"])
    assert not batch.results and not batch.is_matched("A")


@pytest.mark.parametrize(
    ("write", "problem"),
    [
        (lambda folder: write_stain_bundle(folder, recorded=False), stain_match.NOT_RECORDED),
        (write_bundle, stain_match.NOT_RECORDED),
    ],
)
def test_a_model_that_records_no_stain_refuses_in_a_sentence(write, problem, tmp_path):
    classifier = Classifier(bundles.read(write(tmp_path / "bundle")))
    assert stain_match.why_not(classifier.bundle) == problem
    with pytest.raises(ImageError, match="cannot be matched"):
        stain_match.match(classifier, [])


def test_the_table_says_whether_it_was_matched_and_both_distances(batch, classifier):
    known = Learned(frozenset(), {})

    def rows():
        text = decisions.to_csv(answers(batch), POINT, classifier.bundle, known)
        return list(csv.DictReader(io.StringIO(text)))

    plain = rows()
    assert [one["stain_matched"] for one in plain] == ["no"] * 3
    assert all(one["distance"] == one["distance_unmatched"] for one in plain)
    assert {float(one["distance_limit"]) for one in plain} == {LIMIT}
    batch.match_stain("A", classifier)
    matched = rows()
    assert [one["stain_matched"] for one in matched] == ["yes", "yes", "no"]
    assert [one["distance_unmatched"] for one in matched] == [one["distance"] for one in plain]
    assert float(matched[0]["distance"]) < float(plain[0]["distance"])


def test_the_command_line_gives_the_answers_of_the_page(batch, classifier, tmp_path):
    (tmp_path / "a.png").write_bytes(encode_field(white=WHITE))
    given = [one.answer for one in answer_field(classifier, tmp_path / "a.png", match_stain=True)]
    batch.match_stain("A", classifier)
    shown = answers(batch)
    assert [(one.probability, one.distance, one.stain) for one in given] == [
        (one.probability, one.distance, one.stain) for one in shown
    ]

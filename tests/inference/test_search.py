import csv
import io

import numpy as np
import pytest
from PIL import Image

from leukemia.bundles import bundle as bundles
from leukemia.dataset.demonstration import cells as demonstration
from leukemia.errors import BundleError
from leukemia.imaging.scale import stated
from leukemia.inference import decisions
from leukemia.inference.answer import Answer, Source
from leukemia.inference.batch import CHUNK, FEW, Batch, Item, Result
from leukemia.inference.classifier import Classifier
from leukemia.inference.fields import CUT
from leukemia.inference.learned import Learned
from leukemia.inference.search import search
from leukemia.inference.views import unreadable
from leukemia.inference.waiting import WaitingFields
from leukemia.operating_point import OperatingPoint
from leukemia.segmentation import segment as segmenting
from leukemia.segmentation.place import FIELD_SIDE, Place
from tests.support.bundle_factory import write_bundle
from tests.support.fields import PIXEL_SIZE, ColourNetwork, encode_field
from tests.support.pictures import ellipse, encoded

POINT = OperatingPoint(0.4, 0.6, 0.5)
TWO = ((200, 200, 60), (450, 300, 60))


@pytest.fixture(autouse=True)
def network(monkeypatch):
    monkeypatch.setattr(segmenting, "shipped", ColourNetwork)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    return Classifier(bundles.read(write_bundle(tmp_path_factory.mktemp("model") / "bundle")))


def item(name, data, key=None):
    return Item(key or name, Source(name, lambda: data))


def batch_of(classifier, *items, **settings):
    batch = Batch(**settings)
    batch.add(items)
    while batch.waiting:
        batch.work(classifier, 4)
    return batch


def test_each_white_cell_of_a_field_has_an_answer_with_its_place(classifier):
    found = search(classifier, Source("a.png", lambda: encode_field(white=TWO)), thumbnail=64, picture=384)
    assert [one.name for one in found.answers] == ["a.png, cell 1", "a.png, cell 2"]
    assert all(one.probability is not None and one.thumbnail and one.picture for one in found.answers)
    first = found.answers[0].place
    assert (first.field, first.number, first.edge) == ("a.png", 1, False)
    assert (first.x, first.y, first.width, first.height) == pytest.approx((140, 140, 120, 120), abs=8)
    ring = np.array(first.ring)
    assert (ring[0] == ring[-1]).all()
    assert np.hypot(*(ring - (200, 200)).T) == pytest.approx(60, abs=8)
    assert "7.2 µm across" in found.field.note and "7.2 µm across" in found.answers[0].note


def test_the_picture_that_is_kept_of_a_field_is_small_and_places_are_in_its_own_pixels(classifier):
    data = encode_field(width=2_000, height=1_000, white=((1_500, 500, 60),))
    found = search(classifier, Source("a.png", lambda: data))
    with Image.open(io.BytesIO(found.field.picture)) as small:
        assert (small.format, max(small.size)) == ("WEBP", FIELD_SIDE)
    assert (found.field.width, found.field.height) == (2_000, 1_000)
    assert found.answers[0].place.x == pytest.approx(1_440, abs=8)


def test_a_field_without_a_white_cell_is_one_answer_that_says_so(classifier):
    found = search(classifier, Source("a.png", lambda: encode_field(white=())))
    assert [(one.name, one.error, one.place) for one in found.answers] == [
        ("a.png", "No white cell was found.", None)
    ]
    assert found.field


def test_a_network_that_is_missing_is_a_sentence_and_costs_no_other_answer(classifier, monkeypatch):
    def missing():
        raise BundleError("The network that finds cells cannot be loaded.")

    monkeypatch.setattr(segmenting, "shipped", missing)
    batch = batch_of(classifier, item("field.png", encode_field()), item("cell.png", encoded(ellipse())))
    by_name = {one.answer.name: one.answer for one in batch.results}
    assert by_name["field.png"].error == "The network that finds cells cannot be loaded."
    assert by_name["cell.png"].probability is not None


def test_a_cell_on_black_is_no_field(classifier):
    batch = batch_of(classifier, item("cell.png", encoded(ellipse())))
    assert not batch.fields
    assert [(one.key, one.item, one.answer.place) for one in batch.results] == [
        ("cell.png", "cell.png", None)
    ]


def round_field(**settings):
    """A drawn field as it is seen through an eyepiece."""
    with Image.open(io.BytesIO(encode_field(**settings))) as image:
        pixels = np.array(image)
    height, width = (side // 2 for side in pixels.shape[:2])
    pixels[np.hypot(*np.mgrid[-height:height, -width:width]) > height - 5] = 0
    return encoded(pixels, "PNG")


@pytest.mark.parametrize("said", [None, stated(PIXEL_SIZE)])
def test_a_round_field_is_searched_and_a_cell_that_its_rim_cuts_is_not_answered(classifier, said):
    data = round_field(white=((320, 240, 60), (500, 240, 60)))
    batch = batch_of(classifier, item("a.png", data), scale=said)
    whole, cut = sorted((one.answer for one in batch.results), key=lambda one: one.place.x)
    assert (whole.place.edge, whole.error) == (False, "") and whole.probability is not None
    assert (cut.place.edge, cut.error, cut.probability) == (True, CUT, None)
    assert list(batch.fields) == ["a.png"] and batch.unscaled == 0


def test_a_round_field_without_a_white_cell_is_a_field(classifier):
    batch = batch_of(classifier, item("a.png", round_field(white=())))
    assert [one.answer.error for one in batch.results] == ["No white cell was found."]
    assert batch.fields


@pytest.mark.parametrize(
    ("pixels", "said"),
    [
        (np.concatenate([ellipse(area=20_000)] * 2, axis=1), "More than one cell"),
        (ellipse(900, area=300_000, colour=(150, 120, 200)), "Larger than any single cell"),
        (ellipse(900, area=300_000, colour=(230, 200, 205)), "Larger than any single cell"),
    ],
)
def test_what_is_on_black_and_is_no_field_has_its_sentence(classifier, pixels, said, tmp_path):
    waiting = WaitingFields(tmp_path)
    one = item("a.png", encoded(pixels, "PNG"))
    batch = batch_of(classifier, one, scale=stated(0.05), waiting_fields=waiting)
    assert [said in one.answer.error for one in batch.results] == [True]
    assert not batch.fields and not list(tmp_path.rglob("*.webp"))


def test_two_real_cells_in_one_picture_are_said_to_be_two(classifier):
    pixels = [np.asarray(Image.open(file).convert("RGB")) for file in demonstration.files()]
    for first, second in zip(pixels[::2], pixels[1::2], strict=True):
        one = item("a.png", encoded(np.concatenate([first, second], axis=1), "PNG"))
        (result,) = batch_of(classifier, one, scale=stated(0.05)).results
        assert "Cut out" in result.answer.error, "and not that it has no colour"


def test_a_pale_cell_of_unknown_scale_waits_for_it_and_is_then_a_cell(classifier):
    batch = batch_of(classifier, item("a.png", encoded(ellipse(500, colour=(180, 170, 220)), "PNG")))
    assert batch.unscaled == 1 and not batch.fields
    assert "Scale unknown" in batch.results[0].answer.error
    batch.state_scale(stated(0.05))
    batch.work(classifier)
    (one,) = batch.results
    assert (one.answer.place, one.answer.error) == (None, "")


def test_the_cells_of_a_field_come_and_go_with_it(classifier):
    batch = batch_of(
        classifier, item("a.png", encode_field(white=TWO), "A"), item("b.png", encode_field(white=()), "B")
    )
    assert list(batch.fields) == ["A", "B"]
    assert [(one.key, one.field, one.item) for one in batch.results] == [
        ("A 1", "A", "A"),
        ("A 2", "A", "A"),
        ("B", "", "B"),
    ]
    assert len(batch) == 2
    batch.remove(["A"])
    assert list(batch.fields) == ["B"]
    assert [one.key for one in batch.results] == ["B"]


def test_a_field_that_no_red_cell_tells_the_scale_of_waits_for_it(classifier):
    batch = batch_of(classifier, item("a.png", encode_field(white=TWO, red=())))
    assert batch.unscaled == 1
    assert not batch.final
    assert {one.answer.probability for one in batch.results} == {None}
    assert batch.fields, "its cells are outlined meanwhile"
    batch.state_scale(stated(PIXEL_SIZE))
    batch.work(classifier)
    assert batch.unscaled == 0
    assert [one.answer.probability is not None for one in batch.final] == [True, True]


def test_a_stop_has_to_wait_for_few_fields_only(classifier):
    batch = Batch()
    batch.add(item(str(number), encode_field(white=TWO)) for number in range(9))
    assert [len(batch.work(classifier)) for _ in range(2)] == [CHUNK, 1]
    batch.add(item(f"more {number}", encode_field(white=TWO)) for number in range(9))
    assert len(batch.work(classifier)) == FEW


def test_no_further_field_is_searched_once_a_session_holds_too_many_cells(classifier):
    fields = (item(name, encode_field(white=TWO)) for name in ("a.png", "b.png"))
    batch = batch_of(classifier, *fields, most_cells=2)
    assert [one.answer.name for one in batch.results] == ["a.png, cell 1", "a.png, cell 2", "b.png"]
    assert "At most 2 cells" in batch.results[-1].answer.error


def test_the_table_has_field_and_box_of_a_cell_and_neither_of_a_picture_of_its_own(classifier):
    white = (*TWO, (15, 400, 60))
    batch = batch_of(classifier, item("=a.png", encode_field(white=white)), item("b.png", encoded(ellipse())))
    text = decisions.to_csv(
        (one.answer for one in batch.results), POINT, classifier.bundle, Learned(frozenset(), {})
    )
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["field"] for row in rows] == ["'=a.png"] * 3 + [""]
    assert [row["edge"] for row in rows] == ["no", "no", "yes", ""]
    assert float(rows[0]["width"]) == pytest.approx(120, abs=8)
    assert rows[2]["error"] == CUT
    assert all(rows[3][name] == "" for name in decisions.PLACE)


def test_cells_without_an_answer_stand_in_the_order_of_their_numbers():
    def cell(number):
        place = Place("a.png", number, 0, 0, 1, 1, 1, True, ())
        return Answer(f"a.png, cell {number}", error="cut", place=place)

    results = [Result(str(number), cell(number), field="A") for number in (10, 2, 1)]
    assert [one.answer.place.number for one in unreadable(results)] == [1, 2, 10]


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (Answer("a", 0.7), "ALL-like"),
        (
            Answer("a", error="unlike", distance=9.0, place=Place("f", 1, 0, 0, 1, 1, 1, False, ())),
            decisions.NOT_COMPARABLE,
        ),
        (Answer("a", error="unlike", distance=9.0), "Not classified"),
        (Answer("a", error="Larger than any single cell"), "Not classified"),
        (
            Answer("a", error=CUT, distance=9.0, place=Place("f", 1, 0, 0, 1, 1, 1, True, ())),
            "Not classified",
        ),
    ],
)
def test_a_cell_that_is_unlike_the_training_cells_is_not_comparable(answer, state):
    assert decisions.state(answer, POINT) == state


def test_work_can_be_ended_within_a_field_which_waits_on_and_nothing_is_forgotten(classifier):
    batch = Batch()
    batch.add([item("cell.png", encoded(ellipse())), item("field.png", encode_field(white=TWO))])
    calls = []

    def between():
        calls.append(len(batch.results))
        if len(calls) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        batch.work(classifier, between=between)
    assert [one.key for one in batch.results] == ["cell.png"]
    assert (batch.waiting, batch.fields) == (1, {})
    # The bytes of both are done with only now.
    assert batch.work(classifier) == ["cell.png", "field.png"]
    assert len(batch.results) == 3
    assert batch.work(classifier) == []


def test_the_search_of_a_field_that_was_ended_twice_goes_on_to_its_end(classifier):
    batch = Batch()
    batch.add([item("field.png", encode_field(white=TWO))])

    def between():
        raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            batch.work(classifier, between=between)
    assert batch.work(classifier, between=between) == ["field.png"]
    assert len(batch.results) == 2


def test_an_image_that_waits_again_is_not_done_with(classifier):
    cell = item("cell.png", encoded(ellipse()))
    batch = Batch()
    batch.add([cell, item("field.png", encode_field(white=TWO))])

    def between():
        batch.remove(["cell.png"])
        batch.add([cell])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        batch.work(classifier, between=between)
    assert batch.work(classifier, 1) == ["field.png"]
    assert batch.work(classifier) == ["cell.png"]

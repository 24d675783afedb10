"""Cells drawn by hand in a case's field whose stain was matched as it was added."""

import pytest

from leukemia.bundles import bundle as bundles
from leukemia.cases import cells, corrections, fields, stains
from leukemia.cases.case import create
from leukemia.cases.cells import PICTURE
from leukemia.inference import stain_match
from leukemia.inference.answer import Source
from leukemia.inference.batch import Batch, Item
from leukemia.inference.classifier import Classifier
from leukemia.inference.waiting import WaitingFields
from leukemia.segmentation import by_hand
from leukemia.segmentation import segment as segmenting
from leukemia.segmentation.change import DRAW, Change
from leukemia.segmentation.place import FieldPicture
from pages.components import identity, model_in_service
from pages.sections.cases import fields as section
from tests.support.case_factory import POINT
from tests.support.fields import ColourNetwork, encode_field


@pytest.fixture
def add(tmp_path, stain_bundle, monkeypatch):
    """A case with a field of one white cell, its stain matched or not."""
    for module in (segmenting, by_hand):
        monkeypatch.setattr(module, "shipped", ColourNetwork)
    monkeypatch.setenv("LEUKEMIA_MODEL", str(stain_bundle))
    monkeypatch.setattr(identity, "name", lambda: "Ada")
    model_in_service.refresh()
    classifier = Classifier(bundles.read(stain_bundle))

    def added(*, matched):
        batch = Batch(picture=PICTURE, waiting_fields=WaitingFields(tmp_path / "waiting"))
        batch.add([Item("A", Source("a.png", lambda: encode_field(white=((200, 200, 60),))))])
        batch.work(classifier)
        if matched:
            batch.match_stain("A", classifier)
        case = create(tmp_path, "P-1", who="Ada")
        cells.add(tmp_path, case.id, batch.results, classifier.bundle, POINT, who="Ada", fields=batch.fields)
        return case

    return added


def draw(data, case, box=(138, 138, 124, 124)):
    (one,) = fields.fields(data, case.id)
    shown = FieldPicture(
        one.name, one.width, one.height, one.image_id, b"", one.note, one.scale, one.lossy, one.file
    )
    key, _ = section._correct(data, case, one, shown, Change(DRAW, box=box))
    return next(cell for cell in cells.cells(data, case.id) if cell.number == int(key))


def test_a_cell_is_matched_as_the_others_were_also_once_these_were_removed(tmp_path, add):
    case = add(matched=True)
    (first,) = cells.cells(tmp_path, case.id)
    corrections.remove(tmp_path, case.id, first.number, who="Ada")
    assert stain_match.MATCHED in fields.fields(tmp_path, case.id)[0].note
    drawn = draw(tmp_path, case)
    assert drawn.stain.own == first.stain.own
    assert drawn.probability is not None and drawn.distance < drawn.stain.distance_before


def test_a_cell_of_a_field_that_was_not_matched_is_answered_as_it_is(tmp_path, add):
    case = add(matched=False)
    assert stains.of_field(tmp_path, case.id, 1) is None
    assert draw(tmp_path, case, box=(480, 60, 90, 90)).stain is None

"""A cell of a field that was outlined by hand is cut out and answered as any other."""

from dataclasses import replace

from leukemia.errors import ImageError
from leukemia.inference import fields
from leukemia.inference.answer import Answer
from leukemia.inference.classifier import Classifier
from leukemia.segmentation import by_hand, kept
from leukemia.segmentation.change import Change
from leukemia.segmentation.network import Network
from leukemia.segmentation.place import FieldPicture
from leukemia.segmentation.scale import UNKNOWN
from leukemia.segmentation.segment import Segmented


def answer(
    classifier: Classifier,
    field: FieldPicture,
    change: Change,
    number: int,
    *,
    thumbnail: int = 0,
    picture: int = 0,
    network: Network | None = None,
) -> Answer:
    """Answer a cell of a field by the box or the outline that was drawn.

    Parameters
    ----------
    classifier : Classifier
    field : FieldPicture
        With all its pixels.
    change : Change
        Draws a box or an outline, of a new cell or of one that is there.
    number : int
        Which of the field's cells it is.
    thumbnail, picture : int, optional
        See :meth:`leukemia.inference.classifier.Classifier.classify`.
    network : Network, optional
        Finds the outline, instead of the one that comes with the program.

    Raises
    ------
    ImageError
        Where the field's pixels or its scale are not known, or what was drawn encloses no cell.
    """
    pixels = kept.load(field.file, field.image_id)
    if field.scale is None or not field.scale.known:
        raise ImageError(UNKNOWN)
    if change.ring:
        cell = by_hand.by_corners(pixels, change.ring, field.scale.pixel_size)
    else:
        cell = by_hand.in_box(pixels, change.box, field.scale.pixel_size, network)
    alone = Segmented((cell,), 0, 0, field.scale)
    given = fields.answer_cells(classifier, field.name, pixels, alone, thumbnail=thumbnail, picture=picture)
    (one,) = (each.answer for each in given)
    place = replace(one.place, number=number)
    return replace(
        one,
        name=place.name,
        place=place,
        note=field.note,
        lossy=field.lossy,
    )

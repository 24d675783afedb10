"""A picture that is not a cell cut out on black is searched for white cells, each with an answer."""

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from leukemia.errors import BundleError, ImageError
from leukemia.imaging.cell import identify
from leukemia.imaging.scale import Scale
from leukemia.imaging.validate import NOT_ON_BLACK
from leukemia.inference import fields
from leukemia.inference.answer import Answer, Source
from leukemia.inference.classifier import Classifier
from leukemia.segmentation.field import Field, open_field
from leukemia.segmentation.network import Network
from leukemia.segmentation.place import FIELD_SIDE, FieldPicture
from leukemia.segmentation.scale import NO_SMEAR
from leukemia.segmentation.segment import NO_COLOUR, NONE_FOUND, segment

QUALITY = 85


@dataclass(frozen=True)
class Searched:
    """A searched picture.

    Attributes
    ----------
    answers : tuple of Answer
        One a white cell, row by row; a single one without a place where there is none, or where the picture
        cannot be used.
    field : FieldPicture or None
        None where it cannot be used.
    red : int
        How many red cells were found beside them.
    """

    answers: tuple[Answer, ...]
    field: FieldPicture | None = None
    red: int = 0


def search(
    classifier: Classifier,
    source: Source,
    *,
    thumbnail: int = 0,
    picture: int = 0,
    network: Network | None = None,
    keep: Callable[[Image.Image, str], Path | None] | None = None,
    between: Callable[[], object] = lambda: None,
) -> Searched:
    """Find the white cells of a picture and answer each.

    Parameters
    ----------
    classifier : Classifier
    source : Source
        Its scale is the one given, else as its file records it, else by its red cells.
    thumbnail, picture : int, optional
        See :meth:`leukemia.inference.classifier.Classifier.classify`.
    network : Network, optional
        Finds the cells, instead of the one that comes with the program.
    keep : callable, optional
        Keeps all pixels of the field, given with their SHA-256, and says where.
    between : callable, optional
        Called now and then; what it raises ends the search.
    """
    try:
        field = open_field(source.load())
        return search_field(
            classifier,
            source.name,
            field,
            source.scale,
            thumbnail=thumbnail,
            picture=picture,
            network=network,
            keep=keep,
            between=between,
        )
    except (ImageError, BundleError) as error:
        return Searched((Answer(source.name, error=str(error)),))


def search_field(
    classifier: Classifier,
    name: str,
    field: Field,
    said: Scale | None,
    *,
    thumbnail: int = 0,
    picture: int = 0,
    network: Network | None = None,
    keep: Callable[[Image.Image, str], Path | None] | None = None,
    between: Callable[[], object] = lambda: None,
) -> Searched:
    """Find the white cells of a decoded field and answer each; as :func:`search`, but for errors.

    Raises
    ------
    ImageError
        Where it holds no cells, or the scale that is said is none.
    BundleError
        Where the network that finds cells is missing.
    """
    found = segment(field, said, network, lambda done, total, what: between())
    note = fields.note(found, field)
    answers = []
    for one in fields.answer_cells(classifier, name, field, found, thumbnail=thumbnail, picture=picture):
        answers.append(replace(one.answer, scale_unknown=not found.scale.known))
        between()
    image_id = identify(np.asarray(field.image))
    kept = FieldPicture(
        name,
        field.width,
        field.height,
        image_id,
        small_picture(field.image),
        note,
        scale=found.scale,
        lossy=field.loss is not None,
        file=keep(field.image, image_id) if keep else None,
    )
    if not found.cells:
        return Searched((Answer(name, error=NONE_FOUND, note=note),), kept, found.red)
    return Searched(tuple(answers), kept, found.red)


def is_no_field(found: Searched, refused: Answer) -> bool:
    """Whether a picture on a black background, searched since it is no cell, is no field either.

    Parameters
    ----------
    found : Searched
    refused : Answer
        To the picture as a cell cut out on black.
    """
    if refused.error == NOT_ON_BLACK:
        return False
    if refused.scale_unknown:
        # Only its red cells tell it from a pale cell.
        return not (found.field and found.field.scale and found.field.scale.known)
    if found.field is None:
        # Of a picture that is mostly black, its colours come to none; what lies on the black has some.
        return found.answers[0].error in (NO_SMEAR, NO_COLOUR)
    # A cell that is cut out lies at the black all round.
    return not found.red and all(one.place is None or one.place.edge for one in found.answers)


def small_picture(image: Image.Image) -> bytes:
    """What is kept of a field: WebP of at most :data:`FIELD_SIDE` pixels a side."""
    small = image.copy()
    small.thumbnail((FIELD_SIDE, FIELD_SIDE), Image.Resampling.BOX)
    out = io.BytesIO()
    small.save(out, "WEBP", quality=QUALITY)
    return out.getvalue()

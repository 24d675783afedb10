"""Fields to answers: each white cell is cut out and answered, or says why not."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from leukemia.errors import ImageError
from leukemia.imaging import scale as scales
from leukemia.imaging.cell import WHOLE
from leukemia.imaging.scale import Scale
from leukemia.inference import stain_match
from leukemia.inference.answer import Answer, Source
from leukemia.inference.classifier import Classifier
from leukemia.segmentation import crop
from leukemia.segmentation.field import Field, read_field
from leukemia.segmentation.network import Network
from leukemia.segmentation.outline import SIMPLER
from leukemia.segmentation.place import Place
from leukemia.segmentation.segment import NONE_FOUND, Segmented, WhiteCell, segment
from leukemia.storage import files

DIGITS = 1  # of a place, in pixels of the field
CUT = "The field's edge cuts the cell: its size and its nucleus are not known whole."


@dataclass(frozen=True)
class CellAnswer:
    """The answer to a cell of a field; without a cell, why there is none."""

    answer: Answer
    cell: WhiteCell | None = None


def answer_field(
    classifier: Classifier,
    path: Path,
    said: Scale | None = None,
    network: Network | None = None,
    *,
    match_stain: bool = False,
) -> Iterator[CellAnswer]:
    """Find the white cells of a field and answer each.

    A cell that the field's edge cuts is not answered: its size is part of what tells a blast.

    Parameters
    ----------
    classifier : Classifier
    path : Path
        The field.
    said : Scale, optional
        Its scale, where it is known.
    network : Network, optional
        Finds the cells, instead of the one that comes with the program.
    match_stain : bool, optional
        Whether the cells' colours are brought to those of the training cells; see
        :mod:`leukemia.inference.stain_match`.

    Yields
    ------
    CellAnswer
        One a white cell, row by row; of a field that cannot be read, or holds none, a single one without a
        cell.
    """
    name = files.shown(path)
    try:
        field = read_field(path)
        found = segment(field, said, network)
    except ImageError as error:
        yield CellAnswer(Answer(name, error=str(error)))
        return
    if not found.cells:
        yield CellAnswer(Answer(name, error=NONE_FOUND, note=found.scale.note))
    if not match_stain:
        yield from answer_cells(classifier, name, field, found)
        return
    # The stain is that of all its cells: none is answered before each was looked at.
    whole = max(WHOLE, classifier.bundle.input_size)
    as_they_are = list(answer_cells(classifier, name, field, found, picture=whole))
    matched = stain_match.match(classifier, [one.answer for one in as_they_are])
    for one, answer in zip(as_they_are, matched, strict=True):
        yield CellAnswer(replace(answer, picture=b""), one.cell)


def answer_cells(
    classifier: Classifier,
    name: str,
    field: Field,
    found: Segmented,
    *,
    thumbnail: int = 0,
    picture: int = 0,
) -> Iterator[CellAnswer]:
    """Answer the cells that were found in a field.

    Parameters
    ----------
    classifier : Classifier
    name : str
        What the field is called, and each answer on a cell of it.
    field : Field
    found : Segmented
    thumbnail, picture : int, optional
        See :meth:`leukemia.inference.classifier.Classifier.classify`.

    Yields
    ------
    CellAnswer
        One a white cell, row by row.
    """
    sources = (_source(name, field, found, cell, classifier.bundle.pixel_size) for cell in found.cells)
    answers = classifier.classify(sources, thumbnail=thumbnail, picture=picture)
    for number, (cell, answer) in enumerate(zip(found.cells, answers, strict=True), 1):
        place = _place(name, number, cell, found.scale.pixel_size)
        told = replace(
            answer, name=place.name, note=note(found, field), lossy=field.loss is not None, place=place
        )
        if cell.edge:
            told = replace(told, probability=None, error=CUT)
        yield CellAnswer(told, cell)


def _source(name: str, field: Field, found: Segmented, cell: WhiteCell, pixel_size: float) -> Source:
    def cut() -> bytes:
        return crop.cut_out(field, cell.outline, found.scale, pixel_size).png()

    # It is cut out at the model's scale when its turn comes.
    return Source(name, cut, scales.NATIVE)


def _place(name: str, number: int, cell: WhiteCell, pixel_size: float) -> Place:
    corners = cell.outline.polygon(SIMPLER / pixel_size / cell.outline.across)
    return Place(
        name,
        number,
        *(round(side, DIGITS) for side in (cell.x, cell.y, cell.width, cell.height)),
        confidence=None if cell.confidence is None else round(cell.confidence, 4),
        edge=cell.edge,
        ring=tuple((round(float(x), DIGITS), round(float(y), DIGITS)) for x, y in corners),
    )


def note(found: Segmented, field: Field) -> str:
    """What a reader must know of a field: its scale, its levels, its compression."""
    return "; ".join(filter(None, (found.scale.note, field.note, field.loss.note if field.loss else "")))

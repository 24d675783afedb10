"""One cell's picture, record and answer as HTML; everything that comes from a file is escaped."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from leukemia.bundles.bundle import Bundle
from leukemia.dataset.catalog.filters import RIGHT, UNDECIDED, UNKNOWN, UNLABELLED, WRONG
from leukemia.dataset.catalog.records import Record
from leukemia.errors import ImageError
from leukemia.imaging.cell import crop_cell, read_cell
from leukemia.imaging.scale import PIXEL_SIZE
from leukemia.inference import decisions
from pages.components import cell_view_html
from pages.components.cell_grid import MARKS, REVIEW, distance, scale

STYLE = Path(__file__).with_name("cell_detail.css")
# Frame pixels a side that are shown: C-NMC's training frames have 450.
SHOWN = 450
WHY_NONE = {
    "training": (
        "No answer is shown: the model was trained on this patient, so its answer would mean nothing."
    ),
    "validation": "No answer is shown: the model's limits were chosen with this patient's cells.",
    "test": "The model has no answer for this cell.",
    UNKNOWN: "The model has no held-out answer for this cell.",
}
BESIDE = {
    RIGHT: "Agrees with the label.",
    WRONG: "✗ Disagrees with the label.",
    UNDECIDED: f"Indeterminate. {REVIEW}",
    UNKNOWN: "The cell is unlabelled.",
}
HELD_OUT = "Held out: the model was not trained on this patient."
HELD_OUT_OF_FOLD = (
    "Held out ({subset} of {folds}): this answer comes from a network with the same recipe that was not "
    "trained on this patient. The model in service was."
)
WHY_UNLABELLED = "Unlabelled cells have no held-out answer. Send this cell to Classify to get one."


def picture(data: Path, record: Record) -> str:
    """The cell at the scale of its frame, lossless, as HTML; or why it cannot be read.

    Parameters
    ----------
    data : Path
        The prepared folder.
    record : Record
        Of the cell.
    """
    try:
        cell = read_cell(data / record.path)
    except ImageError as error:
        return f'<div class="one">{cell_view_html.missing(str(error))}</div>'
    who = f"patient {record.patient}" if record.patient else "an unknown patient"
    shown = cell_view_html.picture(
        crop_cell(cell, SHOWN),
        PIXEL_SIZE,
        spoken=f"Cell of {who}",
        caption=f"{SHOWN} × {SHOWN} frame pixels around the cell's centre. {cell_view_html.ESTIMATED}",
        drawn=record.synthetic,
    )
    return f'<div class="one">{shown}</div>'


def facts(copies: Sequence[Record]) -> str:
    """The record as an HTML table.

    Parameters
    ----------
    copies : sequence of Record
        Rows with the same pixels, at least one: the first is described, the others are listed.
    """
    record = copies[0]
    label = record.label or UNLABELLED
    if record.review == "corrected":
        label += f" (corrected; originally {record.original_label})"
    elif record.review:
        label += f" ({record.review} by a reviewer)"
    rows = [
        ("Label", label),
        ("Patient", record.patient or "not known"),
        ("Patient group", record.patient_group if record.patient_group != record.patient else ""),
        ("Source", record.source),
        ("Subset", record.subset if record.subset != UNKNOWN else ""),
        ("Cell size", f"{record.cell_area:,} frame pixels"),
        ("Brightness", f"{record.brightness:.1f} of 255" if record.brightness is not None else ""),
        ("Frame", f"{record.width} × {record.height} pixels"),
        ("File", record.path),
        ("Source file", record.origin),
        ("Image ID", record.image_id),
        *(("Identical to", _copy(other)) for other in copies[1:]),
    ]
    return (
        '<table class="facts">'
        + "".join(
            f'<tr><th scope="row">{name}</th><td>{escape(value)}</td></tr>' for name, value in rows if value
        )
        + "</table>"
    )


def answer(record: Record, bundle: Bundle | None, why: str) -> str:
    """What the model in service says of the cell, as HTML, or why it says nothing.

    Parameters
    ----------
    record : Record
    bundle : Bundle or None
        The model in service.
    why : str
        Why there is none.
    """
    if bundle is None:
        return _sentence(why)
    if record.probability is None:
        return _sentence(WHY_NONE.get(record.subset, WHY_NONE[UNKNOWN]) if record.label else WHY_UNLABELLED)
    point = bundle.operating_point
    word, where = decisions.decision(record.probability, point), distance(record.probability, point)
    kind, mark = MARKS[word]
    origin = HELD_OUT
    if bundle.leaky:
        origin = (
            "The model was trained on other cells of this patient, so this answer looks better than it is."
        )
    elif bundle.folds:
        origin = HELD_OUT_OF_FOLD.format(subset=escape(record.subset), folds=bundle.folds)
    return (
        f'<div class="answer {kind}"><div class="said"><span>{mark} {word}</span>'
        f"<span>{point.shown(record.probability)}</span></div>"
        f"{scale(record.probability, point)}"
        f"<p>{where[0].upper()}{where[1:]}. "
        f"<b>{BESIDE[record.outcome]}</b> {origin}</p></div>"
    )


def _sentence(text: str) -> str:
    return f'<div class="answer"><p>{escape(text)}</p></div>'


def _copy(other: Record) -> str:
    return f"{other.path}, patient {other.patient or 'not known'}, {other.label or UNLABELLED}"

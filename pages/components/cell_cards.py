"""Held-out cells as cards, with a picture where the data folder has one. Text from files is escaped."""

import base64
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from leukemia import settings
from leukemia.bundles.bundle import Bundle
from leukemia.cases.cells import PICTURE
from leukemia.errors import ImageError
from leukemia.evaluation.held_out import SYNTHETIC
from leukemia.imaging.cell import crop_cell, read_cell
from leukemia.imaging.thumbnails import Thumbnails
from leukemia.inference import decisions
from leukemia.operating_point import OperatingPoint
from pages.components import cell_grid, cell_opener
from pages.components.cell_view import Opened


def _pictures(rows: pd.DataFrame) -> dict[str, bytes]:
    """Thumbnails of the cells that have an image, by image_id; kept no longer than this run of the page."""
    known = rows[rows["path"].notna()]
    if known.empty:
        return {}
    return Thumbnails(settings.load().data.resolve()).get(zip(known["image_id"], known["path"], strict=True))


def opened(rows: pd.DataFrame, bundle: Bundle, lines: dict[str, str] | None = None) -> list[Opened]:
    """The cells of :func:`grid` as they are opened, with their answers, which are those of ``bundle``."""
    data = settings.load().data.resolve()
    return [
        Opened(
            _key(row),
            f"{str(row.image_id)[:12]}",
            str(row.image_id),
            partial(_crop, data, row.path),
            row.probability,
            # Of a leaky split, no network held these patients out.
            held_out=not bundle.leaky,
            drawn=row.source == SYNTHETIC,
            more=(
                ("Label", row.label),
                ("Patient", str(row.patient_group)),
                ("Source", row.source or ""),
                ("Others", (lines or {}).get(row.image_id, "")),
            ),
        )
        for row in rows.itertuples()
    ]


def _key(row: Any) -> str:
    return f"{row.image_id} {row.patient_group}"


def _crop(data: Path, path: str | None) -> np.ndarray | None:
    """What the prepared folder has of a cell; None where it has nothing that can be read."""
    try:
        return crop_cell(read_cell(data / path), PICTURE) if path else None
    except ImageError:
        return None


def grid(rows: pd.DataFrame, point: OperatingPoint, spoken: str, lines: dict[str, str] | None = None) -> str:
    """Cells as HTML cards.

    ``rows`` has image_id, patient_group, label, probability, path and source; ``lines`` is a further line
    of plain text by image_id.
    """
    pictures = _pictures(rows)
    cards = "".join(
        _card(row, point, pictures.get(row.image_id), (lines or {}).get(row.image_id, ""))
        for row in rows.itertuples()
    )
    return f'<div class="cells" role="list" aria-label="{escape(spoken)}">{cards}</div>'


def _card(row: Any, point: OperatingPoint, picture: bytes | None, line: str) -> str:
    word = decisions.decision(row.probability, point)
    kind, mark = cell_grid.MARKS[word]
    patient = escape(str(row.patient_group))
    drawn = f'<p class="drawn">{cell_grid.DRAWN}</p>' if row.source == SYNTHETIC else ""
    more = f"<p>{escape(line)}</p>" if line else ""
    image = ""
    if picture:
        data = base64.b64encode(picture).decode("ascii")
        image = f'<img alt="Cell of patient {patient}" src="data:image/jpeg;base64,{data}">'
    shown = point.shown(row.probability)
    spoken = f"Open cell of patient {row.patient_group}: {word}, {shown}"
    image = cell_opener.button(_key(row), spoken, image or cell_opener.NO_PICTURE)
    return (
        f'<div class="cell cell-{kind}" role="listitem">{image}'
        f'<p class="decision"><span>{mark} {word}</span><b>{shown}</b></p>'
        f"{cell_grid.scale(row.probability, point)}"
        f'<p class="distance">Label: {escape(row.label)}</p>'
        f'<p class="name" title="{patient}">Patient <bdi>{patient}</bdi></p>'
        f'<p class="name" title="{escape(row.image_id)}">{escape(row.image_id[:12])}</p>{more}{drawn}</div>'
    )

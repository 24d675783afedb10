"""Held-out cells as cards, with a picture where the data folder has one. Text from files is escaped."""

import base64
from html import escape
from typing import Any

import pandas as pd

from leukemia import settings
from leukemia.evaluation.held_out import SYNTHETIC
from leukemia.imaging.thumbnails import Thumbnails
from leukemia.inference import decisions
from leukemia.operating_point import OperatingPoint
from pages.components import cell_grid


def _pictures(rows: pd.DataFrame) -> dict[str, bytes]:
    """Thumbnails of the cells that have an image, by image_id; kept no longer than this run of the page."""
    known = rows[rows["path"].notna()]
    if known.empty:
        return {}
    return Thumbnails(settings.load().data.resolve()).get(zip(known["image_id"], known["path"], strict=True))


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
    return (
        f'<div class="cell cell-{kind}" role="listitem">{image}'
        f'<p class="decision"><span>{mark} {word}</span><b>{row.probability:.3f}</b></p>'
        f"{cell_grid.scale(row.probability, point)}"
        f'<p class="distance">Label: {escape(row.label)}</p>'
        f'<p class="name" title="{patient}">Patient <bdi>{patient}</bdi></p>'
        f'<p class="name" title="{escape(row.image_id)}">{escape(row.image_id[:12])}</p>{more}{drawn}</div>'
    )

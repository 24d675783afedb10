"""Cells as a grid of cards, each a button: one component, so that a whole page of them is drawn at once.

Colours are never the only signal: labels and answers have words and shapes of their own.
"""

import base64
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import streamlit as st

from leukemia.dataset.catalog.filters import INDETERMINATE, UNKNOWN, UNLABELLED, WRONG
from leukemia.dataset.catalog.records import Record
from leukemia.imaging.thumbnails import Thumbnails
from leukemia.inference import decisions

FOLDER = Path(__file__).parent
LABELS = {"ALL": ("all", "▲ ALL"), "Normal": ("normal", "● Normal"), "": ("", UNLABELLED)}
ANSWERS = {
    "ALL": f"▲ {decisions.ALL_LIKE}",
    "Normal": f"● {decisions.NORMAL_LIKE}",
    INDETERMINATE: f"◆ {decisions.INDETERMINATE}",
}
SYNTHETIC = "synthetic"

_grid = st.components.v2.component(
    "leukemia.cells",
    html='<div class="grid" role="list"></div>',
    css=(FOLDER / "grid.css").read_text(encoding="utf-8"),
    js=(FOLDER / "grid.js").read_text(encoding="utf-8"),
)


def show(
    data: Path,
    records: Sequence[Record],
    *,
    key: str,
    spoken: str,
    on_open: Callable[[str], None],
    on_pick: Callable[[str, bool], None] | None = None,
    picked: Collection[str] = (),
) -> None:
    """Draw cells; a click on one calls ``on_open`` with its image_id before the page runs again.

    With ``on_pick``, each has a box to tick, which calls it with image_id and whether it is ticked.
    ``spoken`` says to a screen reader what the grid holds.
    """
    pictures = Thumbnails(data).get((record.image_id, record.path) for record in records)
    cards = [card(record, pictures.get(record.image_id), record.image_id in picked) for record in records]

    def opened() -> None:
        if image_id := st.session_state[key].get("opened"):
            on_open(image_id)

    def ticked() -> None:
        if change := st.session_state[key].get("picked"):
            on_pick(*change)

    given = {"cards": cards, "pick": on_pick is not None, "spoken": spoken}
    _grid(key=key, data=given, on_opened_change=opened, on_picked_change=ticked)


def card(record: Record, picture: bytes | None, picked: bool = False) -> dict[str, object]:
    """What a card shows, as the component takes it."""
    kind, label = LABELS[record.label]
    who = f"Patient {record.patient}" if record.patient else Path(record.path).stem
    lines = []
    if record.probability is not None:
        wrong = record.outcome == WRONG
        answer = f"✗ {ANSWERS[record.decision]}" if wrong else ANSWERS[record.decision]
        lines.append((answer, f"{record.probability:.3f}", "wrong" if wrong else ""))
    part = [] if record.subset == UNKNOWN else [record.subset]
    lines.append((" · ".join([record.source, *part]), f"{record.cell_area:,} px", "quiet"))
    badges = [SYNTHETIC] * record.synthetic + [f"label {record.review}"] * bool(record.review)
    return {
        "id": record.image_id,
        "picture": base64.b64encode(picture).decode("ascii") if picture else "",
        "who": who,
        "kind": kind,
        "label": label,
        "lines": lines,
        "badges": badges,
        "picked": picked,
        "title": record.path,
        "spoken": f"Open cell: {who}, {label}" + "".join(f", {badge}" for badge in badges),
    }

"""Cells as a grid of cards, each a button, a page of them at a time with its number in the address.

The grid is one component, so that a whole page of cells is drawn at once.

Colours are never the only signal: labels and answers have words and shapes of their own.
"""

import base64
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import streamlit as st

from leukemia.classes import ALL, NORMAL
from leukemia.dataset import manifest
from leukemia.dataset.catalog.filters import INDETERMINATE, UNKNOWN, UNLABELLED, WRONG
from leukemia.dataset.catalog.records import Record
from leukemia.imaging.thumbnails import Thumbnails
from leukemia.inference import decisions
from leukemia.operating_point import ALL_LIKE, NORMAL_LIKE
from pages.components import address_field
from pages.sections.dataset import address

FOLDER = Path(__file__).parent
LABELS = {ALL: ("all", "▲ ALL"), NORMAL: ("normal", "● Normal"), "": ("", UNLABELLED)}
ANSWERS = {
    ALL: f"▲ {ALL_LIKE}",
    NORMAL: f"● {NORMAL_LIKE}",
    INDETERMINATE: f"◆ {decisions.INDETERMINATE}",
}
PAGE_SIZE = 48

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
    pictures: Mapping[str, bytes] | None = None,
) -> None:
    """Draw cells.

    Parameters
    ----------
    data : Path
        The prepared folder.
    records : sequence of Record
        The cells, in reading order.
    key : str
        Keeps this grid apart from the page's others.
    spoken : str
        What the grid holds, for a screen reader.
    on_open : callable
        Called with the image_id of a cell that is clicked, before the page runs again.
    on_pick : callable, optional
        Each cell has a box to tick, which calls this with image_id and whether it is ticked.
    picked : collection of str, optional
        The image_ids whose boxes are ticked.
    pictures : mapping of str to bytes, optional
        The thumbnails by image_id, where the images lie elsewhere than in the prepared folder.
    """
    if pictures is None:
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
    """What a card shows, as the component takes it.

    Parameters
    ----------
    record : Record
    picture : bytes or None
        Its thumbnail, a JPEG; None where the image cannot be read.
    picked : bool, optional
        Whether its box is ticked.
    """
    kind, label = LABELS[record.label]
    who = f"Patient {record.patient}" if record.patient else Path(record.path).stem
    lines = []
    if record.probability is not None:
        wrong = record.outcome == WRONG
        answer = f"✗ {ANSWERS[record.decision]}" if wrong else ANSWERS[record.decision]
        lines.append((answer, f"{record.probability:.3f}", "wrong" if wrong else ""))
    subset = [] if record.subset == UNKNOWN else [record.subset]
    lines.append((" · ".join([record.source, *subset]), f"{record.cell_area:,} px", "quiet"))
    badges = [manifest.SYNTHETIC] * record.synthetic + [f"label {record.review}"] * bool(record.review)
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


def place(count: int) -> tuple[int, int]:
    """The page that the address asks for, at most the last one; and how many there are."""
    pages = max(1, -(-count // PAGE_SIZE))
    return min(address.page(), pages), pages


def turn_pages(number: int, pages: int, *, key: str, of: object = "") -> None:
    """Lay out the page numbers, where there is more than one page.

    Parameters
    ----------
    number, pages : int
        Of :func:`place`.
    key : str
        Keeps these numbers apart from others.
    of : object, optional
        What is paged: with another, the numbers start anew.
    """
    if pages == 1:
        return

    def write(page: int) -> None:
        address.put(address.PAGE, str(page) if page > 1 else "")

    st.pagination(pages, **address_field.follow(f"{key}-{pages}-{hash(of)}", number, write))

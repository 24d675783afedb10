"""The picture of the cell under the pointer: the chart's own hover can show text only."""

import base64
from pathlib import Path

import streamlit as st

from leukemia.dataset.catalog.filters import Filters
from leukemia.imaging.thumbnails import Thumbnails
from pages.sections.dataset import resources

FOLDER = Path(__file__).parent
KEY = "map-hover"

_hover = st.components.v2.component(
    "leukemia.hover",
    html='<div class="hovered" aria-hidden="true" hidden></div>',
    css=(FOLDER / "hover.css").read_text(encoding="utf-8"),
    js=(FOLDER / "hover.js").read_text(encoding="utf-8"),
)


@st.fragment
def show(data: Path, chart: str) -> None:
    """Follow the pointer over the chart of this key; only this runs again when it meets a dot."""
    image_id = (st.session_state.get(KEY) or {}).get("over") or ""
    picture = _picture(data, image_id) if image_id else b""
    given = {"chart": chart, "id": image_id, "picture": base64.b64encode(picture).decode("ascii")}
    _hover(key=KEY, data=given, on_over_change=lambda: None)


def _picture(data: Path, image_id: str) -> bytes:
    found = resources.catalog(data).page(Filters(images=(image_id,)), size=1)
    pictures = Thumbnails(data).get((record.image_id, record.path) for record in found)
    return pictures.get(image_id, b"")

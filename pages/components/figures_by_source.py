"""A model's held-out figures by source, computed once a process and shared by all sessions.

Held-out predictions carry no image, so that a shared cache is harmless here.
"""

from pathlib import Path

import pandas as pd
import streamlit as st

from leukemia import settings
from leukemia.bundles.bundle import Bundle
from leukemia.dataset.catalog import manifest_parquet
from leukemia.evaluation import held_out
from leukemia.evaluation.breakdown import source_words, sources
from leukemia.evaluation.breakdown.sources import BySource, CellsBySource
from leukemia.markdown import plain
from leukemia.operating_point import OperatingPoint
from leukemia.reports import wording


def cells(bundle: Bundle) -> CellsBySource | None:
    """Its held-out cells by source; None where no source is known. Raises DatasetError without a class."""
    data = settings.load().data.resolve()
    now = manifest_parquet.stamp_if_any(data)
    return _cells(bundle.identity, data, now, bundle)


def predictions(bundle: Bundle) -> pd.DataFrame:
    """Its held-out predictions, with the source of each cell where any is known."""
    known = cells(bundle)
    return known.predictions if known else bundle.predictions


def at(bundle: Bundle, point: OperatingPoint) -> BySource | None:
    """The figures at an operating point; None where no source is known."""
    known = cells(bundle)
    return known and _at(bundle.identity, point, known.names, known)


def unseen_at(bundle: Bundle, point: OperatingPoint) -> BySource | None:
    """The figures of networks that had learned from no cell of a source; None where not known."""
    known = _unseen(bundle.identity, bundle)
    return known and _at(f"{bundle.identity} unseen", point, known.names, known)


def lead(bundle: Bundle, point: OperatingPoint) -> None:
    """Say first how the model fares in its worst source, and where that is not what was intended."""
    figures = at(bundle, point)
    if figures is None:
        st.caption(source_words.UNKNOWN)
        return
    worst = [plain(words[0].upper() + words[1:]) for words in source_words.worst(figures)]
    about = f"patients weighted equally; sensitivity and specificity at the threshold {point.threshold:.4f}"
    title = [f"**Worst source** ({about})"] if len(figures.sources) > 1 else []
    st.markdown("  \n".join([*title, *worst]))
    if unseen := unseen_at(bundle, point):
        words = [plain(words[0].upper() + words[1:]) for words in source_words.worst(unseen)]
        st.markdown("  \n".join([f"**{source_words.UNSEEN.removesuffix(':')}**", *words]))
    if short := wording.shortfalls(bundle, figures, point):
        st.warning(plain(short), icon=":material/warning:")


@st.cache_resource(max_entries=16, show_spinner=False)
def _cells(identity: str, data: Path, now: object, _bundle: Bundle) -> CellsBySource | None:
    return sources.by_source(held_out.with_sources(data, _bundle.predictions))


@st.cache_resource(max_entries=16, show_spinner=False)
def _unseen(identity: str, _bundle: Bundle) -> CellsBySource | None:
    cells = sources.unseen(_bundle.predictions)
    return None if cells is None else sources.by_source(cells)


@st.cache_resource(max_entries=512, show_spinner=False)
def _at(identity: str, point: OperatingPoint, names: list[str], _cells: CellsBySource) -> BySource:
    return _cells.at(point)

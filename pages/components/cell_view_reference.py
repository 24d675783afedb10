"""An opened cell beside the cells that the model learned from: its neighbours, and its measures.

Both come from one reading of the prepared set, made in the background when it is asked for.
"""

import base64
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from leukemia import settings
from leukemia.bundles.bundle import Bundle
from leukemia.classes import ALL, NORMAL
from leukemia.dataset import label_log, manifest
from leukemia.dataset.catalog import manifest_parquet
from leukemia.errors import BundleError, DatasetError
from leukemia.evaluation import class_ranges
from leukemia.imaging import morphology
from leukemia.imaging.cell import foreground
from leukemia.imaging.thumbnails import Thumbnails
from leukemia.inference import features
from leukemia.inference.neighbours import Index, Neighbour
from leukemia.jobs import JobKind
from leukemia.markdown import plain
from pages.components import cell_view_html, flash, job_status, model_in_service

if TYPE_CHECKING:
    from pages.components.cell_view import Opened

KIND = JobKind.MAP
READ = "Read the training cells"
NO_SET = (
    "Neighbours and ranges come from the set that the model learned from. It is not on this computer: import "
    "it under Dataset › Import."
)
ANOTHER_SET = "The prepared set on this computer holds no cells that this model learned from."
ASK = (
    "To find the nearest training cells and to compare measures with theirs, the program first has to read "
    "the training cells. It does so once per model, in the background, in a few minutes."
)
BARS = "Bars: where 90% of the training cells of a class lie, each patient weighing the same. "
NEAREST = (
    "Nearest by what the model reads. Two training cells taken at random are {usual:.2f} apart. A near cell "
    "is not a reason for the answer, and its label may be wrong."
)


def show(cell: "Opened", crop: np.ndarray, bundle: Bundle, place: str) -> None:
    """Lay out neighbours and measures, the latter alone where the training cells are not read.

    Parameters
    ----------
    cell : Opened
    crop : numpy.ndarray
        What the model reads: uint8 RGB, shape (size, size, 3).
    bundle : Bundle
    place : str
        Keeps these widgets apart from others.
    """
    data = settings.load().data.resolve()
    st.markdown("**The nearest cells among those that the model learned from**")
    index = _index_or_way(data, bundle, place)
    if index is not None:
        _neighbours(data, index, cell, crop, bundle)
    area = cell.area or int(foreground(crop).sum())
    found = morphology.measure(crop, area, bundle.pixel_size)
    st.markdown("**Measures**")
    st.html(cell_view_html.measures(found, _ranges(index) if index else {}))
    st.caption(
        BARS
        * bool(index)
        + "These measures are for comparison; they are not the model's reasons. The nucleus is found "
        "roughly, by its colour. Optical density takes the brightest level as clear glass."
    )


def _index_or_way(data: Path, bundle: Bundle, place: str) -> Index | None:
    """The training cells, or what a reader can do to have them."""
    flash.show(job_status.FLASH)
    try:
        stamp = manifest_parquet.stamp(data)
        index = _index(data, (stamp, label_log.stamp(data)), bundle.identity, bundle)
    except DatasetError:
        st.caption(NO_SET)
        return None
    except _NoTrainingCells:
        st.caption(ANOTHER_SET)
        return None
    except _NotRead:
        _reading(data, bundle, place)
        return None
    return index


class _NotRead(Exception):
    """Not kept in a cache, as what is returned would be."""


class _NoTrainingCells(Exception):
    """The prepared set is another one than the model's."""


# Features and labels, no image; one set and model at a time.
@st.cache_resource(max_entries=2, show_spinner="Reading the training cells …")
def _index(data: Path, stamp: tuple[object, ...], identity: str, _bundle: Bundle) -> Index:
    cells = manifest.read(data)
    learned = model_in_service.learned_from(_bundle).images
    if not cells["image_id"].isin(learned).any():
        raise _NoTrainingCells
    found = features.cached(_bundle, data, cells)
    if found is None:
        raise _NotRead
    try:
        return Index(found, label_log.apply(data, cells), learned)
    except DatasetError as error:
        raise _NoTrainingCells from error


@st.cache_resource(max_entries=2, show_spinner=False)
def _network(folder: Path, identity: str, _bundle: Bundle) -> features.Network:
    return features.network(_bundle)


def _reading(data: Path, bundle: Bundle, place: str) -> None:
    """How far the reading is, or the button that starts it."""
    if job_status.unfinished(data, KIND, resume="Try again"):
        return
    st.caption(ASK)
    arguments = ["map", "--data", str(data), "--model", str(bundle.folder.resolve())]
    st.button(
        READ,
        key=f"{place}-read",
        icon=":material/hub:",
        on_click=job_status.start,
        args=(data, KIND, f"Training cells by {bundle.name}", arguments),
    )


def _neighbours(data: Path, index: Index, cell: "Opened", crop: np.ndarray, bundle: Bundle) -> None:
    try:
        raw, _ = _network(bundle.folder, bundle.identity, bundle)(crop[None])
    except BundleError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    by_class, same = index.nearest(features.features_of(raw, 1)[0], cell.image_id)
    for one in same:
        st.caption(
            f"This image is itself a training cell: {one.label}, patient {plain(one.patient)}. It is "
            "not counted as a neighbour."
        )
    near = [one for found in by_class.values() for one in found]
    pictures = Thumbnails(data).get((one.image_id, one.path) for one in near)
    for column, label in zip(st.columns(2, gap="medium"), (ALL, NORMAL), strict=True):
        cards = "".join(_card(one, pictures.get(one.image_id)) for one in by_class[label])
        column.html(
            f'<div class="cell-near" role="list" aria-label="Nearest training cells labelled {label}">'
            f"<b>{label}</b>{cards}</div>"
        )
    st.caption(NEAREST.format(usual=index.usual))


def _card(one: Neighbour, picture: bytes | None) -> str:
    who = f"Patient {one.patient}" if one.patient else "Patient not known"
    image = '<div class="none">no picture</div>'
    if picture:
        data = base64.b64encode(picture).decode("ascii")
        image = f'<img alt="Training cell, {escape(one.label)}" src="data:image/jpeg;base64,{data}">'
    own = "<span>the cell's own patient</span>" if one.same_patient else ""
    return (
        f'<figure role="listitem">{image}<figcaption><bdi>{escape(who)}</bdi>'
        f"<span>distance {one.distance:.2f}</span>{own}</figcaption></figure>"
    )


def _ranges(index: Index) -> dict[str, dict[str, tuple[float, float]]]:
    return class_ranges.of(index.cells, morphology.NAMES)

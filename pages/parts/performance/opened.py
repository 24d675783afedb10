"""Versions and what their held-out predictions say, read once a process and shared by all sessions.

Held-out predictions carry no image, so that a shared cache is harmless here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from leukemia import settings
from leukemia.bundle import Bundle
from leukemia.data import brightness, table
from leukemia.errors import BundleError, DatasetError
from leukemia.learning import metrics
from leukemia.review import comparison, curves, facts, figures
from leukemia.review import versions as kept
from leukemia.review.resampling import Cells, figure
from leukemia.review.versions import Version
from pages.parts import service


@dataclass(frozen=True)
class Curves:
    """The curves of a version that depend on no threshold; see :mod:`leukemia.review.curves`."""

    against_threshold: pd.DataFrame
    roc: pd.DataFrame
    roc_band: pd.DataFrame
    precision_recall: pd.DataFrame
    precision_recall_band: pd.DataFrame
    reliability_band: pd.DataFrame
    ranking: dict[str, metrics.Figure]


def versions() -> list[Version]:
    """All versions as they are now, the model in service first."""
    folders = kept.folders(settings.load().model)
    # What the registry put in service may lie elsewhere.
    if (served := _served()) is not None:
        folders = [served, *(folder for folder in folders if folder != served)]
    return [_read(folder, kept.stamp(folder)) for folder in folders]


def in_service(version: Version) -> bool:
    """Whether this is the model in service."""
    return version.folder == _served()


def name(version: Version) -> str:
    """A version's name in plain text, with what tells its network."""
    bundle = version.bundle
    served = ", in service" if in_service(version) else ""
    return f"{version.name} ({bundle.name}{served})" if bundle else version.name


def cells(bundle: Bundle) -> Cells:
    """Its held-out cells with resampled patients; raises DatasetError where a class is absent."""
    return _cells(bundle.folder, kept.stamp(bundle.folder), bundle)


def lines(bundle: Bundle) -> Curves:
    """Its curves and the figures that depend on no threshold."""
    return _lines(bundle.folder, kept.stamp(bundle.folder), bundle)


def known(bundle: Bundle) -> pd.DataFrame:
    """Its held-out predictions with size, source, brightness and path of the image, where known."""
    data = settings.load().data.resolve()
    try:
        now = (table.stamp(data), brightness.stamp(data))
    except DatasetError:
        now = None
    return _known(bundle.folder, kept.stamp(bundle.folder), data, now, bundle)


def _served() -> Path | None:
    try:
        return service.bundle().folder.resolve()
    except BundleError:
        return None


@st.cache_resource(max_entries=64, show_spinner="Reading the model versions …")
def _read(folder: Path, stamp: tuple[object, ...]) -> Version:
    return kept.read(folder)


@st.cache_resource(max_entries=16, show_spinner=False)
def _cells(folder: Path, stamp: tuple[object, ...], _bundle: Bundle) -> Cells:
    return Cells(_bundle.predictions)


@st.cache_resource(max_entries=16, show_spinner="Drawing the curves …")
def _lines(folder: Path, stamp: tuple[object, ...], _bundle: Bundle) -> Curves:
    of = cells(_bundle)
    return Curves(
        curves.against_threshold(of),
        curves.roc(of),
        curves.roc_band(of),
        curves.precision_recall(of),
        curves.precision_recall_band(of),
        curves.reliability_band(of),
        {name: figure(column) for name, column in figures.ranking(of).items()},
    )


def together(bundles: Sequence[Bundle]) -> "Shared":
    """The cells that all versions held out, and what depends on no threshold."""
    folders = tuple(bundle.folder for bundle in bundles)
    return _together(folders, tuple(kept.stamp(folder) for folder in folders), list(bundles))


@dataclass(frozen=True)
class Shared:
    """Cells of several versions; see :mod:`leukemia.review.comparison`. Lists follow the versions."""

    frame: pd.DataFrame
    cells: list[Cells]
    ranking: list[dict[str, np.ndarray]]
    roc: list[pd.DataFrame]
    precision_recall: list[pd.DataFrame]


@st.cache_resource(max_entries=8, show_spinner="Comparing …")
def _together(folders: tuple[Path, ...], stamps: tuple[object, ...], _bundles: list[Bundle]) -> Shared:
    frame = comparison.shared([bundle.predictions for bundle in _bundles])
    of = comparison.cells(frame, len(_bundles))
    return Shared(
        frame,
        of,
        [figures.ranking(one) for one in of],
        [curves.roc(one) for one in of],
        [curves.precision_recall(one) for one in of],
    )


@st.cache_resource(max_entries=8, show_spinner="Looking the cells up …")
def _known(folder: Path, stamp: tuple[object, ...], data: Path, now: object, _bundle: Bundle) -> pd.DataFrame:
    return facts.known(data, _bundle.predictions)

"""Versions and what their held-out predictions say, read once a process and shared by all sessions.

Held-out predictions carry no image, so that a shared cache is harmless here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from leukemia import settings
from leukemia.bundles.bundle import Bundle
from leukemia.dataset.catalog import brightness, manifest_parquet
from leukemia.errors import BundleError, DatasetError, RegistryError
from leukemia.evaluation import comparison, curves, estimates, held_out
from leukemia.evaluation.bootstrap import PatientBootstrap
from leukemia.evaluation.breakdown.sources import CellsBySource
from leukemia.evaluation.curves import HeldOutCurves
from leukemia.registry import versions as model_versions
from leukemia.registry.versions import Version
from leukemia.tracking import mlflow_client
from leukemia.tracking.records import CHAMPION
from pages.components import model_in_service

EVERY = 5.0  # seconds between two requests to a server


def versions() -> tuple[list[Version], str]:
    """All versions as they are now, the model in service first, and why those registered are not among them.

    A registered version comes without its bundle until it is chosen: see :func:`fetched`.
    """
    folders = model_versions.folders(settings.load().model)
    # What the registry put in service may lie elsewhere.
    if (here := _served()) is not None:
        folders = [here, *(folder for folder in folders if folder != here)]
    listed, trouble = _registered()
    lying = {one.folder: one for one in listed}
    # A fetched folder that is damaged is fetched again when it is chosen.
    local = [_read(folder, model_versions.stamp(folder)) for folder in folders]
    local = [one for one in local if one.bundle or one.folder not in lying]
    return model_versions.merge(local, listed), trouble


def fetched(version: Version) -> Version:
    """A version with its bundle, fetched where it is registered only; ``problem`` says where that fails."""
    if version.bundle or version.number is None:
        return version
    try:
        return _fetched(version, settings.load().data.resolve(), model_versions.stamp(version.folder))
    except _Trouble as trouble:
        return replace(version, problem=str(trouble))


def numbered(number: int) -> Version:
    """A registered version with its bundle; ``problem`` says why it is not available."""
    listed, trouble = _registered()
    for one in listed:
        if one.number == number:
            return fetched(one)
    return Version(Path(), None, trouble or f"There is no model version {number}.", number)


def served() -> Version | None:
    """The model in service; None where none can be read."""
    here = _served()
    if here is None:
        return None
    one = _read(here, model_versions.stamp(here))
    return model_versions.merge(
        [one], [known for known in _registered()[0] if known.record_sha256 == one.record_sha256]
    )[0]


def in_service(version: Version) -> bool:
    """Whether this is the model in service."""
    return version.folder == _served()


def name(version: Version) -> str:
    """A version's name in plain text, with what tells its network."""
    local = version.bundle and version.number is None
    details = [version.bundle.name] if local else [version.recipe, version.note]
    details += version.aliases
    if in_service(version) and CHAMPION not in version.aliases:
        details.append("in service")
    details = [word for word in details if word]
    words = version.name[:1].upper() + version.name[1:] if version.built_in else version.name
    return f"{words} ({', '.join(details)})" if details else words


def held_out_curves(bundle: Bundle) -> HeldOutCurves:
    """What its held-out predictions say; raises DatasetError where a class is absent."""
    return _held_out_curves(bundle.folder, model_versions.stamp(bundle.folder), bundle)


def cells_with_facts(bundle: Bundle) -> pd.DataFrame:
    """Its held-out predictions with size, source, brightness and path of the image, where known."""
    data = settings.load().data.resolve()
    try:
        now = (manifest_parquet.stamp(data), brightness.stamp(data))
    except DatasetError:
        now = None
    return _cells_with_facts(bundle.folder, model_versions.stamp(bundle.folder), data, now, bundle)


def _served() -> Path | None:
    try:
        return model_in_service.bundle().folder.resolve()
    except BundleError:
        return None


def _registered() -> tuple[list[Version], str]:
    given = settings.load()
    data = given.data.resolve()
    try:
        # A file is read in milliseconds; a server is not asked at every press.
        if mlflow_client.database(data):
            return model_versions.registered(data), ""
        return _of_server(data, given.tracking_uri), ""
    except RegistryError as error:
        return [], str(error)


@st.cache_resource(max_entries=4, ttl=EVERY, show_spinner="Asking for the model versions …")
def _of_server(data: Path, tracking_uri: str) -> list[Version]:
    return model_versions.registered(data)


def refresh() -> None:
    """See a new version at once; without this, a server is asked within seconds."""
    _of_server.clear()


class _Trouble(Exception):
    """Not kept in a cache, as what is returned would be."""


@st.cache_resource(max_entries=16, show_spinner="Fetching the model version …")
def _fetched(version: Version, data: Path, stamp: tuple[object, ...]) -> Version:
    version = model_versions.fetch(data, version)
    if version.problem:
        raise _Trouble(version.problem)
    return version


@st.cache_resource(max_entries=64, show_spinner="Reading the model versions …")
def _read(folder: Path, stamp: tuple[object, ...]) -> Version:
    return model_versions.read(folder)


@st.cache_resource(max_entries=16, show_spinner=False)
def _held_out_curves(folder: Path, stamp: tuple[object, ...], _bundle: Bundle) -> HeldOutCurves:
    return HeldOutCurves(_bundle.predictions)


def together(bundles: Sequence[Bundle]) -> "Shared":
    """The cells that all versions held out, and what depends on no threshold."""
    folders = tuple(bundle.folder for bundle in bundles)
    return _together(folders, tuple(model_versions.stamp(folder) for folder in folders), list(bundles))


@dataclass(frozen=True)
class Shared:
    """Cells of several versions; see :mod:`leukemia.evaluation.comparison`. Lists follow the versions.

    ``by_source`` is empty where the sources of the cells are not known.
    """

    frame: pd.DataFrame
    cells: list[PatientBootstrap]
    ranking: list[dict[str, np.ndarray]]
    roc: list[pd.DataFrame]
    precision_recall: list[pd.DataFrame]
    by_source: list[CellsBySource]


@st.cache_resource(max_entries=8, show_spinner="Comparing …")
def _together(folders: tuple[Path, ...], stamps: tuple[object, ...], _bundles: list[Bundle]) -> Shared:
    first, *others = (bundle.predictions for bundle in _bundles)
    frame = comparison.shared([held_out.with_sources(settings.load().data.resolve(), first), *others])
    of = comparison.cells(frame, len(_bundles))
    return Shared(
        frame,
        of,
        [estimates.ranking(one) for one in of],
        [curves.roc(one) for one in of],
        [curves.precision_recall(one) for one in of],
        comparison.cells_by_source(frame, len(_bundles)),
    )


@st.cache_resource(max_entries=8, show_spinner="Finding the cells …")
def _cells_with_facts(
    folder: Path, stamp: tuple[object, ...], data: Path, now: object, _bundle: Bundle
) -> pd.DataFrame:
    return held_out.facts(data, _bundle.predictions)

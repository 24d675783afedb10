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
from leukemia.registry import versions as model_versions
from leukemia.registry.versions import Version
from leukemia.tracking import mlflow_client
from leukemia.tracking.records import CHAMPION
from pages.components import model_in_service

EVERY = 5.0  # seconds between two looks at a server


@dataclass(frozen=True)
class Curves:
    """The curves of a version that depend on no threshold; see :mod:`leukemia.evaluation.curves`."""

    against_threshold: pd.DataFrame
    roc: pd.DataFrame
    roc_band: pd.DataFrame
    precision_recall: pd.DataFrame
    precision_recall_band: pd.DataFrame
    reliability_band: pd.DataFrame
    ranking: dict[str, estimates.Estimate]


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
    told = (
        [version.bundle.name] if version.bundle and version.number is None else [version.recipe, version.note]
    )
    told += version.aliases
    if in_service(version) and CHAMPION not in version.aliases:
        told.append("in service")
    told = [word for word in told if word]
    return f"{version.name} ({', '.join(told)})" if told else version.name


def cells(bundle: Bundle) -> PatientBootstrap:
    """Its held-out cells with resampled patients; raises DatasetError where a class is absent."""
    return _cells(bundle.folder, model_versions.stamp(bundle.folder), bundle)


def lines(bundle: Bundle) -> Curves:
    """Its curves and the figures that depend on no threshold."""
    return _lines(bundle.folder, model_versions.stamp(bundle.folder), bundle)


def known(bundle: Bundle) -> pd.DataFrame:
    """Its held-out predictions with size, source, brightness and path of the image, where known."""
    data = settings.load().data.resolve()
    try:
        now = (manifest_parquet.stamp(data), brightness.stamp(data))
    except DatasetError:
        now = None
    return _known(bundle.folder, model_versions.stamp(bundle.folder), data, now, bundle)


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


def look_again() -> None:
    """See a new version at once; without this, a server is asked within seconds."""
    _of_server.clear()


class _Trouble(Exception):
    """Not kept in a cache, as what is returned would be."""


@st.cache_resource(max_entries=16, show_spinner="Fetching the model version …")
def _fetched(version: Version, data: Path, stamp: tuple[object, ...]) -> Version:
    found = model_versions.fetch(data, version)
    if found.problem:
        raise _Trouble(found.problem)
    return found


@st.cache_resource(max_entries=64, show_spinner="Reading the model versions …")
def _read(folder: Path, stamp: tuple[object, ...]) -> Version:
    return model_versions.read(folder)


@st.cache_resource(max_entries=16, show_spinner=False)
def _cells(folder: Path, stamp: tuple[object, ...], _bundle: Bundle) -> PatientBootstrap:
    return PatientBootstrap(_bundle.predictions)


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
        estimates.estimates(estimates.ranking(of)),
    )


def together(bundles: Sequence[Bundle]) -> "Shared":
    """The cells that all versions held out, and what depends on no threshold."""
    folders = tuple(bundle.folder for bundle in bundles)
    return _together(folders, tuple(model_versions.stamp(folder) for folder in folders), list(bundles))


@dataclass(frozen=True)
class Shared:
    """Cells of several versions; see :mod:`leukemia.evaluation.comparison`. Lists follow the versions."""

    frame: pd.DataFrame
    cells: list[PatientBootstrap]
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
        [estimates.ranking(one) for one in of],
        [curves.roc(one) for one in of],
        [curves.precision_recall(one) for one in of],
    )


@st.cache_resource(max_entries=8, show_spinner="Looking the cells up …")
def _known(folder: Path, stamp: tuple[object, ...], data: Path, now: object, _bundle: Bundle) -> pd.DataFrame:
    return held_out.facts(data, _bundle.predictions)

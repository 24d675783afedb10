"""The model in service, loaded once a process and shared by all sessions."""

from pathlib import Path

import pandas as pd
import streamlit as st

from leukemia import settings
from leukemia.bundles import bundle as bundles
from leukemia.dataset import review_labels
from leukemia.dataset.catalog import manifest_parquet
from leukemia.evaluation import three_way
from leukemia.evaluation.estimate import Estimate
from leukemia.inference import learned
from leukemia.inference.classifier import Classifier
from leukemia.operating_point import OperatingPoint
from leukemia.registry.serving import InService, Watch


def classifier() -> Classifier:
    """The model in service; raises :class:`leukemia.errors.BundleError` where there is none."""
    serving = bundle()
    return _load(serving.folder.resolve(), _written(serving.folder), serving.digest)


def loaded(bundle: bundles.Bundle) -> Classifier:
    """A model with its network, also one that is not in service; raises :class:`BundleError`."""
    return _load(bundle.folder.resolve(), _written(bundle.folder), bundle.digest)


def bundle() -> bundles.Bundle:
    """The record of the model in service, its network not loaded; raises as :func:`classifier` does."""
    return in_service().bundle


def in_service() -> InService:
    """Which model answers, as what version, and the notice where it is not the one promoted."""
    given = settings.load()
    if given.model_given:
        folder = given.model.resolve()
        return InService(_read(folder, _written(folder)))
    return _watch(given.data.resolve(), given.tracking_uri).now()


def built_in() -> bundles.Bundle:
    """The record of the model that comes with the program; raises BundleError where it cannot be read."""
    return _read(settings.SHIPPED, _written(settings.SHIPPED))


def notice() -> str:
    """Why another model answers than the one put in service; empty where it does. Untrusted text."""
    return in_service().notice


def refresh() -> None:
    """See a promotion at once; without this, within seconds."""
    _watch.clear()


def shares(served: bundles.Bundle, point: OperatingPoint) -> dict[str, Estimate]:
    """What becomes of its held-out cells, weighted equally: see :mod:`leukemia.evaluation.three_way`."""
    return _shares(served.identity, point, served.predictions)


def learned_from(served: bundles.Bundle) -> learned.Learned:
    """Which cells a model learned from, as far as bundle and data folder say."""
    data = settings.load().data.resolve()
    # Labels that were corrected do not count here: they move no cell to other patients.
    now = manifest_parquet.stamp_if_any(data), review_labels.stamp(data)
    return _learned(served.identity, data, now, served)


def _written(folder: Path) -> tuple[int, int] | None:
    """When the record was written and its size: a newly written bundle is loaded afresh."""
    try:
        status = (folder / bundles.RECORD).stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


@st.cache_resource(max_entries=4, show_spinner=False)
def _watch(data: Path, tracking_uri: str) -> Watch:
    return Watch()


@st.cache_resource(max_entries=2, show_spinner="Loading the model …")
def _load(folder: Path, written: tuple[int, int] | None, digest: str) -> Classifier:
    return Classifier.load(folder)


@st.cache_resource(max_entries=2, show_spinner=False)
def _read(folder: Path, written: tuple[int, int] | None) -> bundles.Bundle:
    return bundles.read(folder)


# Held-out predictions carry no image, so that a shared cache is harmless here.
@st.cache_data(max_entries=512, show_spinner=False)
def _shares(identity: str, point: OperatingPoint, _predictions: pd.DataFrame) -> dict[str, Estimate]:
    return three_way.evaluate(_predictions, point)


@st.cache_resource(max_entries=4, show_spinner=False)
def _learned(identity: str, data: Path, now: object, _bundle: bundles.Bundle) -> learned.Learned:
    return learned.of(_bundle, data)

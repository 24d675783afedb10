"""The model in service, loaded once a process and shared by all sessions."""

from pathlib import Path

import pandas as pd
import streamlit as st

from leukemia import settings
from leukemia.bundles import bundle as bundles
from leukemia.evaluation.bootstrap import PatientBootstrap
from leukemia.evaluation.estimate import Estimate
from leukemia.evaluation.estimates import at_threshold
from leukemia.inference.classifier import Classifier
from leukemia.registry.serving import InService, Watch


def classifier() -> Classifier:
    """The model in service; raises :class:`leukemia.errors.BundleError` where there is none."""
    serving = bundle()
    return _load(serving.folder.resolve(), _written(serving.folder), serving.digest)


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


def estimates(classifier: Classifier, threshold: float) -> dict[str, Estimate]:
    """Held-out estimates of a model at a threshold."""
    bundle = classifier.bundle
    return _estimates(bundle.identity, threshold, bundle.predictions)


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
def _estimates(identity: str, threshold: float, _predictions: pd.DataFrame) -> dict[str, Estimate]:
    return at_threshold(PatientBootstrap(_predictions), threshold)

"""The model in service, loaded once a process and shared by all sessions."""

from pathlib import Path

import pandas as pd
import streamlit as st

from leukemia import bundle as bundles
from leukemia import settings
from leukemia.clinic.classifier import Classifier
from leukemia.learning import metrics


def classifier() -> Classifier:
    """The model in service; raises :class:`leukemia.errors.BundleError` where there is none."""
    folder = settings.load().model.resolve()
    return _load(folder, _written(folder / bundles.RECORD))


def bundle() -> bundles.Bundle:
    """The record of the model in service, its network not loaded; raises as :func:`classifier` does."""
    folder = settings.load().model.resolve()
    return _read(folder, _written(folder / bundles.RECORD))


def figures(classifier: Classifier, threshold: float) -> dict[str, metrics.Figure]:
    """Held-out figures of a model at a threshold."""
    bundle = classifier.bundle
    return _figures(bundle.digest, threshold, bundle.predictions)


def _written(record: Path) -> tuple[int, int] | None:
    """When the record was written and its size: a newly written bundle is loaded afresh."""
    try:
        found = record.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


@st.cache_resource(max_entries=2, show_spinner="Loading the model …")
def _load(folder: Path, written: tuple[int, int] | None) -> Classifier:
    return Classifier.load(folder)


@st.cache_resource(max_entries=2, show_spinner=False)
def _read(folder: Path, written: tuple[int, int] | None) -> bundles.Bundle:
    return bundles.read(folder)


# Held-out predictions carry no image, so that a shared cache is harmless here.
@st.cache_data(max_entries=512, show_spinner=False)
def _figures(digest: str, threshold: float, _predictions: pd.DataFrame) -> dict[str, metrics.Figure]:
    return metrics.at_threshold(_predictions, threshold)

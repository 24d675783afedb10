"""The data folder's catalogue and the model in service, opened once a process."""

from pathlib import Path

import streamlit as st

from leukemia.bundles.bundle import Bundle
from leukemia.dataset.catalog import catalog as catalogs
from leukemia.dataset.catalog.catalog import Catalog
from leukemia.errors import BundleError
from pages.components import model_in_service


def model() -> tuple[Bundle | None, str]:
    """The model in service, or None and why there is none."""
    try:
        return model_in_service.bundle(), ""
    except BundleError as error:
        return None, str(error)


def catalog(data: Path) -> Catalog:
    """The cells of a prepared folder as they are now; raises DatasetError where it is not prepared."""
    bundle, _ = model()
    data = Path(data).resolve()
    return _open(data, catalogs.stamp(data), bundle.identity if bundle else "", bundle)


# Rows of the manifest, no image. One at a time: a manifest of a million rows takes half a gigabyte.
@st.cache_resource(max_entries=1, show_spinner="Reading the manifest …")
def _open(data: Path, stamp: tuple[object, ...], identity: str, _bundle: Bundle | None) -> Catalog:
    if _bundle is None:
        return catalogs.open_catalog(data)
    return catalogs.open_catalog(
        data,
        _bundle.predictions,
        _bundle.threshold,
        band=_bundle.band,
        groups=_bundle.record.split.groups(),
        synthetic=_bundle.synthetic,
    )

"""The set at a glance: how much of what, from how many patients, how large and how bright."""

from pathlib import Path

import streamlit as st

from leukemia.classes import ALL, NORMAL
from leukemia.dataset.catalog import summary
from leukemia.dataset.catalog.catalog import Catalog
from leukemia.dataset.catalog.filters import UNKNOWN
from leukemia.markdown import plain
from leukemia.plots import class_bars, dataset_overview
from leukemia.plots.chart import Chart, Drawing
from pages.components import charts
from pages.sections.dataset import resources

SYNTHETIC = (
    "All cells here are synthetic drawings. They show how the page works and say nothing about patients."
)
GROUPS = "Patients who share an identical or near-identical image count as one group."


def show(data: Path) -> None:
    """Lay out the section for the prepared folder."""
    catalog = resources.catalog(data)
    if catalog.synthetic:
        st.info(SYNTHETIC, icon=":material/draw:")
    _numbers(catalog)
    sources = summary.by_source(catalog)
    st.html(class_bars.STYLE)
    _side_by_side(
        dataset_overview.images_by_source(sources, catalog.tally()),
        dataset_overview.patients_by_source(sources),
    )
    charts.wait_for_paint()
    if counts := summary.images_per_patient(catalog):
        _chart(dataset_overview.images_per_patient(counts))
    _split(catalog)
    _side_by_side(
        dataset_overview.cell_size(
            summary.histogram(catalog, "cell_area"), summary.group_medians(catalog, "cell_area")
        ),
        dataset_overview.size_by_source(summary.quantiles(catalog, "cell_area")),
    )
    left, right = st.columns(2, gap="medium")
    with left:
        _brightness(data, catalog)
    with right:
        _chart(dataset_overview.frame_sizes(summary.frames(catalog)))


def _numbers(catalog: Catalog) -> None:
    tally = catalog.tally()
    shown = {
        "Images": tally.images,
        ALL: tally.all,
        NORMAL: tally.normal,
        "Unlabelled": tally.unlabelled,
        "Patients": tally.patients,
        "Patient groups": tally.groups,
    }
    with st.container(horizontal=True):
        for name, count in shown.items():
            st.metric(name, f"{count:,}", help=GROUPS if "groups" in name else None, width=120)


def _split(catalog: Catalog) -> None:
    bundle, why = resources.model()
    subsets = summary.by_subset(catalog)
    if (subsets["subset"] == UNKNOWN).all():
        st.markdown("**Split composition**")
        st.caption(
            f"{plain(why)} Each model has its own split: every training assigns the patients to subsets "
            "again."
            if bundle is None
            else "The model in service was trained on another set: no image here is part of its split."
        )
        return
    _side_by_side(
        dataset_overview.split_images(subsets),
        dataset_overview.split_groups(subsets, *summary.groups_in_two_subsets(catalog)),
    )


def _brightness(data: Path, catalog: Catalog) -> None:
    bars = summary.histogram(catalog, "brightness")
    complete = resources.measure_brightness(data)
    if not bars.empty:
        medians = summary.group_medians(catalog, "brightness")
        _chart(dataset_overview.brightness(bars, medians, complete=complete))


def _side_by_side(left: Chart | Drawing, right: Chart | Drawing) -> None:
    for column, chart in zip(st.columns(2, gap="medium"), (left, right), strict=True):
        with column:
            _chart(chart)


def _chart(chart: Chart | Drawing) -> None:
    if isinstance(chart, Chart):
        charts.show(chart)
        return
    st.html(chart.html)
    st.caption(plain(chart.caption))

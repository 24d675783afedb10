"""What the set holds at a glance: how much, of whom, how large and how bright."""

from pathlib import Path

import plotly.graph_objects as go
import streamlit as st

from leukemia.dataset.catalog import summary
from leukemia.dataset.catalog.catalog import Catalog
from leukemia.dataset.catalog.filters import UNKNOWN
from leukemia.markdown import plain
from pages.sections.dataset import charts, measurement, notices, resources

PIXELS = "Cell size (frame pixels)"
LUMA = "Mean luma of the cell's pixels (0 black to 255 white)"
BOXES = "Boxes hold half of the cells, whiskers 90 %."
SYNTHETIC = "All cells here are synthetic drawings: they show how the page works and say nothing of patients."


def show(data: Path) -> None:
    """Lay the section out."""
    catalog = resources.catalog(data)
    if catalog.synthetic:
        st.info(SYNTHETIC, icon=":material/draw:")
    _numbers(catalog)
    sources = summary.by_source(catalog)
    left, right = st.columns(2, gap="medium")
    with left:
        _chart(charts.counts(sources, "images", "Images by class and source"), notices.images(catalog))
    with right:
        _chart(charts.counts(sources, "patients", "Patients by class and source"), notices.patients(sources))
    if found := summary.images_per_patient(catalog):
        _chart(charts.tail(found), notices.tail(found))
    _split(catalog)
    left, right = st.columns(2, gap="medium")
    with left:
        spread = summary.histogram(catalog, "cell_area")
        _chart(charts.spread(spread, "Cell size by class", PIXELS), notices.sizes(catalog))
    with right:
        boxes = summary.quantiles(catalog, "cell_area")
        title = "Cell size by source and class"
        _chart(charts.boxes(boxes, title, PIXELS), f"{BOXES} {notices.size_by_source(boxes)}")
    left, right = st.columns(2, gap="medium")
    with left:
        _brightness(data, catalog)
    with right:
        frames = summary.frames(catalog)
        _chart(charts.frames(frames), notices.frames(frames))


def _numbers(catalog: Catalog) -> None:
    tally = catalog.tally()
    shown = {
        "Images": tally.images,
        "ALL": tally.all,
        "Normal": tally.normal,
        "Unlabelled": tally.unlabelled,
        "Patients": tally.patients,
        "Patient groups": tally.groups,
    }
    with st.container(horizontal=True):
        for name, count in shown.items():
            meaning = "Patients that share an identical image count as one." if "groups" in name else None
            st.metric(name, f"{count:,}", help=meaning, width=120)


def _split(catalog: Catalog) -> None:
    bundle, why = resources.model()
    parts = summary.by_subset(catalog)
    if (parts["subset"] == UNKNOWN).all():
        st.markdown("**Split composition**")
        st.caption(
            f"{plain(why)} A split comes with a model: each training deals whole patients anew."
            if bundle is None
            else "The model in service learned from another set: no image here is part of its split."
        )
        return
    left, right = st.columns(2, gap="medium")
    with left:
        title = "Split composition: images"
        _chart(charts.parts(parts, "images", title), notices.split(parts))
    with right:
        title = "Split composition: patient groups"
        _chart(charts.parts(parts, "groups", title), notices.sides(*summary.groups_in_two_subsets(catalog)))


def _brightness(data: Path, catalog: Catalog) -> None:
    spread = summary.histogram(catalog, "brightness")
    measured = measurement.note(data)
    if not spread.empty:
        notice = notices.brightness(catalog)
        _chart(
            charts.spread(spread, "Cell brightness by class", LUMA),
            notice if measured else f"Of the cells measured so far. {notice}",
        )


def _chart(figure: go.Figure, notice: str) -> None:
    """A chart and what to notice in it."""
    st.plotly_chart(figure, config={"displayModeBar": False})
    st.caption(notice)

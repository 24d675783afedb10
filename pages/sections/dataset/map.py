"""Cells placed by what the model sees in them; what is lassoed opens in the gallery."""

from pathlib import Path

import pandas as pd
import streamlit as st

from leukemia import jobs
from leukemia.bundles.bundle import Bundle
from leukemia.dataset import manifest
from leukemia.dataset.catalog import catalog as catalogs
from leukemia.dataset.catalog.filters import Filters
from leukemia.inference import embedding
from leukemia.jobs import JobKind, JobStatus
from leukemia.markdown import plain
from pages.components import flash, job_status
from pages.sections.dataset import address, cell_detail, grid, hover_picture, map_chart, resources

KIND = JobKind.MAP
CHART, OPENED = "map-chart", "map-opened"
PREVIEW = 12
ABOUT = (
    "Each dot is a cell, placed by the features that the network's last layer weighs: cells that the model "
    "sees alike lie close together. Draw a lasso or a box about some to see them and to open them in the "
    "gallery; click a dot for one. "
)
LAYOUT_NOTES = {
    "UMAP": "UMAP keeps neighbours together; the distance between groups and the axes mean nothing.",
    "PCA": "PCA shows the two directions of the largest spread; distances along them can be compared.",
}


def show(data: Path) -> None:
    """Lay the section out."""
    data = Path(data).resolve()
    catalog = resources.catalog(data)
    bundle, why = resources.model()
    if bundle is None:
        st.info(
            f"{plain(why)} The map is made with the features of the model in service.", icon=":material/map:"
        )
        return
    flash.show(job_status.FLASH)
    places = _places(data, _stamp(data), bundle.identity, bundle)
    if places is None:
        _make(data, catalog.total, bundle)
        return
    _explore(data, bundle)
    if address.cell():
        cell_detail.show(data, [])


def _stamp(data: Path) -> tuple[object, ...]:
    job = jobs.latest(data, KIND)
    return catalogs.stamp(data), job.folder.name if job else "", bool(job and jobs.state(job).active)


# Places and numbers, no image; one set and model at a time.
@st.cache_resource(max_entries=1, show_spinner="Reading the map …")
def _places(data: Path, stamp: tuple[object, ...], identity: str, _bundle: Bundle) -> pd.DataFrame | None:
    cells = manifest.read(data)
    found = embedding.cached(_bundle, data, cells)
    if found is None:
        return None
    catalog = resources.catalog(data)
    known = catalog.query(
        "SELECT path, label, patient::VARCHAR AS patient, subset::VARCHAR AS subset, outcome, review, "
        "probability AS held_out "
        "FROM cells JOIN names USING (row)"
    )
    places = found.merge(known, on="path").reset_index(drop=True)
    # What a network says that did not learn from the patient is worth more than what this one says.
    is_held_out = places["held_out"].notna()
    return places.assign(
        probability=places["held_out"].where(is_held_out, places["probability"]), is_held_out=is_held_out
    )


def _make(data: Path, total: int, bundle: Bundle) -> None:
    job = jobs.latest(data, KIND)
    state = jobs.state(job) if job else None
    if state and state.active:
        job_status.follow(job)
        return
    if state and state.status != JobStatus.DONE:
        job_status.ended(job, state, go_on="Try again")
        return
    st.markdown(
        f"There is no map of these {total:,} images by **{plain(bundle.name)}** yet. It is computed once for "
        "a model, in the background, and kept: some minutes for some thousand images."
    )
    arguments = ["map", "--data", str(data), "--model", str(bundle.folder.resolve())]
    title = f"Map by {bundle.name}"
    st.button(
        "Compute the map",
        type="primary",
        icon=":material/scatter_plot:",
        on_click=job_status.start,
        args=(data, KIND, title, arguments),
    )


@st.fragment
def _explore(data: Path, bundle: Bundle) -> None:
    """The chart and what is picked on it; only this runs again at a pick."""
    if st.session_state.pop(OPENED, False):
        st.rerun()
    places = _places(data, _stamp(data), bundle.identity, bundle)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        layout = st.segmented_control(
            "Placed by", tuple(LAYOUT_NOTES), key="map-layout", default="UMAP", required=True
        )
        colour = st.segmented_control(
            "Coloured by", tuple(map_chart.COLOURINGS), key="map-colour", default="Class", required=True
        )
        patients = ()
        if colour == "Patient":
            patients = st.multiselect(
                "Patients with a colour of their own",
                map_chart.by_size(places),
                default=map_chart.by_size(places)[: map_chart.TONES_OF_PATIENTS],
                max_selections=map_chart.TONES_OF_PATIENTS,
                key="map-patients",
            )
    above = st.container()
    figure, shown = map_chart.draw(places, layout, colour, patients, bundle.threshold)
    picked = st.plotly_chart(
        figure,
        key=CHART,
        on_select="rerun",
        selection_mode=("points", "box", "lasso"),
        config={"scrollZoom": True, "displaylogo": False},
    )
    hover_picture.show(data, CHART)
    st.caption(ABOUT + LAYOUT_NOTES[layout] + map_chart.COLOURINGS[colour])
    chosen = places.iloc[map_chart.rows(picked["selection"]["points"], shown)]
    ids = tuple(dict.fromkeys(chosen["image_id"]))
    with above:
        _told(chosen, ids)
    _preview(data, ids)


def _told(chosen: pd.DataFrame, ids: tuple[str, ...]) -> None:
    """What is picked, and the way to the gallery."""
    labels = chosen["label"].replace("", "unlabelled").value_counts()
    told = ", ".join(f"{count:,} {label}" for label, count in labels.items())
    patients = chosen.loc[chosen["patient"] != "", "patient"].nunique()
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            "Open in the gallery", type="primary", icon=":material/grid_view:", disabled=chosen.empty
        ):
            _to_gallery(ids)
        if chosen.empty:
            st.caption("Nothing is picked: draw a lasso about some cells.")
        else:
            st.markdown(
                f"**{len(chosen):,} {'cell' if len(chosen) == 1 else 'cells'} picked**: {told}; "
                f"{patients:,} {'patient' if patients == 1 else 'patients'}"
            )


def _preview(data: Path, ids: tuple[str, ...]) -> None:
    if not ids:
        return
    records = resources.catalog(data).page(Filters(images=ids[:PREVIEW]), size=PREVIEW)
    grid.show(data, records, key="map-preview", spoken="Some of the picked cells", on_open=_open)
    if len(ids) > PREVIEW:
        st.caption(f"The first {PREVIEW} of {len(ids):,}.")


def _open(image_id: str) -> None:
    cell_detail.open_it(image_id)
    st.session_state[OPENED] = True


def _to_gallery(ids: tuple[str, ...]) -> None:
    st.session_state[address.PICKED_ON_MAP] = list(ids)
    st.query_params.from_dict({address.SECTION: "gallery", address.SELECTION: address.MAP})
    st.rerun()

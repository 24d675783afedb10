"""Cells placed by what the model sees in them; a selection opens in the gallery."""

import base64
from pathlib import Path

import pandas as pd
import streamlit as st

from leukemia import jobs
from leukemia.bundles.bundle import Bundle
from leukemia.dataset import manifest
from leukemia.dataset.catalog import catalog as catalogs
from leukemia.dataset.catalog.filters import Filters
from leukemia.imaging.thumbnails import Thumbnails
from leukemia.inference import embedding
from leukemia.jobs import JobKind
from leukemia.markdown import plain
from leukemia.plots import cell_map
from pages.components import flash, job_status
from pages.sections.dataset import address, cell_detail, grid, resources

KIND = JobKind.MAP
CHART, OPENED = "map-chart", "map-opened"
PREVIEW = 12
ABOUT = (
    "Each dot is a cell, placed by the features of the network's last layer: cells that look alike to the "
    "model are close together. Draw a lasso or a box around cells to see them and to open them in the "
    "gallery, or click a dot to see one cell. "
)
FOLDER = Path(__file__).parent
HOVER = "map-hover"

# The picture of the cell under the pointer: the chart's own hover can show text only.
_hover = st.components.v2.component(
    "leukemia.hover",
    html='<div class="hovered" aria-hidden="true" hidden></div>',
    css=(FOLDER / "hover.css").read_text(encoding="utf-8"),
    js=(FOLDER / "hover.js").read_text(encoding="utf-8"),
)


def show(data: Path) -> None:
    """Lay out the section for the prepared folder."""
    data = Path(data).resolve()
    catalog = resources.catalog(data)
    bundle, why = resources.model()
    if bundle is None:
        st.info(f"{plain(why)} The map needs the features of the model in service.", icon=":material/map:")
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
    positions = embedding.cached(_bundle, data, cells)
    if positions is None:
        return None
    catalog = resources.catalog(data)
    known = catalog.query(
        "SELECT path, label, patient::VARCHAR AS patient, subset::VARCHAR AS subset, outcome, review, "
        "probability AS held_out "
        "FROM cells JOIN names USING (row)"
    )
    places = positions.merge(known, on="path").reset_index(drop=True)
    # The answer of a network that did not learn from the patient is worth more than this one's.
    is_held_out = places["held_out"].notna()
    return places.assign(
        probability=places["held_out"].where(is_held_out, places["probability"]), is_held_out=is_held_out
    )


def _make(data: Path, total: int, bundle: Bundle) -> None:
    if job_status.unfinished(data, KIND, resume="Try again"):
        return
    st.markdown(
        f"There is no map of these {total:,} images by **{plain(bundle.name)}** yet. It is computed once per "
        "model, in the background: a few minutes for a few thousand images."
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
    """The chart and what is selected on it; only this runs again at a selection."""
    if st.session_state.pop(OPENED, False):
        st.rerun()
    places = _places(data, _stamp(data), bundle.identity, bundle)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        layout = st.segmented_control(
            "Layout", tuple(cell_map.LAYOUTS), key="map-layout", default="UMAP", required=True
        )
        colour = st.segmented_control(
            "Colour by", tuple(cell_map.COLOURINGS), key="map-colour", default="Class", required=True
        )
        patients = ()
        if colour == "Patient":
            patients = st.multiselect(
                "Patients with a colour of their own",
                cell_map.by_size(places),
                default=cell_map.by_size(places)[: cell_map.MAX_PATIENTS],
                max_selections=cell_map.MAX_PATIENTS,
                key="map-patients",
            )
    above = st.container()
    figure, shown = cell_map.draw(places, layout, colour, patients, bundle.operating_point)
    event = st.plotly_chart(
        figure,
        key=CHART,
        on_select="rerun",
        selection_mode=("points", "box", "lasso"),
        config={"scrollZoom": True, "displaylogo": False},
    )
    _hover_picture(data)
    st.caption(ABOUT + cell_map.LAYOUTS[layout] + cell_map.COLOURINGS[colour])
    selected = places.iloc[cell_map.selected_rows(event["selection"]["points"], shown)]
    ids = tuple(dict.fromkeys(selected["image_id"]))
    with above:
        _selection(selected, ids)
    _preview(data, ids)


@st.fragment
def _hover_picture(data: Path) -> None:
    """Follow the pointer over the chart; only this runs again when it meets a dot."""
    image_id = (st.session_state.get(HOVER) or {}).get("over") or ""
    picture = b""
    if image_id:
        records = resources.catalog(data).page(Filters(images=(image_id,)), size=1)
        cells = [(record.image_id, record.path) for record in records]
        picture = Thumbnails(data).get(cells).get(image_id, b"")
    given = {"chart": CHART, "id": image_id, "picture": base64.b64encode(picture).decode("ascii")}
    _hover(key=HOVER, data=given, on_over_change=lambda: None)


def _selection(selected: pd.DataFrame, ids: tuple[str, ...]) -> None:
    """What is selected, and the way to the gallery."""
    labels = selected["label"].replace("", "unlabelled").value_counts()
    by_label = ", ".join(f"{count:,} {label}" for label, count in labels.items())
    patients = selected.loc[selected["patient"] != "", "patient"].nunique()
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            "Open in the gallery", type="primary", icon=":material/grid_view:", disabled=selected.empty
        ):
            _to_gallery(ids)
        if selected.empty:
            st.caption("Nothing is selected. Draw a lasso around some cells.")
        else:
            st.markdown(
                f"**{len(selected):,} {'cell' if len(selected) == 1 else 'cells'} selected**: {by_label}; "
                f"{patients:,} {'patient' if patients == 1 else 'patients'}"
            )


def _preview(data: Path, ids: tuple[str, ...]) -> None:
    if not ids:
        return
    records = resources.catalog(data).page(Filters(images=ids[:PREVIEW]), size=PREVIEW)
    grid.show(data, records, key="map-preview", spoken="Some of the selected cells", on_open=_open)
    if len(ids) > PREVIEW:
        st.caption(f"The first {PREVIEW} of {len(ids):,}.")


def _open(image_id: str) -> None:
    cell_detail.open_it(image_id)
    st.session_state[OPENED] = True


def _to_gallery(ids: tuple[str, ...]) -> None:
    st.session_state[address.SELECTED_ON_MAP] = list(ids)
    st.query_params.from_dict({address.SECTION: "gallery", address.SELECTION: address.MAP})
    st.rerun()

"""How good a model version is, where it fails, what a threshold costs: from held-out predictions alone."""

import streamlit as st

from leukemia.errors import LeukemiaError
from leukemia.markdown import plain
from leukemia.registry.versions import Version
from pages.components import address_field, entry, figures_by_source, heading, model_panel, section_picker
from pages.sections.performance import (
    calibration,
    card,
    compare,
    errors,
    operating_point,
    patients,
    prevalence,
    resources,
    save_threshold,
    sources,
    subgroups,
    threshold_picker,
    verify,
)

# A section's word in the address, and what lays it out, given the version and what was picked.
SECTIONS = {
    "threshold": operating_point.show,
    "sources": sources.show,
    "prevalence": prevalence.show,
    "calibration": calibration.show,
    "patients": patients.show,
    "errors": errors.show,
    "subgroups": subgroups.show,
    "compare": None,
    "verify": None,
    "card": card.show,
}
PURPOSE = (
    "How often a model is right about ALL (acute lymphoblastic leukemia) in patients it has never seen. Read "
    "the worst source first."
)
VERSION = "version"
CHOICE = "performance-version"
UNLISTED = "Versions registered there are missing from this list."
NONE = "No model version can be read. Train one, or put a bundle in the folder of the model in service."


def main() -> None:
    """Lay out the page for the version and the section that the address names."""
    heading.show("Performance", PURPOSE)
    versions, trouble = resources.versions()
    if trouble:
        st.warning(plain(f"{trouble} {UNLISTED}"), icon=":material/cloud_off:")
    readable = [one for one in versions if not one.problem]
    _broken([one for one in versions if one.problem], expanded=not readable)
    if not readable:
        st.info(NONE, icon=":material/folder_off:")
        return
    version = resources.fetched(_version(readable))
    if version.bundle is None:
        st.error(plain(f"{resources.name(version)}: {version.problem}"), icon=":material/error:")
        return
    model_panel.warnings(version.bundle)
    _work(version, readable, section_picker.pick("performance", SECTIONS, keep=[VERSION]))


def _broken(versions: list[Version], expanded: bool) -> None:
    if not versions:
        return
    words = "1 model version" if len(versions) == 1 else f"{len(versions)} model versions"
    with st.expander(f"{words} cannot be read", icon=":material/warning:", expanded=expanded):
        for one in versions:
            st.markdown(f"- **{plain(one.name)}**: {plain(one.problem)}")


def _version(readable: list[Version]) -> Version:
    by_folder = {str(one.folder): one for one in readable}
    if new := st.session_state.pop(save_threshold.NEXT, ""):
        st.query_params[VERSION] = new
    word = st.query_params.get(VERSION, "")
    asked = [folder for folder, one in by_folder.items() if one.answers_to(word)] or list(by_folder)
    now = address_field.shown(CHOICE)

    def write(folder: str) -> None:
        st.query_params[VERSION] = by_folder[folder].word

    chosen = st.selectbox(
        "Model version",
        list(by_folder),
        format_func=lambda folder: resources.name(by_folder[folder]),
        **address_field.follow(CHOICE, now if now in asked else asked[0], write),
    )
    return by_folder[chosen]


# A press within runs this function again and not the page.
@st.fragment
def _work(version: Version, readable: list[Version], section: str) -> None:
    if save_threshold.NEXT in st.session_state:
        st.rerun()  # a version was saved: the page opens it
    if section == "verify":
        verify.show(version)  # at the version's own threshold
        return
    try:
        resources.held_out_curves(version.bundle)  # raises where a class is absent
        picked = threshold_picker.operating_point(version.bundle)
        figures_by_source.lead(version.bundle, picked.point)
        if section == "compare":
            compare.show(version, picked, readable)
        else:
            SECTIONS[section](version, picked)
    except LeukemiaError as error:
        st.info(plain(str(error)), icon=":material/info:")


entry.enter()
main()

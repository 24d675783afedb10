"""A version beside the one in service, and what can be done with it: promote it, mark it as challenger."""

from pathlib import Path

import streamlit as st

from leukemia import attribution, settings
from leukemia.access.permissions import Action
from leukemia.errors import LeukemiaError
from leukemia.evaluation import comparison
from leukemia.markdown import plain
from leukemia.plots import times
from leukemia.registry import promotion, versions
from leukemia.registry.versions import Version
from leukemia.tracking.records import CHALLENGER
from pages.components import flash, identity, offer
from pages.sections.performance import compare, resources
from pages.sections.training import version_in_service

KEY = "training-change-"
WHO, WHY = KEY + "who", KEY + "why"
# Where the registry cannot be asked for a moment, what was typed is there again afterwards.
DRAFT = KEY + "draft"
NEEDED = "Not promoted. Please give your name and a reason; both are kept with the version."
UNREAD = "Not promoted. Please read the warnings and tick the box to confirm."
CHANGED = "Not promoted. The version in service has just changed: read the new warnings, then promote again."
NOTHING_IN_SERVICE = "The model in service cannot be read, so there is nothing to compare with."
HOW_TO_READ = (
    "▲ better, ▼ worse, ○ too few patients to be sure. Paired: each resample draws the same patients for "
    "both. A threshold that finds more ALL cells also raises more false alarms: read both rates together."
)


def show(data: Path, number: int) -> None:
    """Show a registered version with its comparison and its buttons."""
    with st.container(border=True):
        st.markdown(f"**Model version {number}**")
        _compare(number)
        st.page_link(
            "pages/performance.py",
            label=f"Version {number} on the Performance page",
            icon=":material/monitoring:",
            query_params={"version": str(number)},
        )
        _show_changes(data, number)


def _compare(number: int) -> None:
    """Compare it with the one in service on the cells that both held out, each at its own threshold."""
    st.markdown("**Compared with the version in service**")
    version = resources.numbered(number)
    if version.problem:
        st.error(plain(version.problem), icon=":material/error:")
        return
    served = resources.served()
    if served is None or not served.bundle:
        st.error(plain(served.problem) if served else NOTHING_IN_SERVICE, icon=":material/error:")
        return
    if served.number == number:
        st.caption("This is the version in service.")
        return
    try:
        paired = compare.paired(
            [served, version], [served.bundle.operating_point, version.bundle.operating_point]
        )
    except LeukemiaError as error:
        st.info(f"{plain(str(error))} The two cannot be compared here.", icon=":material/info:")
        return
    for one in (served, version):
        if one.bundle.leaky:
            st.warning(compare.LEAKY.format(plain(resources.name(one))), icon=":material/warning:")
    (differences,) = paired.against_first
    st.markdown("  \n".join(compare.marked(one) for one in differences if one.name in compare.FIRST))
    st.caption(
        f"{plain(_cells(paired, served, version))} In service: {plain(resources.name(served))}, at its own "
        f"threshold {served.bundle.threshold:.4f}; version {number} at "
        f"{version.bundle.threshold:.4f}. {HOW_TO_READ}"
    )
    with st.expander("All metrics side by side"):
        table = compare.table(differences, "in service", f"version {number}")
        st.dataframe(table, hide_index=True)


def _cells(paired: compare.Paired, served: Version, version: Version) -> str:
    predictions = [served.bundle.predictions, version.bundle.predictions]
    names = ["the model in service", f"version {version.number}"]
    return comparison.on_shared(paired.of.frame, predictions, names)


def _show_changes(data: Path, number: int) -> None:
    """Offer to promote it; for the version in service, say since when and why it is."""
    try:
        version = versions.version(data, number)
        warnings = () if version.in_service else _warnings(data, version)
    except LeukemiaError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    if version.in_service:
        if version.events:
            last = version.events[-1]
            st.caption(f"Since {times.when(last.at)}, by {plain(last.by)}: {plain(last.reason)}")
        return
    st.markdown(f"**Put version {number} in service**")
    if offer.allowed(Action.PROMOTE):
        _show_promotion(data, version, warnings)
        _show_challenger(data, version)


def _warnings(data: Path, version: Version) -> tuple[str, ...]:
    """What must be read first; computed once for what is in service now and this version."""
    now = versions.registry_state(data).champion
    return _reviewed(data, version.number, version.record_sha256, now, settings.load().model_given)


@st.cache_data(max_entries=16, show_spinner="Comparing with the version in service …")
def _reviewed(data: Path, number: int, checksum: str, now: int | None, model_given: bool) -> tuple[str, ...]:
    return promotion.warnings(data, versions.version(data, number))


def _show_promotion(data: Path, version: Version, warnings: tuple[str, ...]) -> None:
    for text in warnings:
        st.warning(plain(text), icon=":material/warning:")
    who, why, ticked = st.session_state.get(DRAFT, (identity.name(), "", ""))
    st.session_state.setdefault(WHO, who)
    st.session_state.setdefault(WHY, why)
    # What was ticked holds for these warnings of this version and for no others.
    read = f"{KEY}read-{version.number}-{hash(warnings)}"
    st.session_state.setdefault(read, ticked == read)
    with st.form(f"{KEY}promote-{version.number}", border=False):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            identity.field(st, "Your name", key=WHO, width=220)
            st.text_input("Reason", key=WHY, max_chars=attribution.MAX_WHY, width=400)
        if warnings:
            st.checkbox("I have read the warnings", key=read)
        st.form_submit_button(
            f"Promote version {version.number}",
            type="primary",
            icon=":material/publish:",
            on_click=_promote,
            args=(data, version.number, warnings, read),
        )
    st.caption(
        "It will then classify cells on the Classify page for everyone. Your name and reason are kept "
        "permanently."
    )


def _promote(data: Path, number: int, warnings: tuple[str, ...], read: str) -> None:
    state = st.session_state
    who, why = state.get(WHO, "").strip(), state.get(WHY, "").strip()
    state[DRAFT] = (who, why, read if state.get(read) else "")
    if not who or not why:
        flash.put(version_in_service.FLASH, flash.ERROR, NEEDED)
        return
    if warnings and not state.get(read):
        flash.put(version_in_service.FLASH, flash.ERROR, UNREAD)
        return
    try:
        if set(_warnings(data, versions.version(data, number))) - set(warnings):
            flash.put(version_in_service.FLASH, flash.WARNING, CHANGED)
            return
        done = promotion.promote(data, number, who, why)
    except LeukemiaError as error:
        flash.put(version_in_service.FLASH, flash.ERROR, f"Not promoted. {error}")
        return
    identity.remember(who)
    state[DRAFT] = (who, "", "")
    state[WHY] = ""
    earlier = version_in_service.name(done.event.earlier)
    version_in_service.announce(f"Version {number} was put in service in place of {earlier}.")


def _show_challenger(data: Path, version: Version) -> None:
    marked = CHALLENGER in version.aliases
    st.button(
        "Remove the challenger mark" if marked else "Mark as challenger",
        key=KEY + "challenge",
        icon=":material/visibility_off:" if marked else ":material/visibility:",
        help="The challenger is the version under evaluation. The version in service stays the same.",
        on_click=_mark,
        args=(data, version.number, marked),
    )


def _mark(data: Path, number: int, marked: bool) -> None:
    try:
        promotion.challenge(data, None if marked else number)
    except LeukemiaError as error:
        flash.put(version_in_service.FLASH, flash.ERROR, str(error))
        return
    now = "is no longer" if marked else "is now"
    flash.put(version_in_service.FLASH, flash.SUCCESS, f"Version {number} {now} the challenger.")

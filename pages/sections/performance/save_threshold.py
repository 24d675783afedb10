"""Threshold and limits saved as a model version of their own, with who and why."""

import streamlit as st

from leukemia import attribution, settings
from leukemia.access.permissions import Action
from leukemia.bundles.schema import Change
from leukemia.errors import LeukemiaError
from leukemia.markdown import plain
from leukemia.operating_point import OperatingPoint
from leukemia.registry import rethreshold
from leukemia.registry.versions import Version
from pages.components import flash, identity, offer
from pages.sections.performance import resources
from pages.sections.performance.threshold_picker import Picked

# Where the number of a version just saved waits for the page to open it.
NEXT = "performance-next"
FLASH = "performance"
WHO, WHY = "performance-who", "performance-why"


def show(version: Version, picked: Picked, sensitivity: float) -> None:
    """Lay out what was changed before and the form; ``sensitivity`` is the one at the threshold, 0 to 1."""
    own = picked.point == version.bundle.operating_point
    waits = flash.waits(FLASH)
    with st.expander("Save threshold and limits as a new version", icon=":material/save:", expanded=waits):
        flash.show(FLASH)
        for change in version.bundle.record.changes:
            st.markdown(_line(change))
        st.caption(
            "The network stays the same; the figures and the model card are updated for the chosen threshold "
            f"and limits. {plain(version.name)} and the model in service do not change."
        )
        if version.number:
            st.page_link(
                "pages/training.py",
                label=f"Put version {version.number} in service on the Training page",
                icon=":material/publish:",
                query_params={"section": "runs", "run": version.run_id},
            )
        if own:
            st.caption("To save, first choose other limits than the model's own.")
        if not offer.allowed(Action.ADD_VERSIONS):
            return
        with st.form("performance-save", border=False):
            st.session_state.setdefault(WHO, identity.name())
            left, right = st.columns([2, 3])
            identity.field(left, "Your name", key=WHO)
            right.text_input("Reason", key=WHY, max_chars=attribution.MAX_WHY)
            st.form_submit_button(
                f"Save {_short(picked.point)} as a new version",
                icon=":material/save:",
                disabled=own,
                on_click=_save,
                args=(version, picked, picked.target or round(sensitivity, 4)),
            )


def _line(change: Change) -> str:
    when, old, new = change.at[:16].replace("T", " "), change.limits_old, change.limits_new
    limits = f" (limits {old.low:.4f} and {old.high:.4f} → {new.low:.4f} and {new.high:.4f})" if new else ""
    return (
        f"{plain(when)} UTC, **{plain(change.who)}**: {change.old:.4f} → {change.new:.4f}{limits}, "
        f"{plain(change.chosen)}. {plain(change.reason)}"
    )


def _short(point: OperatingPoint) -> str:
    return f"{point.low:.4f} and {point.high:.4f}" if point.abstains else f"{point.threshold:.4f}"


def _save(version: Version, picked: Picked, target: float) -> None:
    state = st.session_state
    data = settings.load().data.resolve()
    given = {"who": state[WHO], "reason": state[WHY], "chosen": picked.how, "target": target}
    try:
        number = rethreshold.save(data, version, picked.point, **given)
    except LeukemiaError as error:
        flash.put(FLASH, flash.ERROR, f"Not saved. {error}")
        return
    resources.refresh()
    identity.remember(state[WHO])
    state[WHY] = ""
    state[NEXT] = str(number)
    flash.put(FLASH, flash.SUCCESS, f"Saved as version {number}, with your name and reason.")

"""A version checked on a laboratory's own patients: criterion, cells, result, and all that went before."""

import pandas as pd
import streamlit as st

from leukemia import jobs, settings
from leukemia.jobs import JobKind, JobStatus
from leukemia.markdown import plain
from leukemia.plots import times
from leukemia.registry.versions import Version
from leukemia.reports import verification_wording as wording
from leukemia.storage import spreadsheet
from leukemia.verification import store
from leukemia.verification.store import Verification
from pages.components import flash, job_status
from pages.sections.performance import verify_form, verify_result

NEW = "new"
FLASH = "verify"
ABOUT = (
    "Before you use this version, check it on labelled cells of your own patients, as laboratories verify a "
    "qualitative method (CLSI EP12). First state what you accept, then add the cells."
)


def show(version: Version) -> None:
    """Lay out the verifications of a version, and a new one."""
    data = settings.load().data.resolve()
    st.caption(ABOUT)
    _accepted(version)
    flash.show(FLASH)
    flash.show(job_status.FLASH)
    job = jobs.latest(data, JobKind.VERIFY)
    state = jobs.state(job) if job else None
    if job and state.active:
        st.subheader(plain(job.title))
        job_status.follow(job)
        return
    every = store.every(data)
    own = [one for one in every if one.of(version.bundle)]
    chosen = _choice(own)
    if chosen is None:
        verify_form.state(data, version)
    elif chosen.result is None:
        # Its cells may have been refused; what was brought can be put right under the same criterion.
        if job and chosen.id in job.arguments and state.status != JobStatus.DONE:
            job_status.ended(job, state, resume="Try again")
        verify_form.bring(chosen, version)
    else:
        verify_result.show(chosen, version)
    _list(every)


def _accepted(version: Version) -> None:
    if site := version.bundle.record.site:
        st.info(
            plain(f"Accepted for {site.name} by {site.who}, {times.when(site.at)}: {site.reason}"),
            icon=":material/verified:",
        )


def _choice(own: list[Verification]) -> Verification | None:
    """The verification to show, the newest one at first; None for a new one."""
    if not own:
        return None
    by_id = {one.id: one for one in own}
    options = [*by_id, NEW]
    if st.session_state.get(verify_form.CHOSEN) not in options:
        st.session_state[verify_form.CHOSEN] = options[0]
    chosen = st.selectbox(
        "Verification",
        options,
        key=verify_form.CHOSEN,
        format_func=lambda name: "New verification" if name == NEW else _name(by_id[name]),
    )
    return by_id.get(chosen)


def _name(one: Verification) -> str:
    return f"{times.when(one.stated.at)}, {one.stated.site}: {_outcome(one)}"


def _outcome(one: Verification) -> str:
    if one.accepted:
        return f"accepted as version {one.accepted.version}"
    return wording.outcome(one.result) if one.result else "waiting for cells"


def _list(every: list[Verification]) -> None:
    if not every:
        return
    rows = [
        {
            "stated": times.when(one.stated.at),
            "laboratory": one.stated.site,
            "version": f"{one.stated.model.name} ({one.stated.model.recipe})",
            "sensitivity at least": f"{one.stated.criterion.sensitivity:.1%}",
            "specificity at least": f"{one.stated.criterion.specificity:.1%}",
            "confidence": f"{one.stated.criterion.confidence:.0%}",
            "result": _outcome(one),
            "by": one.stated.who,
        }
        for one in every
    ]
    with st.expander(f"All verifications ({len(rows)})", icon=":material/list:"):
        st.dataframe(spreadsheet.inert_texts(pd.DataFrame(rows)), hide_index=True)

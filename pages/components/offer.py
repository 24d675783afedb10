"""What a page offers to whoever may do it; the package asks again when it is done."""

import streamlit as st

from leukemia.access import ownership, permissions
from leukemia.access.permissions import NEEDS, Action
from leukemia.errors import AccessError
from leukemia.jobs import Job, WaitingJob
from pages.components import identity


def may(action: Action) -> bool:
    """Whether whoever sits before the page may do it."""
    try:
        return permissions.may(identity.user(), action)
    except AccessError:
        return False


def may_change(job: Job | WaitingJob) -> bool:
    """Whether whoever sits before the page may cancel a job, or remove it from the queue."""
    try:
        user = identity.user()
        return permissions.may(user, ownership.action(user, job.owner))
    except AccessError:
        return False


def allowed(action: Action) -> bool:
    """Whether it may be done; where not, the page says which role it takes."""
    if may(action):
        return True
    st.caption(f":material/lock: To {action}, you need the role {NEEDS[action]}.")
    return False

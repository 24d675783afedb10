"""Who sits in front of the page."""

import streamlit as st

# A name that was given once serves the whole visit, on every page.
NAME = "reviewer"


def name() -> str:
    """Who is signed in, or gave a name before; empty where nobody did."""
    if st.user.get("is_logged_in"):
        return str(st.user.get("name") or st.user.get("email") or "")
    return st.session_state.get(NAME, "")


def remember(who: str) -> None:
    """Keep a name for the rest of the visit."""
    if who.strip():
        st.session_state[NAME] = who.strip()

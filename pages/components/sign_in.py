"""Signing in with the house's own provider: who sits before the page, checked anew at each run and action."""

import functools
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from leukemia import settings
from leukemia.access import roles, sessions
from leukemia.access.provider import Provider
from leukemia.access.sessions import Limits, SignIn
from leukemia.access.users import LOCAL, Role, User
from leukemia.errors import AccessError, LeukemiaError, SessionEndedError
from leukemia.markdown import plain
from pages.components import identity, records, streamlit_internals, streamlit_runs

NO_ROLE = "You are signed in as {name}, but have no role here. Ask who manages access."
ALONE = (
    "Nothing is shown at this address. Start the dashboard with `make run`, or `streamlit run server.py`: "
    "only then does it keep others out."
)
# Shortest secret by which the cookie is signed.
SECRET = 32
TROUBLE = "The dashboard was not started: {what} See docs/access.md."


def trouble() -> str:
    """What is wrong with how sign-in is set up, in a sentence; empty where nothing is."""
    if missing := streamlit_internals.sign_in_trouble():
        return TROUBLE.format(what=f"{missing.rstrip('.')}.")
    given = streamlit_internals.sign_in_settings()
    if len(str(given["cookie_secret"])) < SECRET:
        return TROUBLE.format(what=f"cookie_secret must have at least {SECRET} random characters.")
    if streamlit_internals.option("server.trustedUserHeaders"):
        return TROUBLE.format(what="server.trustedUserHeaders would let a request name its own user.")
    return ""


def user() -> User:
    """Who acts now, for the package; see :func:`leukemia.access.acting.ask`.

    Raises
    ------
    SessionEndedError
        Where nobody is signed in, or the session has ended.
    AccessError
        Where the roles cannot be known.
    """
    return _user(streamlit_internals.claims())


def is_allowed(claims: Mapping[str, Any], *, active: bool | None = None) -> bool:
    """Whether whoever has these claims may go on with what the page shows.

    Parameters
    ----------
    claims : mapping
        What the provider said of them, checked; empty where nobody signed in.
    active : bool, optional
        Whether a person does something; by default, whether what runs now was asked for by somebody's hand.
    """
    try:
        return Role.VIEWER in _user(claims, active).roles
    except LeukemiaError:
        return False


def gate() -> bool:
    """Whether the page may be shown; where not, what to do is shown in its place."""
    if streamlit_internals.is_run_alone():
        st.error(ALONE, icon=":material/lock:")
        return False
    try:
        given = identity.user()
    except SessionEndedError as error:
        _ask(str(error))
        return False
    except AccessError as error:
        st.error(plain(str(error)), icon=":material/lock:")
        _leave()
        return False
    if Role.VIEWER not in given.roles:
        st.info(plain(NO_ROLE.format(name=given.name)), icon=":material/lock:")
        _leave()
        return False
    return True


def show(bar: DeltaGenerator) -> None:
    """Say in a bar who is signed in, and as what, with a way to sign out; nothing where nobody has to."""
    given = identity.user()
    if given.is_signed_in:
        with bar.container(horizontal=True, vertical_alignment="center", width="content"):
            named = ", ".join(role for role in Role if role in given.roles - {Role.VIEWER}) or Role.VIEWER
            st.caption(f"{plain(given.name)} ({named})", width="content")
            _leave()


def _user(claims: Mapping[str, Any], active: bool | None = None) -> User:
    if not streamlit_internals.has_sign_in():
        return LOCAL
    given = settings.load()
    signed_in = SignIn.of(claims)
    limits = Limits(timedelta(minutes=given.idle_minutes), timedelta(hours=given.session_hours))
    if active is None:
        active = not streamlit_runs.is_automatic_run()
    name = sessions.check(given.data, signed_in, limits, active=active)
    said = functools.partial(_said_now, claims, timedelta(minutes=given.claim_minutes))
    return User.of(name, signed_in.subject, roles.of(claims, given.roles, given.roles_claim, said))


def _said_now(claims: Mapping[str, Any], longest: timedelta) -> Mapping[str, Any]:
    """The claims as the provider says them now, where Streamlit hands on the access token that it takes."""
    tokens = claims.get("tokens")
    token = tokens.get("access") if isinstance(tokens, Mapping) else ""
    address = str(streamlit_internals.sign_in_settings()["server_metadata_url"])
    return _provider(address).claims(claims, token or "", longest)


@functools.cache
def _provider(metadata_url: str) -> Provider:
    return Provider(metadata_url)


def _ask(why: str) -> None:
    with st.container(width=520):
        st.header("Sign in", anchor=False)
        st.markdown(plain(why))
        st.button("Sign in", type="primary", icon=":material/login:", on_click=st.login)


def _leave() -> None:
    st.button("Sign out", icon=":material/logout:", type="tertiary", on_click=_sign_out)


def _sign_out() -> None:
    sessions.end(records.data(), SignIn.of(streamlit_internals.claims()))
    st.logout()

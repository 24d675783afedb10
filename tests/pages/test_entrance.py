"""Who the server listens to."""

import pytest
from streamlit.runtime.secrets import AttrDict, secrets_singleton

from leukemia.errors import SettingError
from pages.components import entrance, sign_in, streamlit_internals, streamlit_runs
from pages.components.sign_in_gate import SignInGate
from tests.support.app import dashboard, said


@pytest.mark.parametrize("address", ["localhost", "LOCALHOST", "127.0.0.1", "127.1.2.3", "::1", "[::1]"])
def test_only_this_machine(address):
    assert entrance.is_loopback(address)


@pytest.mark.parametrize("address", [None, "", "0.0.0.0", "::", "192.0.2.7", "10.0.0.1", "localhost.example"])
def test_others_too(address):
    assert not entrance.is_loopback(address)


AUTH = {
    "redirect_uri": "https://cells.example/oauth2callback",
    "cookie_secret": "x" * 32,
    "client_id": "leukemia",
    "client_secret": "secret",
    "server_metadata_url": "https://id.example/.well-known/openid-configuration",
}


@pytest.fixture
def auth(monkeypatch):
    """Have sign-in set up so, at any address."""
    runs, downloads = [], []
    monkeypatch.setattr(streamlit_runs, "before_each_run", runs.append)
    monkeypatch.setattr(streamlit_runs, "before_each_download", lambda *given: downloads.append(given))
    options = {"server.address": "0.0.0.0", "server.trustedUserHeaders": None, "server.baseUrlPath": ""}
    monkeypatch.setattr(streamlit_internals, "option", options.get)

    def start(headers=None, **changes):
        options["server.trustedUserHeaders"] = headers
        section = {name: value for name, value in (AUTH | changes).items() if value is not None}
        secrets = {"auth": AttrDict(section)} if section else {}
        monkeypatch.setattr(secrets_singleton, "load_if_toml_exists", lambda: True)
        monkeypatch.setattr(
            type(secrets_singleton), "get", lambda _, name, default=None: secrets.get(name, default)
        )
        return entrance.Entrance()

    start.runs, start.downloads = runs, downloads
    return start


def test_other_machines_are_answered_where_people_sign_in(auth):
    made = auth()
    assert made.has_sign_in
    assert made.token is None
    assert made.middleware().cls is SignInGate
    assert auth.runs == [sign_in.is_allowed]
    assert auth.downloads == [(sign_in.is_allowed, entrance.ENDED)]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"redirect_uri": None}, "redirect_uri"),
        ({"client_id": None}, "client_id"),
        ({"server_metadata_url": None}, "server_metadata_url"),
        ({"cookie_secret": None}, "cookie_secret"),
        ({"cookie_secret": "x" * 31}, "at least 32 random characters"),
        ({"headers": {"X-User": "email"}}, "trustedUserHeaders"),
    ],
)
def test_sign_in_that_is_set_up_badly_is_a_sentence(auth, changes, why):
    with pytest.raises(SettingError, match=why) as refused:
        auth(**changes)
    assert str(refused.value).startswith("The dashboard was not started: ")
    assert "docs/access.md" in str(refused.value)


def test_a_page_without_the_server_before_it_shows_nothing(monkeypatch):
    monkeypatch.setattr(streamlit_internals, "is_run_alone", lambda: True)
    page = dashboard().run()
    assert "streamlit run server.py" in said(page)
    assert not page.button
    assert not page.title

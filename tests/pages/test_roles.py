"""What pages show to whom, and what a page that was not asked for cannot do all the same."""

import time
from datetime import timedelta

import pytest
import sqlalchemy as sa

from leukemia.access import acting, provider, sessions
from leukemia.access.users import LOCAL
from leukemia.cases import cells, verdicts
from leukemia.errors import AccessError, SessionEndedError
from leukemia.storage import database
from pages.components import sign_in, streamlit_internals
from pages.sections.cases import saving
from tests.support import oidc
from tests.support.app import dashboard, go, labels, open_page, press, said, widget
from tests.support.case_factory import make_case

NOT = {
    "viewer": {"Add cells", "Add a whole slide"},
    "reader": set(),
    "manager": {"Add cells", "Add a whole slide"},
}
NAMES = {"viewer": "Vera", "reader": "Rita", "manager": "Mona"}


@pytest.fixture
def signed_in(monkeypatch, tmp_path, tiny_bundle):
    """Have somebody signed in, by claims as a provider makes them; and the data folder."""
    monkeypatch.setenv("LEUKEMIA_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("LEUKEMIA_MODEL", str(tiny_bundle))
    monkeypatch.setenv("LEUKEMIA_ROLES_CLAIM", "groups")
    monkeypatch.setattr(streamlit_internals, "has_sign_in", lambda: True)
    nowhere = {"server_metadata_url": "http://127.0.0.1:9/.well-known/openid-configuration"}
    monkeypatch.setattr(streamlit_internals, "sign_in_settings", lambda: nowhere)
    monkeypatch.setattr(acting, "_asked", [])
    claims = {}
    monkeypatch.setattr(streamlit_internals, "claims", lambda: dict(claims))
    acting.ask(sign_in.user)

    def start(role, **changes):
        claims.clear()
        claims.update(
            {
                "is_logged_in": True,
                "iss": "https://id.example",
                "sub": role,
                "iat": int(time.time()),
                "name": NAMES.get(role, "Nemo"),
                "groups": [role],
            }
            | changes
        )
        return tmp_path / "data"

    start.claims = claims
    return start


@pytest.fixture
def case(tmp_path):
    """A case that was made on the machine itself."""
    with acting.acting_as(LOCAL):
        return make_case(tmp_path / "data")


def test_whoever_is_not_signed_in_sees_the_way_to_and_nothing_else(signed_in, case):
    page = open_page("cases", case=str(case.id))
    assert [button.label for button in page.button] == ["Sign in"]
    assert case.identifier not in said(page)
    assert "For research use only" in said(page)


def test_whoever_has_no_role_is_told_so(signed_in, case):
    signed_in("cardiology")
    page = open_page("cases", case=str(case.id))
    assert "Nemo, but have no role here" in said(page)
    assert [button.label for button in page.button] == ["Sign out"]
    assert case.identifier not in said(page)


@pytest.mark.parametrize("role", NAMES)
def test_each_role_sees_a_case_and_is_named(signed_in, case, role):
    signed_in(role)
    page = open_page("cases", case=str(case.id))
    assert case.identifier in said(page)
    assert f"{NAMES[role]} ({role})" in said(page)
    assert "Sign out" in [button.label for button in page.button]
    # A viewer is not offered to add anything.
    opened = {one.label for one in page.expander}
    assert {"Add cells", "Add a whole slide"} & opened == ({"Add a whole slide", "Add cells"} - NOT[role])
    assert ("Add cells" in labels(page)) == (role == "reader")


def test_only_a_reader_is_offered_to_begin_a_case_under_the_name_on_record(signed_in):
    signed_in("viewer")
    page = open_page("cases")
    assert "New case" not in labels(page)
    assert "you need the role reader" in said(page)
    signed_in("reader")
    page = open_page("cases")
    assert "New case" in labels(page)
    name = widget(page.text_input, "Your name")
    assert (name.value, name.disabled) == ("Rita", True)
    widget(page.text_input, "Identifier").set_value("P-9")
    press(page, "Begin the case")
    assert "Begun" in said(page) and "by Rita" in said(page)


def test_a_message_that_the_page_never_offered_is_refused(signed_in, case):
    """What a changed browser sends arrives where the grid's own messages do."""
    data = signed_in("viewer")
    forged = {"kind": "give", "numbers": [1], "verdict": "ALL-like", "reader": "Vera", "key": "forged"}

    class State(dict):
        __getattr__ = dict.get

    state = State()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(saving.st, "session_state", state)
        saving.take(data, case.id, {"acts": [forged]})
        assert "you need the role reader" in saving.outcome(case.id)["done"]["forged"]
        assert cells.cells(data, case.id)[0].readings == ()
        signed_in("reader")
        own = forged | {"key": "own", "reader": "Rita"}
        saving.take(data, case.id, {"acts": [forged, own]})
        # What somebody else left in this browser is nobody's here; it waits for her.
        assert saving.outcome(case.id) == {
            "done": {"own": "", "forged": saving.outcome(case.id)["done"]["forged"]},
            "trouble": "",
        }
        saving.take(data, case.id, {"acts": [own, forged | {"key": "hers"}]})
        assert saving.outcome(case.id)["done"] == {"own": ""}
        assert saving.outcome(case.id)["trouble"] == "Vera gave it, and has to sign in again."
    assert [one.reader for one in cells.cells(data, case.id)[0].readings] == ["Rita"]


def test_what_is_sent_after_the_session_has_ended_waits_and_is_not_refused(signed_in, case, monkeypatch):
    data = signed_in("reader", iat=int(time.time()) - 3_600)
    act = {"kind": "give", "numbers": [1], "verdict": "ALL-like", "reader": "Rita", "key": "late"}
    monkeypatch.setattr(saving.st, "session_state", {})
    saving.take(data, case.id, {"acts": [act]})
    told = saving.outcome(case.id)
    assert told["done"] == {}
    assert "Sign in again" in told["trouble"]


def test_a_role_that_was_taken_away_is_gone_at_the_next_click(signed_in, case):
    data = signed_in("reader")
    page = open_page("cases", case=str(case.id))
    assert "Add cells" in labels(page)
    (data / "roles.toml").write_text('[people]\n"reader" = ["viewer"]')
    with pytest.raises(AccessError):
        verdicts.give(data, case.id, [1], "ALL-like", reader="Rita")
    assert "Add cells" not in labels(page.run())
    (data / "roles.toml").write_text('[people]\n"reader" = []')
    assert "have no role here" in said(page.run())
    (data / "roles.toml").write_text("[people")
    assert "list of roles cannot be used" in said(page.run())
    assert case.identifier not in said(page)


def test_a_role_by_claim_counts_for_a_time_and_one_of_the_list_beyond_it(signed_in, case, monkeypatch):
    monkeypatch.setenv("LEUKEMIA_CLAIM_MINUTES", "10")
    data = signed_in("reader", iat=int(time.time()) - 9 * 60)
    page = open_page("cases", case=str(case.id))
    assert "Add cells" in labels(page)
    signed_in("reader", iat=int(time.time()) - 11 * 60)
    with pytest.raises(SessionEndedError, match="confirmed your roles more than 10 minutes ago"):
        verdicts.give(data, case.id, [1], "ALL-like", reader="Rita")
    page.run()
    assert "more than 10 minutes ago. Sign in again" in said(page)
    assert [button.label for button in page.button] == ["Sign in"]
    (data / "roles.toml").write_text('[people]\n"reader" = ["reader"]')
    assert "Add cells" in labels(page.run())


def test_a_role_that_is_taken_away_at_the_provider_is_gone_within_a_minute(signed_in, case, monkeypatch):
    with oidc.provider() as issuer:
        address = {"server_metadata_url": f"{issuer}/.well-known/openid-configuration"}
        monkeypatch.setattr(streamlit_internals, "sign_in_settings", lambda: address)
        token = oidc.access_token(issuer, "rita")
        data = signed_in("reader", sub="rita", iat=int(time.time()) - 61, tokens={"access": token})
        page = open_page("cases", case=str(case.id))
        assert "Add cells" in labels(page)
        oidc.change(issuer, "rita", groups=["viewer"])
        monkeypatch.setattr(provider, "EVERY", timedelta(0))
        with pytest.raises(AccessError, match="you need the role reader"):
            verdicts.give(data, case.id, [1], "ALL-like", reader="Rita")
        assert "Add cells" not in labels(page.run())
        oidc.change(issuer, "rita", groups=[])
        assert "have no role here" in said(page.run())


def test_a_session_without_use_ends_on_the_page_and_in_the_package(signed_in, case):
    data = signed_in("reader")
    page = open_page("cases", case=str(case.id))
    with database.writing(data) as connection:
        connection.execute(sa.update(sessions.SESSIONS).values(seen=time.time() - 31 * 60))
    with pytest.raises(SessionEndedError, match="without use"):
        verdicts.give(data, case.id, [1], "ALL-like", reader="Rita")
    page.run()
    assert "signed out after 30 minutes without use" in said(page)
    assert case.identifier not in said(page)
    signed_in("reader", iat=int(time.time()) + 1)
    assert case.identifier in said(page.run())


def test_signing_out_ends_the_session_for_a_copy_of_the_cookie_too(signed_in):
    signed_in("reader")
    page = go(dashboard(), "cases")
    press(page, "Sign out")
    again = go(dashboard(), "cases")
    assert "You have signed out" in said(again)


@pytest.mark.parametrize(("role", "offered"), [("viewer", False), ("reader", False), ("manager", True)])
def test_only_a_manager_is_offered_an_import(signed_in, role, offered):
    signed_in(role)
    page = open_page("dataset", section="import")
    assert ("Start the import" in [button.label for button in page.button]) == offered
    assert ("you need the role manager" in said(page)) != offered


@pytest.mark.parametrize("role", ["viewer", "manager"])
def test_only_a_reader_is_offered_a_training(signed_in, looked_through, monkeypatch, role):
    signed_in(role)
    monkeypatch.setenv("LEUKEMIA_DATA", str(looked_through))
    page = open_page("training", section="new")
    assert "Start" not in [button.label for button in page.button]
    assert "you need the role reader" in said(page)

"""Claims that nobody's provider made, and a page that stayed open: a real server, without a browser."""

import asyncio
import contextlib
import json
import time
import urllib.error

import httpx2 as httpx
import pytest
import sqlalchemy as sa
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from leukemia.access import sessions
from leukemia.storage import database
from pages.components.entrance import ENDED
from tests.support import oidc
from tests.support.case_factory import make_case
from tests.support.loop import run
from tests.support.tab import open_tab

pytestmark = pytest.mark.process
COOKIE = "_streamlit_user"
SIGN_IN, SIGN_OUT = ("button", "Sign in"), ("button", "Sign out")


@pytest.fixture(scope="module")
def house(tiny_bundle, tmp_path_factory):
    """A dashboard where people sign in, with a case."""
    folder = tmp_path_factory.mktemp("house")
    case = make_case(folder / "data")
    with oidc.provider() as issuer, oidc.dashboard(tiny_bundle, folder, issuer) as server:
        server.case = case
        yield server


async def seen(server, headers):
    """What the first page shows to whoever sends these headers."""
    async with open_tab(server.url, headers) as tab:
        return set(tab.shown)


async def enter(server, who):
    return oidc.headers(server, await oidc.sign_in_by_messages(server, who))


def of_mona(server, **changes):
    claims = {"is_logged_in": True, "origin": server.url, "iss": "http://localhost", "sub": "mona"}
    return claims | {"iat": int(time.time()), "name": "Mona Manager", "groups": ["manager"]} | changes


def signed(server, secret, claims):
    value = create_signed_value(secret, COOKIE, json.dumps(claims)).decode()
    return oidc.headers(server, {COOKIE: value})


def test_whoever_signed_in_is_known_without_a_browser_too(house):
    shown = run(seen(house, run(enter(house, "mona"))))
    assert SIGN_OUT in shown and ("markdown", "Mona Manager (manager)") in shown


def test_a_cookie_that_claims_a_manager_needs_the_servers_signature(house):
    # One that is signed is taken: what follows is refused for its signature alone.
    assert SIGN_OUT in run(seen(house, signed(house, oidc.SECRET, of_mona(house))))
    plain = oidc.headers(house, {COOKIE: json.dumps(of_mona(house)).replace('"', "'")})
    for forged in (signed(house, "another-secret-of-the-same-length" * 2, of_mona(house)), plain):
        shown = run(seen(house, forged))
        assert SIGN_IN in shown and SIGN_OUT not in shown


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null"])
def test_a_page_of_another_server_cannot_use_the_cookie(house, origin):
    headers = signed(house, oidc.SECRET, of_mona(house)) | {"Origin": origin}
    with pytest.raises(Exception, match="403"):
        run(seen(house, headers))


@pytest.mark.parametrize(
    "name",
    ["X-User", "X-Forwarded-User", "X-Forwarded-Email", "X-Streamlit-User", "Remote-User", "X-Remote-Groups"],
)
def test_a_header_that_claims_a_manager_says_nothing(house, name):
    for claimed in ("mona", "manager", json.dumps(of_mona(house))):
        shown = run(seen(house, {name: claimed, "Origin": house.url}))
        assert SIGN_IN in shown and SIGN_OUT not in shown


@pytest.mark.parametrize("spoil", [oidc.as_manager_by_another_key, oidc.as_manager_unsigned])
def test_an_identity_token_of_a_false_provider_signs_nobody_in(tiny_bundle, tmp_path, spoil):
    with oidc.provider(spoil) as issuer:
        server = oidc.dashboard(tiny_bundle, tmp_path, issuer)
        try:
            server.wait()
            answer, cookies = run(oidc.come_back(server, "vera"))
            assert answer.status_code == 403 and COOKIE not in cookies
            assert "You are not signed in" in answer.text and "For research use only" in answer.text
            shown = run(seen(server, oidc.headers(server, cookies)))
            assert SIGN_IN in shown and SIGN_OUT not in shown
        finally:
            server.stop()


def test_a_provider_that_goes_down_in_the_middle_signs_nobody_in_and_says_so(tiny_bundle, tmp_path):
    with oidc.provider() as issuer:
        server = oidc.dashboard(tiny_bundle, tmp_path, issuer)
        try:
            server.wait()
            client, back = run(oidc.go_to_provider(server, "vera"))
        except BaseException:
            server.stop()
            raise
    try:
        answer = client.get(back)
        assert answer.status_code == 403 and COOKIE not in client.cookies
        assert "You are not signed in" in answer.text
        # The same answer of the provider cannot be used again, either.
        assert client.get(back).status_code == 403
        log = server.log.read_text(encoding="utf-8")
        assert "OAuth token exchange failed" in log and "Traceback" not in log
    finally:
        client.close()
        server.stop()


def test_an_address_of_the_provider_that_is_used_again_signs_nobody_else_in(house):
    client, back = run(oidc.go_to_provider(house, "mona"))
    with contextlib.closing(client):
        assert client.get(back).status_code == 302
        # Whoever signed in and goes back in the browser stays signed in.
        assert client.get(back).status_code == 302 and COOKIE in client.cookies
    with httpx.Client() as other:
        assert other.get(back).status_code == 403 and COOKIE not in other.cookies


def test_a_download_on_a_page_that_stayed_open_asks_again(house):
    async def work():
        async with open_tab(house.url, await enter(house, "rita")) as tab:
            await tab.go("cases", f"case={house.case.id}&section=report")
            place, why = await tab.made("Download CSV")
            assert why == ""
            there = await asyncio.to_thread(tab.get, place)
            assert there.startswith(b"case,") or b"probability" in there
            with database.writing(house.data) as connection:
                connection.execute(sa.update(sessions.SESSIONS).values(seen=time.time() - 3_600))
            assert await tab.made("Download CSV") == ("", ENDED)
            # What was made before is not given out any more, either.
            with pytest.raises(urllib.error.HTTPError) as refused:
                await asyncio.to_thread(tab.get, place)
            assert refused.value.code == 403

    run(work())

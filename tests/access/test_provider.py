"""What the provider says now, asked of a real one on loopback."""

from datetime import UTC, datetime, timedelta

import pytest

from leukemia.access.provider import Provider
from leukemia.errors import SessionEndedError
from tests.support import oidc

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
CLAIMS = {
    "is_logged_in": True,
    "iss": "https://id.example",
    "sub": "rita",
    "iat": START.timestamp(),
    "groups": ["reader"],
}


@pytest.fixture(scope="module")
def issuer():
    with oidc.provider() as address:
        yield address


@pytest.fixture
def token(issuer):
    oidc.change(issuer, "rita")
    return oidc.access_token(issuer, "rita")


def of(issuer):
    return Provider(f"{issuer}/.well-known/openid-configuration")


def groups(asked, token, seconds, longest=HOUR):
    now = START + timedelta(seconds=seconds)
    return asked.claims(CLAIMS, token, longest, now=now).get("groups")


def test_it_is_asked_again_once_a_minute(issuer, token):
    asked = of(issuer)
    assert groups(asked, token, 61) == ["reader"]
    oidc.change(issuer, "rita", groups=["viewer"])
    assert groups(asked, token, 120) == ["reader"]
    assert groups(asked, token, 122) == ["viewer"]
    # What it confirmed counts from then on.
    assert groups(asked, token, 122 + 3_000) == ["viewer"]
    assert groups(asked, token, 122 + 6_000) == ["viewer"]


def test_a_claim_that_is_gone_is_gone(issuer, token):
    asked = of(issuer)
    oidc.change(issuer, "rita", groups=None)
    assert groups(asked, token, 61) is None


def test_without_a_token_claims_count_for_a_time(issuer):
    asked = of(issuer)
    assert groups(asked, "", 3_599) == ["reader"]
    with pytest.raises(SessionEndedError, match=r"more than 60 minutes ago\. Sign in again"):
        groups(asked, "", 3_601)


def test_a_token_that_ran_out_leaves_what_was_said_last_for_a_time(issuer, token):
    asked = of(issuer)
    oidc.change(issuer, "rita", groups=["viewer"])
    assert groups(asked, token, 100) == ["viewer"]
    oidc.revoke(issuer, "rita")
    assert groups(asked, token, 200) == ["viewer"]
    with pytest.raises(SessionEndedError):
        groups(asked, token, 100 + 3_601)


def test_where_it_does_not_answer_nobody_waits_twice_and_claims_count_for_a_time(monkeypatch):
    asked = Provider("http://127.0.0.1:9/.well-known/openid-configuration")
    tries = []
    ask = asked._ask
    monkeypatch.setattr(asked, "_ask", lambda *given: tries.append(1) or ask(*given))
    assert [groups(asked, "token", seconds) for seconds in (61, 62, 120)] == [["reader"]] * 3
    assert len(tries) == 1
    with pytest.raises(SessionEndedError):
        groups(asked, "token", 3_601)
    assert len(tries) == 2


@pytest.mark.parametrize("address", ["", "nonsense", "http://[::1", "http://localhost:99999/"])
def test_an_address_that_is_none_is_no_traceback(address):
    assert groups(Provider(address), "token", 61) == ["reader"]


def test_what_is_said_of_somebody_else_is_not_taken(issuer):
    oidc.change(issuer, "mona")
    assert groups(of(issuer), oidc.access_token(issuer, "mona"), 61) == ["reader"]


def test_one_signing_in_is_not_told_what_was_said_of_another(issuer, token):
    asked = of(issuer)
    oidc.change(issuer, "rita", groups=["viewer"])
    assert groups(asked, token, 61) == ["viewer"]
    other = CLAIMS | {"sub": "vera", "groups": ["manager"]}
    assert asked.claims(other, "", HOUR, now=START)["groups"] == ["manager"]


def test_old_ones_are_forgotten(issuer, token):
    asked = of(issuer)
    groups(asked, token, 61)
    later = START + timedelta(days=3)
    asked.claims(CLAIMS | {"iat": later.timestamp()}, "", HOUR, now=later)
    assert asked._said == {}

"""Signed-in sessions end by themselves, whatever the browser keeps."""

from datetime import UTC, datetime, timedelta

import pytest

from leukemia.access import sessions
from leukemia.access.sessions import Limits, SignIn
from leukemia.errors import SessionEndedError

LIMITS = Limits(timedelta(minutes=30), timedelta(hours=12))
START = datetime(2026, 3, 2, 8, tzinfo=UTC)
CLAIMS = {
    "is_logged_in": True,
    "iss": "https://id.example",
    "sub": "ada",
    "iat": int(START.timestamp()),
    "name": "Ada  Lovelace",
    "email": "ada@lab.example",
}


def sign_in(**changes):
    return SignIn.of(CLAIMS | changes)


def check(data, given, after, active=True):
    return sessions.check(data, given, LIMITS, active=active, now=START + after)


def minutes(number):
    return timedelta(minutes=number)


@pytest.mark.parametrize("missing", ["is_logged_in", "iss", "sub", "iat"])
def test_nobody_is_signed_in_by_half_a_claim(missing):
    for value in (None, "", False):
        with pytest.raises(SessionEndedError, match="sign in"):
            sign_in(**{missing: value})
    with pytest.raises(SessionEndedError):
        SignIn.of({})


def test_it_goes_on_while_it_is_used_and_ends_at_its_age(tmp_path):
    given = sign_in()
    for number in range(0, 12 * 60 + 1, 20):
        assert check(tmp_path, given, minutes(number)) == "Ada Lovelace"
    with pytest.raises(SessionEndedError, match="12 hours"):
        check(tmp_path, given, minutes(12 * 60 + 1))


def test_it_ends_without_use_and_does_not_come_back(tmp_path):
    given = sign_in()
    check(tmp_path, given, minutes(0))
    check(tmp_path, given, minutes(29))
    for after in (60, 61, 90):
        with pytest.raises(SessionEndedError, match="30 minutes without use"):
            check(tmp_path, given, minutes(after))
    again = sign_in(iat=CLAIMS["iat"] + 60 * 90)
    assert check(tmp_path, again, minutes(91)) == "Ada Lovelace"


def test_what_a_page_does_by_itself_keeps_no_session_alive(tmp_path):
    given = sign_in()
    check(tmp_path, given, minutes(0))
    for number in range(1, 31):
        check(tmp_path, given, minutes(number), active=False)
    with pytest.raises(SessionEndedError):
        check(tmp_path, given, minutes(31), active=False)


@pytest.mark.parametrize("after", [31, 60 * 24 * 29])
def test_an_old_cookie_that_the_server_has_never_seen_is_worth_nothing(tmp_path, after):
    with pytest.raises(SessionEndedError):
        check(tmp_path, sign_in(), minutes(after))


def test_one_from_the_future_is_refused(tmp_path):
    assert check(tmp_path, sign_in(iat=CLAIMS["iat"] + 200), minutes(0))
    with pytest.raises(SessionEndedError):
        check(tmp_path, sign_in(iat=CLAIMS["iat"] + 3_600), minutes(0))


def test_signing_out_ends_it_for_every_copy(tmp_path):
    given, other = sign_in(), sign_in(iat=CLAIMS["iat"] + 1)
    check(tmp_path, given, minutes(1))
    sessions.end(tmp_path, given)
    with pytest.raises(SessionEndedError, match="signed out"):
        check(tmp_path, given, minutes(2))
    assert check(tmp_path, other, minutes(2)) == "Ada Lovelace"
    never_seen = sign_in(iat=CLAIMS["iat"] + 2)
    sessions.end(tmp_path, never_seen)
    with pytest.raises(SessionEndedError):
        check(tmp_path, never_seen, minutes(2))


def test_two_people_never_share_a_name_and_each_keeps_theirs(tmp_path):
    ada = check(tmp_path, sign_in(), minutes(0))
    namesake = check(tmp_path, sign_in(sub="ada-2", email="second@lab.example"), minutes(0))
    third = check(tmp_path, sign_in(sub="ada-3", email=None), minutes(0))
    elsewhere = check(tmp_path, sign_in(iss="https://other.example", email="second@lab.example"), minutes(0))
    assert (ada, namesake) == ("Ada Lovelace", "Ada Lovelace (second@lab.example)")
    assert len({ada, namesake, third, elsewhere}) == 4
    # A name that changed at the provider, or was put on as another's, is not taken over.
    again = sign_in(sub="ada-2", name="Somebody Else", iat=CLAIMS["iat"] + 5)
    assert check(tmp_path, again, minutes(1)) == namesake


def test_old_sessions_are_forgotten(tmp_path):
    check(tmp_path, sign_in(), minutes(0))
    late = START + timedelta(days=10)
    fresh = sign_in(iat=int(late.timestamp()))
    sessions.check(tmp_path, fresh, LIMITS, active=True, now=late)
    with sessions.database.reading(tmp_path) as connection:
        assert [row.id for row in connection.execute(sessions.SESSIONS.select())] == [fresh.id]
    with pytest.raises(SessionEndedError):
        sessions.check(tmp_path, sign_in(), LIMITS, active=True, now=late)

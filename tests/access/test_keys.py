"""Keys of the REST service: shown once, found by their text, revocable, on record."""

import time
import unicodedata
from datetime import timedelta

import pytest
import sqlalchemy as sa

from leukemia.access import keys, people, sessions
from leukemia.access.users import Role
from leukemia.audit import trail, verify
from leukemia.errors import RecordsError
from leukemia.storage import database
from tests.support.postgres import postgres, records  # noqa: F401


def test_a_key_is_found_by_its_text_and_acts_in_its_roles(records):  # noqa: F811
    key, text = keys.add(records, "  ward   7 ", {Role.MANAGER, Role.READER}, who="Ada")
    assert (key.name, key.roles, key.valid) == ("ward 7", "reader, manager", True)
    found = keys.find(records, text)
    assert found == key
    assert found.user.name == "ward 7" and found.user.is_signed_in
    assert found.user.roles == {Role.VIEWER, Role.READER, Role.MANAGER}
    assert keys.every(records) == [key]


def test_the_secret_is_kept_nowhere(tmp_path):
    _, text = keys.add(tmp_path, "lab", [Role.VIEWER], who="Ada")
    secret = text.split("_", 2)[2]
    assert len(secret) >= 43
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or secret.encode() not in file.read_bytes()
    with database.reading(tmp_path) as connection:
        assert len(connection.scalar(sa.select(keys.KEYS.c.secret_sha256))) == 64


@pytest.mark.parametrize(
    "text", ["", "leukemia", "leukemia_", "leukemia__", "other_a_b", "\udc80_\udc80_\udc80"]
)
def test_what_is_no_key_is_not_found(tmp_path, text):
    assert keys.find(tmp_path, text) is None
    keys.add(tmp_path, "lab", [Role.VIEWER], who="Ada")
    assert keys.find(tmp_path, text) is None


def test_a_revoked_key_is_not_found_and_its_name_is_free_again(records):  # noqa: F811
    _, old = keys.add(records, "lab", [Role.VIEWER], who="Ada")
    with pytest.raises(RecordsError, match="There is a valid key"):
        keys.add(records, "lab", [Role.VIEWER], who="Ada")
    revoked = keys.revoke(records, "lab", who="Ben", reason="lost")
    assert (revoked.valid, revoked.revoked_by) == (False, "Ben")
    assert keys.find(records, old) is None
    _, new = keys.add(records, "lab", [Role.READER], who="Ada")
    assert keys.find(records, new).roles == "reader"
    assert [one.valid for one in keys.every(records)] == [False, True]


def test_keys_are_on_record_without_their_text(tmp_path):
    _, text = keys.add(tmp_path, "lab", [Role.READER], who="Ada")
    keys.revoke(tmp_path, "lab", who="Ben", reason="lost")
    entries = trail.entries(tmp_path)
    assert [(one.event, one.who, one.old, one.new, one.reason) for one in entries] == [
        (keys.REVOKED, "Ben", "lab: reader", "", "lost"),
        (keys.MADE, "Ada", "", "lab: reader", ""),
    ]
    assert text not in str(entries)
    assert verify.verify(tmp_path).is_whole


@pytest.mark.parametrize("name", ["", "  ", "x" * 201])
def test_a_key_needs_a_name(tmp_path, name):
    with pytest.raises(RecordsError, match="name of its holder"):
        keys.add(tmp_path, name, [Role.VIEWER], who="Ada")


def test_a_key_needs_a_role_and_a_revocation_a_reason(tmp_path):
    with pytest.raises(RecordsError, match="needs a role"):
        keys.add(tmp_path, "lab", [], who="Ada")
    keys.add(tmp_path, "lab", [Role.VIEWER], who="Ada")
    with pytest.raises(RecordsError, match="a reason"):
        keys.revoke(tmp_path, "lab", who="Ben", reason=" ")
    with pytest.raises(RecordsError, match="no valid key"):
        keys.revoke(tmp_path, "other", who="Ben", reason="lost")


def sign_in(data, subject="ada", name="Ada Lovelace", email="ada@lab.example"):
    limits = sessions.Limits(timedelta(minutes=30), timedelta(hours=12))
    given = sessions.SignIn(f"https://id.example {subject}", time.time(), name, email)
    return sessions.check(data, given, limits, active=True)


def claims(name):
    said = {"iss": "https://id.example", "sub": "eve", "iat": time.time(), "is_logged_in": True}
    return sessions.SignIn.of(said | {"name": name, "email": f"{name}@lab.example"})


def test_nobody_who_signs_in_gets_the_name_of_a_key_not_even_of_a_revoked_one(records):  # noqa: F811
    for name in ("Ada Lovelace", "Ben"):
        keys.add(records, name, [Role.READER], who="Carl")
    keys.revoke(records, "Ben", who="Carl", reason="lost")
    assert sign_in(records) == "Ada Lovelace (ada@lab.example)"
    # A key may have the longer name, too.
    keys.add(records, "Ben (ben@lab.example)", [Role.READER], who="Carl")
    name = sign_in(records, "ben", "Ben", "ben@lab.example")
    assert name.startswith("Ben (") and name != "Ben (ben@lab.example)"


def test_no_key_is_made_under_the_name_of_a_person_who_signs_in(records):  # noqa: F811
    assert sign_in(records) == "Ada Lovelace"
    with pytest.raises(RecordsError, match="'Ada Lovelace' is the name of a person who signs in"):
        keys.add(records, " Ada  Lovelace", [Role.READER], who="Carl")
    assert keys.every(records) == []


def test_names_that_look_the_same_are_one_name(records):  # noqa: F811
    composed, decomposed = (unicodedata.normalize(form, "Zoë") for form in ("NFC", "NFD"))
    keys.add(records, decomposed, [Role.READER], who="Carl")
    assert keys.every(records)[0].name == composed
    assert sign_in(records, "zoe", decomposed, "") != composed
    said = claims("E\u0301va")
    assert sign_in(records, "eve", said.name, said.email) == "\u00c9va"
    with pytest.raises(RecordsError, match="is the name of a person who signs in"):
        keys.add(records, "E\u0301va", [Role.READER], who="Carl")


def test_no_name_looks_like_one_that_an_earlier_program_put_on_record_otherwise(records):  # noqa: F811
    composed, decomposed = (unicodedata.normalize(form, "Zoë") for form in ("NFC", "NFD"))
    keys.add(records, "lab", [Role.READER], who="Carl")
    assert sign_in(records, "eve", "Eve") == "Eve"
    with database.writing(records) as connection:
        connection.execute(keys.KEYS.update(), {"name": decomposed})
        connection.execute(people.PEOPLE.update(), {"name": "E\u0301va"})
    assert keys.every(records)[0].user.name == composed
    assert sign_in(records, "zoe", composed, "") != composed
    assert sign_in(records, "another", "\u00c9va", "eva@lab.example") == "\u00c9va (eva@lab.example)"
    for name, says in ((composed, "There is a valid key"), ("\u00c9va", "a person who signs in")):
        with pytest.raises(RecordsError, match=says):
            keys.add(records, name, [Role.READER], who="Carl")
    assert not keys.revoke(records, composed, who="Carl", reason="lost").valid
    assert keys.every(records)[0].name == decomposed, "what is on record stays"

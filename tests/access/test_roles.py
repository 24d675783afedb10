"""Roles of somebody who signed in: the list in the data folder, and the provider's claim."""

import pytest

from leukemia.access import roles
from leukemia.access.users import Role
from leukemia.errors import AccessError

READER, MANAGER = frozenset({Role.READER}), frozenset({Role.MANAGER})
ADA = {"sub": "1234", "email": "Ada@Lab.example", "email_verified": True, "groups": ["reader"]}


@pytest.fixture
def file(tmp_path):
    return tmp_path / "roles.toml"


def test_without_list_and_claim_nobody_has_a_role(file):
    assert roles.of(ADA, file) == frozenset()


@pytest.mark.parametrize("name", ["1234", "ada@lab.example", "ADA@LAB.EXAMPLE"])
def test_the_list_names_people_by_subject_or_verified_address(file, name):
    file.write_text(f'[people]\n"{name}" = ["manager"]')
    assert roles.of(ADA, file) == MANAGER
    assert roles.of(ADA, file, "groups") == MANAGER


@pytest.mark.parametrize("verified", [False, None, "no", 1])
def test_an_address_that_the_provider_has_not_verified_names_nobody(file, verified):
    file.write_text('[people]\n"ada@lab.example" = ["manager"]')
    assert roles.of(ADA | {"email_verified": verified}, file) == frozenset()


def test_a_role_that_was_taken_away_is_gone_at_once_whatever_the_claim_says(file):
    assert roles.of(ADA, file, "groups") == READER
    file.write_text('[people]\n"1234" = []')
    assert roles.of(ADA, file, "groups") == frozenset()
    file.unlink()
    assert roles.of(ADA, file, "groups") == READER


@pytest.mark.parametrize(
    ("claims", "claim", "expected"),
    [
        ({"groups": ["reader", "cardiology", "manager"]}, "groups", READER | MANAGER),
        ({"role": "manager"}, "role", MANAGER),
        ({"realm_access": {"roles": ["reader"]}}, "realm_access.roles", READER),
        ({"https://lab.example/roles": ["reader"]}, "https://lab.example/roles", READER),
        ({"groups": ["Reader", " reader", 7, None, {"a": 1}]}, "groups", READER),
        ({"groups": "reader,manager"}, "groups", frozenset()),
        ({"groups": {"reader": True}}, "groups", frozenset()),
        ({"groups": None}, "groups", frozenset()),
        ({}, "groups", frozenset()),
        ({"groups": ["reader"]}, "groups.reader", frozenset()),
    ],
)
def test_a_claim_gives_what_it_names_and_nothing_else(file, claims, claim, expected):
    assert roles.of({"sub": "1"} | claims, file, claim) == expected


def test_a_list_of_no_groups_gives_no_group_a_role(file):
    file.write_text("[people]\n[claims]\n")
    assert roles.of({"sub": "1", "groups": ["manager", "reader"]}, file, "groups") == frozenset()


def test_the_list_says_what_a_group_of_the_house_may(file):
    file.write_text('[claims]\n"haema-readers" = ["reader"]\n"lab-heads" = ["reader", "manager"]')
    assert roles.of({"sub": "1", "groups": ["haema-readers"]}, file, "groups") == READER
    assert roles.of({"sub": "1", "groups": ["lab-heads"]}, file, "groups") == READER | MANAGER
    # Then a group that happens to be called as a role gives nothing.
    assert roles.of({"sub": "1", "groups": ["manager"]}, file, "groups") == frozenset()


@pytest.mark.parametrize(
    "content",
    [
        "[people",
        '[people]\n"1234" = "reader"',
        '[people]\n"1234" = ["king"]',
        "people = 3",
        '[persons]\n"1234" = []',
        "\x00",
        "# " + "x" * roles.MOST_BYTES + '\n[people]\n"1234" = []',
    ],
)
def test_a_damaged_list_gives_nobody_a_role(file, content):
    file.write_text(content)
    with pytest.raises(AccessError, match="list of roles"):
        roles.of(ADA, file, "groups")


def test_a_list_that_cannot_be_read_gives_nobody_a_role(file):
    file.mkdir()
    with pytest.raises(AccessError, match="cannot be read"):
        roles.of(ADA, file, "groups")

"""Roles of somebody who signed in: from a list in the data folder, from a claim of the provider, or both.

The list is read anew at each action, so that a role taken away in it is gone at the next click. Whoever it
names has the roles that it gives, whatever the provider says; for everyone else the claim counts, as the
provider said it last (:mod:`leukemia.access.provider`). ::

    [people]                            # by the provider's subject, or a verified e-mail address
    "ada@hospital.example" = ["reader"]
    "eve@hospital.example" = []         # may sign in, and see nothing

    [claims]                            # what a value of the claim gives; without it, a role's own name
    "haematology-readers" = ["reader"]
"""

import functools
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from leukemia.access.users import Role
from leukemia.errors import AccessError

MOST_BYTES = 1_000_000
PARTS = ("people", "claims")
UNREADABLE = "The list of roles cannot be used, so nobody has a role by it. {why} Tell who manages access."


def of(
    claims: Mapping[str, Any],
    file: Path,
    claim: str = "",
    now: Callable[[], Mapping[str, Any]] | None = None,
) -> frozenset[Role]:
    """The roles of somebody.

    Parameters
    ----------
    claims : mapping
        What the provider says of them, checked and signed.
    file : Path
        The list; none is an empty one.
    claim : str, optional
        The claim that holds roles or groups, with dots into what is nested, such as ``realm_access.roles``.
    now : callable, optional
        Says the claims as they are now; asked where roles come from them, and raises as it does.

    Raises
    ------
    AccessError
        Where the list is damaged: a role that it took away must not come back by that.
    """
    listed = read(file)
    people = listed.get("people", {})
    for name in _names(claims):
        if name in people:
            return people[name]
    if claim and now:
        claims = now()
    by_value = listed.get("claims", {role.value: frozenset({role}) for role in Role})
    found = [by_value.get(value, frozenset()) for value in _values(claims, claim)]
    return frozenset().union(*found)


def read(file: Path) -> dict[str, dict[str, frozenset[Role]]]:
    """Read the list, e-mail addresses in small letters; raises AccessError where it is damaged."""
    try:
        with file.open("rb") as source:
            return _parse(source.read(MOST_BYTES + 1))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise AccessError(UNREADABLE.format(why="It cannot be read.")) from error


@functools.lru_cache(maxsize=2)
def _parse(text: bytes) -> dict[str, dict[str, frozenset[Role]]]:
    try:
        if len(text) > MOST_BYTES:
            raise ValueError(f"it has more than {MOST_BYTES:,} bytes")
        content = tomllib.loads(text.decode())
    except ValueError as error:
        raise AccessError(UNREADABLE.format(why=f"It is not valid: {error}.")) from error
    if unknown := set(content) - set(PARTS):
        raise AccessError(UNREADABLE.format(why=f"It has a part {min(unknown)!r}."))
    return {part: _given(part, content[part]) for part in content}


def _given(part: str, entries: Any) -> dict[str, frozenset[Role]]:
    if not isinstance(entries, dict):
        raise AccessError(UNREADABLE.format(why=f"Its part {part!r} is no table."))
    out = {}
    for name, roles in entries.items():
        if not isinstance(roles, list) or not set(map(str, roles)) <= set(Role):
            known = ", ".join(Role)
            raise AccessError(UNREADABLE.format(why=f"{name!r} needs a list of some of {known}."))
        out[_normal(name)] = frozenset(map(Role, roles))
    return out


def _names(claims: Mapping[str, Any]) -> list[str]:
    """By what the list may name somebody; an address only where the provider has verified it."""
    names = [claims.get("sub")]
    if claims.get("email_verified") is True:
        names.append(claims.get("email"))
    return [_normal(name) for name in names if isinstance(name, str) and name]


def _normal(name: str) -> str:
    return name.strip().lower() if "@" in name else name.strip()


def _values(claims: Mapping[str, Any], claim: str) -> list[str]:
    found: Any = claims if claim else ()
    for part in [claim] if claim in claims else claim.split("."):
        found = found.get(part, ()) if isinstance(found, Mapping) else ()
    found = [found] if isinstance(found, str) else found
    return [_normal(one) for one in found if isinstance(one, str)] if isinstance(found, list) else []

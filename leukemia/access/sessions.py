"""Signed-in sessions, kept on the server: each ends after a time without use, and at a certain age.

What a browser keeps may live longer, and may be copied; it is worth nothing once its session has ended.
A session is one signing in: the provider's subject, and when it said so. A person has one name on record from
the first signing in on, and shares it with nobody, nor with a key, since verdicts are told apart by it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from leukemia.access import keys, people
from leukemia.access.people import PEOPLE
from leukemia.attribution import MAX_WHO, clean
from leukemia.errors import SessionEndedError
from leukemia.storage import database

SESSIONS = sa.Table(
    "sessions",
    database.METADATA,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("began", sa.Double, nullable=False),
    sa.Column("seen", sa.Double, nullable=False),
    sa.Column("ended", sa.Boolean, nullable=False),
)
# What is written at most so often, a session a time.
EVERY = timedelta(seconds=20)
# The provider's clock and this one may differ by as much.
SKEW = timedelta(minutes=5)
KEPT = timedelta(days=2)  # beyond its age; then it is too old by the time when it began, too
SIGN_IN = "Please sign in."
IDLE = "You were signed out after {idle:.0f} minutes without use. Sign in again: nothing is lost."
OLD = "You were signed out: a session lasts {age:.0f} hours. Sign in again: nothing is lost."
OVER = "You have signed out. Sign in again."


@dataclass(frozen=True)
class Limits:
    """How long a session lasts, without use and in all."""

    idle: timedelta
    age: timedelta


@dataclass(frozen=True)
class SignIn:
    """One signing in, as the provider has said it.

    Attributes
    ----------
    subject : str
        Issuer and subject: what tells somebody from everyone else.
    issued : float
        When, in seconds since 1970.
    name : str
        As the provider has it.
    email : str
        Empty where it is not known.
    """

    subject: str
    issued: float
    name: str
    email: str = ""

    @classmethod
    def of(cls, claims: Mapping[str, Any]) -> "SignIn":
        """Read the claims of an identity token; raises SessionEndedError where nobody signed in by them."""
        issuer, subject, issued = (claims.get(name) for name in ("iss", "sub", "iat"))
        texts = isinstance(issuer, str) and isinstance(subject, str) and issuer and subject
        if not (claims.get("is_logged_in") and texts and issued and isinstance(issued, int | float)):
            raise SessionEndedError(SIGN_IN)
        names = (claims.get(name) for name in ("name", "preferred_username", "email", "sub"))
        name = next(clean(one) for one in names if isinstance(one, str) and clean(one))
        email = claims.get("email")
        email = clean(email) if isinstance(email, str) else ""
        return cls(f"{issuer} {subject}", float(issued), name[:MAX_WHO], email)

    @property
    def id(self) -> str:
        """What tells it from every other signing in."""
        return _sha256(f"{self.subject} {self.issued}")


def check(data: Path, given: SignIn, limits: Limits, *, active: bool, now: datetime | None = None) -> str:
    """See that a session goes on, and note that it is in use; return the person's name on record.

    Parameters
    ----------
    data : Path
        The data folder.
    given : SignIn
    limits : Limits
    active : bool
        Whether a person did something: what a page does by itself keeps no session alive.
    now : datetime, optional
        Of this moment, by default.

    Raises
    ------
    SessionEndedError
        Where it has ended, in a sentence.
    RecordsError
        Where that cannot be known.
    """
    at = (now or datetime.now(UTC)).timestamp()
    if given.issued > at + SKEW.total_seconds():
        raise SessionEndedError(SIGN_IN)
    row = name = None
    if not database.is_absent(data):
        with database.reading(data) as connection:
            row = connection.execute(sa.select(SESSIONS).where(SESSIONS.c.id == given.id)).one_or_none()
            name = connection.scalar(_name(given))
    began = min(row.began, given.issued) if row else min(at, given.issued)
    seen = row.seen if row else began
    if row and row.ended:
        raise SessionEndedError(OVER)
    if at - began > limits.age.total_seconds():
        raise SessionEndedError(OLD.format(age=limits.age / timedelta(hours=1)))
    if at - seen > limits.idle.total_seconds():
        raise SessionEndedError(IDLE.format(idle=limits.idle / timedelta(minutes=1)))
    if row is None or name is None:
        return _begin(data, given, at, limits)
    if active and at - seen > EVERY.total_seconds():
        with database.writing(data) as connection:
            connection.execute(SESSIONS.update().where(SESSIONS.c.id == given.id), {"seen": at})
    return name


def end(data: Path, given: SignIn) -> None:
    """End a session for good, whoever has a copy of what the browser keeps."""
    with database.writing(data) as connection:
        row = {"began": given.issued, "seen": given.issued, "ended": True}
        if not connection.execute(SESSIONS.update().where(SESSIONS.c.id == given.id), row).rowcount:
            connection.execute(SESSIONS.insert(), row | {"id": given.id})


def _begin(data: Path, given: SignIn, at: float, limits: Limits) -> str:
    with database.writing(data) as connection:
        # Another request of the same page may have been faster.
        if connection.scalar(sa.select(SESSIONS.c.id).where(SESSIONS.c.id == given.id)) is None:
            row = {"id": given.id, "began": min(at, given.issued), "seen": at, "ended": False}
            connection.execute(SESSIONS.insert(), row)
        before = at - (limits.age + KEPT).total_seconds()
        connection.execute(SESSIONS.delete().where(SESSIONS.c.began < before))
        if (name := connection.scalar(_name(given))) is None:
            name = _free_name(connection, given)
            connection.execute(PEOPLE.insert(), {"subject_sha256": _sha256(given.subject), "name": name})
        return name


def _free_name(connection: sa.Connection, given: SignIn) -> str:
    """The name that the provider has; with more after it where another person or a key has it."""
    more = (f" ({given.email})" if given.email else "", f" ({_sha256(given.subject)[:8]})")
    for name in (given.name, *(given.name[: MAX_WHO - len(one)] + one for one in more if one)):
        if not people.has(connection, name) and not keys.had(connection, name):
            return name
    raise SessionEndedError(SIGN_IN)


def _name(given: SignIn) -> sa.Select:
    return sa.select(PEOPLE.c.name).where(PEOPLE.c.subject_sha256 == _sha256(given.subject))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()

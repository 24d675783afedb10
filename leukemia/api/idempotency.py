"""A request that is sent again with the same ``Idempotency-Key`` is answered once.

The answer is stored whole, or not at all: before the work begins, the key is claimed; a claim that was never
fulfilled, since the process died, can be taken over after a while. Names of files are not stored: the route
leaves them out, and puts them in again on the way out.
"""

import hashlib
import json
import math
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from leukemia.api.errors import ConflictError, RequestError
from leukemia.audit import trail
from leukemia.storage import database

REQUESTS = sa.Table(
    "api_requests",
    database.METADATA,
    sa.Column("holder", sa.String(16), primary_key=True),
    sa.Column("key", sa.String(200), primary_key=True),
    sa.Column("request_sha256", sa.String(64), nullable=False),
    sa.Column("begun_at", sa.String(32), nullable=False),
    sa.Column("claim", sa.String(32), nullable=False),
    sa.Column("answer", sa.Text, nullable=True),
    sa.Index("api_requests_by_age", "begun_at"),
)
LONGEST = 200
# For how long an answer is kept; after how long a claim without one can be taken over.
KEPT, ABANDONED = timedelta(hours=24), timedelta(minutes=15)
OTHER_REQUEST = (
    "This Idempotency-Key was sent before with another request. Use a new key for each new request."
)
UNFINISHED = (
    "The first request with this Idempotency-Key is still being answered. Send it again in a few seconds; if "
    "the service was stopped meanwhile, it is answered in {} min at the latest."
)
NO_KEY = f"An Idempotency-Key must have 1 to {LONGEST} visible ASCII characters."


@dataclass(frozen=True)
class Once:
    """An answer, and whether it was given before."""

    answer: dict[str, Any]
    repeated: bool = False


def check(key: str | None) -> None:
    """Refuse a key that cannot be one; raises RequestError."""
    if key is not None and not (0 < len(key) <= LONGEST and all("!" <= letter <= "~" for letter in key)):
        raise RequestError(NO_KEY)


def fingerprint(*parts: Any) -> str:
    """SHA-256 of what makes two requests the same, as canonical JSON: 64 hex digits."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def once(
    data: Path, holder: str, key: str | None, request_sha256: str, make: Callable[[], dict[str, Any]]
) -> Once:
    """Answer a request, or give the answer that it got before.

    Parameters
    ----------
    data : Path
        The data folder.
    holder : str
        Id of the API key: each has keys of its own.
    key : str or None
        The ``Idempotency-Key``; None where the request has none, and is answered each time.
    request_sha256 : str
        See :func:`fingerprint`.
    make : callable
        Answers it: JSON. Where it raises, nothing is stored, and the request can be sent again.

    Raises
    ------
    ConflictError
        Where the key was sent with another request, or the first is still being answered.
    RequestError
        Where the key cannot be one.
    RecordsError
        Where nothing could be written; then nothing was done.
    """
    check(key)
    if key is None:
        return Once(make())
    claim = secrets.token_hex(16)
    if (stored := _claim(data, holder, key, request_sha256, claim)) is not None:
        return Once(json.loads(stored), repeated=True)
    mine = (REQUESTS.c.holder == holder) & (REQUESTS.c.key == key) & (REQUESTS.c.claim == claim)
    try:
        answer = make()
    except BaseException:
        with database.writing(data) as connection:
            connection.execute(REQUESTS.delete().where(mine))
        raise
    with database.writing(data) as connection:
        connection.execute(REQUESTS.update().where(mine), {"answer": json.dumps(answer)})
    return Once(answer)


def forget(data: Path, now: datetime) -> None:
    """Delete the answers that have been kept long enough, and claims that are as old.

    Parameters
    ----------
    data : Path
        The data folder; where nothing was recorded yet, no records are made for it.
    now : datetime
        With its time zone.

    Raises
    ------
    RecordsError
        Where nothing could be written.
    """
    if not database.is_absent(data):
        with database.writing(data) as connection:
            _forget(connection, now)


def _forget(connection: sa.Connection, now: datetime) -> None:
    connection.execute(REQUESTS.delete().where(REQUESTS.c.begun_at < _text(now - KEPT)))


def _claim(data: Path, holder: str, key: str, request_sha256: str, claim: str) -> str | None:
    """Take a key for this request; the stored answer where there is one."""
    now = datetime.now(UTC)
    with database.writing(data) as connection:
        _forget(connection, now)
        wanted = (REQUESTS.c.holder == holder) & (REQUESTS.c.key == key)
        found = connection.execute(sa.select(REQUESTS).where(wanted)).one_or_none()
        if found and found.request_sha256 != request_sha256:
            raise ConflictError(OTHER_REQUEST)
        if found and found.answer is not None:
            return found.answer
        if found and found.begun_at > _text(now - ABANDONED):
            free = datetime.fromisoformat(found.begun_at) + ABANDONED
            raise ConflictError(UNFINISHED.format(math.ceil((free - now) / timedelta(minutes=1))))
        row = {"request_sha256": request_sha256, "begun_at": trail.now(), "claim": claim}
        if found:
            connection.execute(REQUESTS.update().where(wanted), row)
        else:
            connection.execute(REQUESTS.insert(), row | {"holder": holder, "key": key})
    return None


def _text(at: datetime) -> str:
    return at.isoformat(timespec="microseconds")

"""Changes of the model in service in the trail, beside MLflow's tags; those of earlier programs, too."""

import json
from collections.abc import Mapping
from pathlib import Path

import sqlalchemy as sa

from leukemia.audit import trail
from leukemia.audit.trail import TRAIL, Entry
from leukemia.registry import promotion_log
from leukemia.registry.promotion_log import Event
from leukemia.settings import BUILT_IN
from leukemia.storage import database

KEY = "mlflow:"
EVENTS = {
    promotion_log.PROMOTED: trail.PROMOTED,
    promotion_log.ROLLED_BACK: trail.ROLLED_BACK,
}


def bring_over(data: Path, tags: Mapping[str, str]) -> None:
    """Bring events that are in MLflow's tags alone into the trail, in their order; raises RecordsError.

    Nothing is brought over where the records can only be read.
    """
    if _any_missing(data, tags) and not database.is_read_only(data):
        with database.writing(data) as connection:
            append_missing(connection, tags)


def append_missing(connection: sa.Connection, tags: Mapping[str, str]) -> None:
    """As :func:`bring_over`, within a transaction."""
    trail.append(connection, [_entry(event, key, imported=True) for key, event in _missing(connection, tags)])


def append(connection: sa.Connection, event: Event, key: str) -> None:
    """Append a change that is being made, whose tag has this key."""
    trail.append(connection, [_entry(event, key)])


def _any_missing(data: Path, tags: Mapping[str, str]) -> bool:
    if not promotion_log.events(tags) or database.is_absent(data):
        return bool(promotion_log.events(tags))
    with database.reading(data) as connection:
        return bool(_missing(connection, tags))


def _missing(connection: sa.Connection, tags: Mapping[str, str]) -> list[tuple[str, Event]]:
    """Events that the trail does not have, in their order, with the keys of their tags."""
    there = sa.select(TRAIL.c.key).where(TRAIL.c.key.startswith(KEY, autoescape=True))
    known = set(connection.scalars(there))
    return [
        (key, event)
        for key in sorted(tags)
        if KEY + key not in known
        for event in promotion_log.events({key: tags[key]})
    ]


def _entry(event: Event, key: str, imported: bool = False) -> Entry:
    details = {"imported_from": "mlflow", "at": event.at} if imported else {}
    return Entry(
        EVENTS.get(event.action, event.action[:40]),
        event.by,
        version=_name(event.version),
        record_sha256=event.record_sha256,
        old=_name(event.earlier),
        new=_name(event.version),
        reason=event.reason,
        details=json.dumps(details) if details else "",
        key=KEY + key,
    )


def _name(version: int | None) -> str:
    return BUILT_IN if version is None else f"version {version}"

"""Alerts on the trail: one entry when a measure first comes to "stop", one when that is over.

Not each time somebody opens the page: what was recorded last about a measure of a model tells whether
anything is new. It is read and written in one transaction, so that two who open the page at once record it
once.
"""

import json
from collections.abc import Iterable
from pathlib import Path

import sqlalchemy as sa

from leukemia.audit import trail
from leukemia.audit.trail import TRAIL, Entry, Recorded
from leukemia.monitoring.control import State
from leukemia.monitoring.recent import Model
from leukemia.monitoring.watch import Report
from leukemia.storage import database

WHO = "Monitoring"
EVENTS = (trail.ALERT, trail.ALERT_OVER)


def active(data: Path) -> list[Recorded]:
    """Alerts on record that are not over, the newest first; raises RecordsError where they cannot be read."""
    return [one for one in _latest(trail.entries(data, events=EVENTS)).values() if one.event == trail.ALERT]


def record(data: Path, report: Report, sentences: dict[str, str]) -> list[Recorded]:
    """Record what is new in a report: alerts that arose, and those that are over.

    Parameters
    ----------
    data : Path
        The data folder.
    report : Report
    sentences : dict of str to str
        By measure, what is said of it.

    Returns
    -------
    list of Recorded
        What was recorded; empty where nothing is new.

    Raises
    ------
    RecordsError
        Where nothing could be written.
    """
    if not report.has_record or not _new(report, trail.entries(data, events=EVENTS), sentences):
        return []
    with database.writing(data) as connection:
        wanted = sa.select(TRAIL).where(TRAIL.c.event.in_(EVENTS)).order_by(TRAIL.c.number.desc())
        known = [Recorded(**row) for row in connection.execute(wanted).mappings()]
        return trail.append(connection, _new(report, known, sentences))


def _new(report: Report, known: Iterable[Recorded], sentences: dict[str, str]) -> list[Entry]:
    latest = _latest(one for one in known if _is_of(one, report.model))
    out = []
    for name, state in report.states.items():
        last = latest.get((report.model.record_sha256, report.model.point.limits, name))
        was = last is not None and last.event == trail.ALERT
        # Too few cases, as after some were reopened, tell nothing new.
        if (state == State.STOP) == was or state in (State.TOO_FEW, State.UNKNOWN):
            continue
        event = trail.ALERT if state == State.STOP else trail.ALERT_OVER
        out.append(_entry(event, name, state, report, sentences.get(name, "")))
    return out


def _entry(event: str, name: str, state: State, report: Report, sentence: str) -> Entry:
    model, numbers = report.model, report.cases.numbers
    details = {"measure": name, "cases": len(numbers), "last case": numbers[-1] if numbers else None}
    return Entry(
        event,
        WHO,
        version=model.label,
        record_sha256=model.record_sha256,
        threshold=model.point.threshold,
        low=model.point.low,
        high=model.point.high,
        new=str(state),
        reason=sentence,
        details=json.dumps(details),
    )


def _latest(entries: Iterable[Recorded]) -> dict[tuple, Recorded]:
    """The last entry about each measure of each model, of entries the newest first."""
    out: dict[tuple, Recorded] = {}
    for one in entries:
        out.setdefault((one.record_sha256, (one.low, one.high), _measure(one)), one)
    return out


def _is_of(entry: Recorded, model: Model) -> bool:
    return entry.record_sha256 == model.record_sha256 and (entry.low, entry.high) == model.point.limits


def _measure(entry: Recorded) -> str:
    try:
        return str(json.loads(entry.details)["measure"])
    except (ValueError, KeyError, TypeError):
        return ""

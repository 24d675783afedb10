"""Settings on record: each program notes at its start where they differ from those it started with before."""

import json
import os
import platform
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from leukemia import settings
from leukemia.audit import trail
from leukemia.audit.addresses import without_secrets
from leukemia.audit.trail import TRAIL, Entry, Recorded
from leukemia.storage import database

DASHBOARD, COMMAND_LINE = "dashboard", "command line"
# Starts that are looked through for the last of this program on this machine.
LAST = 200


def record_changes(data: Path, program: str, *, who: str) -> Recorded | None:
    """Put the settings on record where they differ from those that were recorded last.

    They are compared with the last start of the same program on the same machine: where several share a
    database, each has settings of its own. Passwords are left out.

    Parameters
    ----------
    data : Path
        The data folder whose records are meant.
    program : str
        :data:`DASHBOARD` or :data:`COMMAND_LINE`.
    who : str
        The account that started it.

    Returns
    -------
    Recorded or None
        None where nothing changed.

    Raises
    ------
    LeukemiaError
        Where a setting is wrong, or nothing could be written.
    """
    now, where = described(settings.load()), {"program": program, "machine": platform.node()}
    if _last(data, where) == now:
        return None
    with database.writing(data) as connection:
        # Another start may have been faster.
        before = _last_of(connection, where)
        if before == now:
            return None
        changed = [name for name in now if now[name] != before.get(name)]
        entry = Entry(
            trail.SETTINGS_CHANGED,
            who or f"the {program}",
            old=_listed(before, changed),
            new=_listed(now, changed),
            reason=f"{program} started",
            details=json.dumps({**where, "settings": now}),
        )
        return trail.append(connection, [entry])[0]


def described(given: settings.Settings) -> dict[str, str]:
    """Settings by their variable, as they go on record: whole paths, no password."""
    return {
        "LEUKEMIA_DATA": str(given.data.absolute()),
        "LEUKEMIA_MODEL": str(given.model.absolute()) if given.model_given else "",
        "LEUKEMIA_WORKERS": str(given.workers),
        "MLFLOW_TRACKING_URI": without_secrets(given.tracking_uri),
        "LEUKEMIA_DATABASE_URL": without_secrets(given.database_url),
        "LEUKEMIA_HOSTS": " ".join(given.hosts),
        "LEUKEMIA_BASE_PATH": given.base_path,
        "LEUKEMIA_API_RATE": given.api_rate,
        "LEUKEMIA_TOKEN": "given" if given.token else "",
        "LEUKEMIA_ROLES_FILE": str(given.roles.absolute()) if given.roles_file else "",
        "LEUKEMIA_ROLES_CLAIM": given.roles_claim,
        "LEUKEMIA_IDLE_MINUTES": str(given.idle_minutes),
        "LEUKEMIA_CLAIM_MINUTES": str(given.claim_minutes),
        "LEUKEMIA_SESSION_HOURS": str(given.session_hours),
        "LEUKEMIA_IMPORT_FROM": os.pathsep.join(map(str, given.import_from or ())),
    }


def _last(data: Path, where: dict[str, str]) -> dict[str, str]:
    if database.is_absent(data):
        return {}
    with database.reading(data) as connection:
        return _last_of(connection, where)


def _last_of(connection: sa.Connection, where: dict[str, str]) -> dict[str, str]:
    wanted = (
        sa.select(TRAIL.c.details)
        .where(TRAIL.c.event == trail.SETTINGS_CHANGED)
        .order_by(TRAIL.c.number.desc())
        .limit(LAST)
    )
    for text in connection.scalars(wanted):
        details = _details(text)
        if all(details.get(name) == value for name, value in where.items()):
            return details.get("settings", {})
    return {}


def _details(text: str) -> dict[str, Any]:
    try:
        details = json.loads(text)
    except ValueError:
        return {}
    return details if isinstance(details, dict) else {}


def _listed(given: dict[str, str], names: list[str]) -> str:
    return ", ".join(f"{name}={given[name] or 'not set'}" for name in names if name in given)

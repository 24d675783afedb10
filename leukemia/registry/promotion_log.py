"""Who put which model version in service, when and why.

Each change is a tag of its own on MLflow's registered model (and on the version): nothing is ever
written over, and two who change at once both leave their word.
"""

import contextlib
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

KEY = "history."
PROMOTED, ROLLED_BACK = "promoted", "rolled back"


@dataclass(frozen=True)
class Event:
    """One change of the model in service.

    Attributes
    ----------
    action : str
        :data:`PROMOTED` or :data:`ROLLED_BACK`.
    version, earlier : int or None
        What answers from then on and what answered before; None for the bundle that came with the
        program.
    by, reason : str
        Who did it, and why: untrusted text.
    at : str
        ISO 8601, UTC.
    seal : str
        SHA-256 of the version's ``bundle.json``, 64 hex digits; empty for the shipped bundle.
    """

    action: str
    version: int | None
    earlier: int | None
    by: str
    reason: str
    at: str
    seal: str = ""

    def tag(self) -> tuple[str, str]:
        """Make the tag that keeps it: a key that no other event has, in order of time."""
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        return f"{KEY}{stamp}.{secrets.token_hex(4)}", json.dumps(asdict(self), ensure_ascii=False)


def of(tags: Mapping[str, str]) -> list[Event]:
    """Read the events among tags, the first one first; what is not one is passed over."""
    found = []
    for key in sorted(key for key in tags if key.startswith(KEY)):
        with contextlib.suppress(ValueError, TypeError):
            found.append(Event(**json.loads(tags[key])))
    return found


def line(events: Iterable[Event]) -> list[int]:
    """Versions that were in service one after another and not rolled back; the last one is the present."""
    found: list[int] = []
    for event in events:
        if event.action == PROMOTED and event.version is not None:
            found.append(event.version)
        elif event.action == ROLLED_BACK:
            while found and found[-1] != event.version:
                found.pop()
    return found


def before(events: Iterable[Event], champion: int | None) -> list[int]:
    """Versions that were in service before ``champion``, the latest first, each once."""
    found = line(events)
    if champion in found:
        # What stands after it in line was put there by someone else at the same instant.
        found = found[: len(found) - found[::-1].index(champion) - 1]
    return list(dict.fromkeys(number for number in reversed(found) if number != champion))


def seals(events: Iterable[Event]) -> dict[int, str]:
    """The seal of each version that ever was in service."""
    return {event.version: event.seal for event in events if event.version is not None and event.seal}

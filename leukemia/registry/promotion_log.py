"""Who put which model version in service, when and why.

Each change is a tag of its own on MLflow's registered model (and on the version): nothing is ever
overwritten, and two changes at once are both on record.
"""

import contextlib
import json
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

KEY = "history."
NUMBERED = re.compile(r"history\.n(\d{9})\.")
PROMOTED, ROLLED_BACK = "promoted", "rolled back"


@dataclass(frozen=True)
class Event:
    """One change of the model in service.

    Attributes
    ----------
    action : str
        :data:`PROMOTED` or :data:`ROLLED_BACK`.
    version, earlier : int or None
        What answers from then on and what answered before; None for the built-in model.
    by, reason : str
        Who did it, and why: untrusted text.
    at : str
        ISO 8601, UTC.
    record_sha256 : str
        Of the version's ``bundle.json``, 64 hex digits; empty for the built-in model.
    """

    action: str
    version: int | None
    earlier: int | None
    by: str
    reason: str
    at: str
    record_sha256: str = ""

    def tag(self, earlier: Iterable[str]) -> tuple[str, str]:
        """Make the tag that keeps it: a key that no other event has, behind the keys of ``earlier`` tags.

        It is a number, whatever the clock says; the keys of earlier programs are times.
        """
        known = [key for key in earlier if key.startswith(KEY)]
        numbers = [int(found[1]) for key in known if (found := NUMBERED.match(key))]
        number = max([len(known), *numbers]) + 1
        content = asdict(self)
        content["seal"] = content.pop("record_sha256")
        return f"{KEY}n{number:09d}.{secrets.token_hex(4)}", json.dumps(content, ensure_ascii=False)


def events(tags: Mapping[str, str]) -> list[Event]:
    """The events among tags, the first one first; a tag that is none is ignored."""
    out = []
    for key in sorted(key for key in tags if key.startswith(KEY)):
        with contextlib.suppress(ValueError, TypeError, AttributeError):
            content = json.loads(tags[key])
            out.append(Event(record_sha256=content.pop("seal", ""), **content))
    return out


def before(history: Iterable[Event], champion: int | None) -> list[int]:
    """Versions that were in service before ``champion`` and not rolled back, the latest first, each once."""
    line: list[int] = []
    for event in history:
        if event.action == PROMOTED and event.version is not None:
            line.append(event.version)
        elif event.action == ROLLED_BACK:
            while line and line[-1] != event.version:
                line.pop()
    if champion in line:
        # What stands after it in line was put there by someone else at the same instant.
        line = line[: len(line) - line[::-1].index(champion) - 1]
    return list(dict.fromkeys(number for number in reversed(line) if number != champion))


def checksums(history: Iterable[Event]) -> dict[int, str]:
    """SHA-256 of the ``bundle.json`` of each version that was ever in service."""
    return {
        event.version: event.record_sha256
        for event in history
        if event.version is not None and event.record_sha256
    }

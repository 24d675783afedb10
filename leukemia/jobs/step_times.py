"""How long a step took before: one that nobody can count takes about as long again."""

import contextlib
import json
from pathlib import Path
from typing import Any

RECORD, PROGRESS = "job.json", "progress.json"
TOOK = "took"
# Earlier jobs that are read.
MOST = 12


def kind_of(folder: str) -> str:
    """The kind of a job, by the name of its folder: its start, its kind and a few random letters."""
    return folder.partition("-")[2].rpartition("-")[0]


def read(path: Path) -> dict[str, Any] | None:
    """The object that a JSON file holds, or None where it is missing or damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def before(folder: Path) -> dict[str, float]:
    """Seconds that each uncounted step took in earlier jobs of the same kind.

    Those of the same title go before others, and later ones before earlier ones.

    Parameters
    ----------
    folder : Path
        The job's own folder, among those of the others.
    """
    kind = kind_of(folder.name)
    others = sorted(one for one in folder.parent.glob(f"*-{kind}-*") if kind_of(one.name) == kind)
    latest = [one for one in reversed(others) if one.name != folder.name][:MOST]
    title = _title(folder)
    latest.sort(key=lambda one: _title(one) != title)
    out: dict[str, float] = {}
    for other in latest:
        took = (read(other / PROGRESS) or {}).get(TOOK)
        for what, seconds in took.items() if isinstance(took, dict) else ():
            with contextlib.suppress(TypeError, ValueError):
                out.setdefault(what, float(seconds))
    return out


def _title(folder: Path) -> object:
    return (read(folder / RECORD) or {}).get("title")

"""Model versions in MLflow's registry: registered and listed.

Which of them answers in the clinic is changed in :mod:`leukemia.registry.promotion`.
"""

import contextlib
import hashlib
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leukemia.bundles import bundle as bundles
from leukemia.errors import RegistryError
from leukemia.registry import bundle_cache, promotion_log
from leukemia.registry.promotion_log import Event
from leukemia.tracking import mlflow_client, registry_state, sqlite
from leukemia.tracking.registry_state import CHAMPION, MODEL

if TYPE_CHECKING:
    import mlflow
    from mlflow.entities.model_registry import ModelVersion

PAGE = 1_000
NOTHING = "nothing was registered yet"
# Tags of a version whose threshold was changed, and of its run.
CHANGED_BY, REASON, CHOSEN, BEFORE = "changed_by", "reason", "chosen", "threshold_before"
MADE_FROM, MADE_FROM_RUN = "made_from", "made_from_run"


@dataclass(frozen=True)
class Version:
    """One model version, as the registry tells of it.

    Attributes
    ----------
    number : int
        MLflow's version number.
    run_id, recipe : str
        The run that made it, and the recipe.
    created : datetime
        When it was registered, UTC.
    aliases : tuple of str
        Such as ``champion``.
    figures : dict
        Held-out figures: name to value, low and high (95 % interval over patients).
    events : tuple of Event
        When it was put in service, by whom and why; the first one first.
    facts : dict of str to str
        ``threshold``, ``digest`` (SHA-256 of the network), ``seal`` (of ``bundle.json``),
        ``held_out`` (tells sets of held-out cells apart), ``split``, ``folds``, ``synthetic``,
        ``data_fingerprint``; where its threshold was changed, what :func:`last_change` tells.
    """

    number: int
    run_id: str
    recipe: str
    created: datetime
    aliases: tuple[str, ...]
    figures: dict[str, dict[str, float | None]]
    events: tuple[Event, ...]
    facts: dict[str, str]

    @property
    def in_service(self) -> bool:
        """Whether it is the champion."""
        return CHAMPION in self.aliases

    @property
    def recall(self) -> float | None:
        """Held-out recall (sensitivity) at its own threshold."""
        return self.figures.get("sensitivity", {}).get("value")


def register(client: "mlflow.MlflowClient", run_id: str, folder: Path) -> int:
    """Make a finished run's bundle a model version; return its number.

    The bundle must be the run's artifact. Registering it twice makes no second version.

    Raises
    ------
    BundleError
        Where the bundle is not whole.
    mlflow.exceptions.MlflowException
        And what else :func:`mlflow_client.faults` lists.
    """
    from mlflow.exceptions import MlflowException

    tags = _facts(bundles.read(folder))
    try:
        client.create_registered_model(MODEL)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    for known in client.search_model_versions(f"run_id = '{run_id}'"):
        if known.tags.get("seal") == tags["seal"]:
            return int(known.version)
    return int(
        client.create_model_version(
            MODEL, f"runs:/{run_id}/{bundle_cache.ARTIFACT}", run_id, tags=tags
        ).version
    )


def versions(data: Path) -> list[Version]:
    """All model versions, the newest first; raises RegistryError where it cannot be asked."""
    said = ask(data)
    events = promotion_log.of(said.tags)
    made = (_version(one, said.aliases, events) for one in _kept(data))
    return sorted(made, key=lambda version: version.number, reverse=True)


def version(data: Path, number: int) -> Version:
    """One model version; raises RegistryError where there is none of this number."""
    said = ask(data)
    trouble = f"There is no model version {number}"
    if mlflow_client.database(data):
        kept = {one.number: one for one in _kept(data)}
        if number not in kept:
            raise RegistryError(f"{trouble}." if kept else f"{trouble}: {NOTHING}.")
        found = kept[number]
    else:
        with mlflow_client.asked(trouble):
            found = _told(mlflow_client.client(data).get_model_version(MODEL, str(number)))
    return _version(found, said.aliases, promotion_log.of(said.tags))


def bundle(data: Path, number: int) -> bundles.Bundle:
    """A version's bundle, fetched to this machine and checked; raises RegistryError."""
    found = version(data, number)
    return bundle_cache.fetch(data, number, found.run_id, found.facts.get("seal", ""))


def past(data: Path) -> list[Event]:
    """Who put which version in service, when and why; the first one first."""
    return promotion_log.of(ask(data).tags)


def _facts(bundle: bundles.Bundle) -> dict[str, str]:
    """Make the tags that a version is listed by, so that listing opens no bundle."""
    return {
        "recipe": bundle.recipe,
        "figures": json.dumps(bundle.estimates),
        "threshold": repr(bundle.threshold),
        "digest": bundle.digest,
        "seal": bundles.checksum(bundle.folder / bundles.RECORD),
        "held_out": held_out(bundle),
        "split": bundle.record["split"]["by"],
        "folds": str(bundle.folds),
        "synthetic": "yes" if bundle.synthetic else "no",
        "data_fingerprint": bundle.record["data"]["fingerprint"],
        **last_change(bundle),
    }


def last_change(bundle: bundles.Bundle) -> dict[str, str]:
    """Tags that say who changed its threshold last, and why; none where nobody did.

    Returns
    -------
    dict of str to str
        ``changed_by``, ``reason``, ``chosen`` (how), ``threshold_before``, ``made_from`` (the version's
        name) and ``made_from_run`` (its run in MLflow, where it has one).
    """
    change = next(iter(reversed(bundle.record.get("changes") or [])), None)
    if not change:
        return {}
    told = {CHANGED_BY: "who", REASON: "reason", CHOSEN: "chosen", BEFORE: "old", MADE_FROM: "from"}
    told |= {MADE_FROM_RUN: "from_run"} if change.get("from_run") else {}
    return {tag: str(change.get(name, "")) for tag, name in told.items()}


def held_out(bundle: bundles.Bundle) -> str:
    """Tell sets of held-out cells apart, whatever their order."""
    return hashlib.sha256("\n".join(sorted(bundle.predictions["image_id"])).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class _Kept:
    """One version as MLflow keeps it; ``created`` in milliseconds since 1970."""

    number: int
    run_id: str
    created: int
    tags: dict[str, str] = field(default_factory=dict)


def _kept(data: Path) -> list[_Kept]:
    """Read MLflow's SQLite file where it is one: MLflow itself takes seconds, while a page waits."""
    file = mlflow_client.database(data)
    if file and not file.exists():
        return []
    try:
        if file:
            with sqlite.reading(file) as database:
                return _from_tables(database)
    except RegistryError as error:
        raise RegistryError(f"The model versions cannot be listed: {error}.") from error
    except sqlite.Unexpected:
        pass
    with mlflow_client.asked("The model versions cannot be listed"):
        return _through_mlflow(data)


def _from_tables(database: sqlite3.Connection) -> list[_Kept]:
    rows = database.execute(
        "SELECT version, run_id, creation_time FROM model_versions WHERE name = ? AND current_stage IS NOT ?",
        (MODEL, sqlite.DELETED),
    )
    found = {row[0]: _Kept(int(row[0]), row[1] or "", row[2]) for row in rows}
    tags = "SELECT version, key, value FROM model_version_tags WHERE name = ?"
    for number, key, value in database.execute(tags, (MODEL,)):
        if number in found:
            found[number].tags[key] = value or ""
    return list(found.values())


def _through_mlflow(data: Path) -> list[_Kept]:
    client, found, token = mlflow_client.client(data), [], None
    while token is None or token:
        page = client.search_model_versions(f"name = '{MODEL}'", max_results=PAGE, page_token=token)
        found += page
        token = page.token or ""
    return [_told(one) for one in found]


def _told(one: "ModelVersion") -> _Kept:
    return _Kept(int(one.version), one.run_id or "", one.creation_timestamp, dict(one.tags))


def _version(one: _Kept, aliases: Mapping[str, int], events: list[Event]) -> Version:
    number, tags = one.number, dict(one.tags)
    figures: Any = {}
    with contextlib.suppress(ValueError):
        figures = json.loads(tags.pop("figures", "{}"))
    return Version(
        number=number,
        run_id=one.run_id,
        recipe=tags.pop("recipe", ""),
        created=datetime.fromtimestamp(one.created / 1000, UTC),
        aliases=tuple(sorted(alias for alias, held in aliases.items() if held == number)),
        figures=figures,
        events=tuple(event for event in events if event.version == number),
        facts={key: value for key, value in tags.items() if not key.startswith(promotion_log.KEY)},
    )


def ask(data: Path) -> registry_state.Standing:
    """Ask what is in service; raises RegistryError with a whole sentence."""
    try:
        return registry_state.read(data)
    except RegistryError as error:
        raise RegistryError(f"The registry of model versions cannot be asked: {error}.") from error

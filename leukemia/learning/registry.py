"""Model versions in MLflow's registry: registered and listed.

Which of them answers in the clinic is changed in :mod:`leukemia.learning.promotion`.
"""

import contextlib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leukemia import bundle as bundles
from leukemia.errors import RegistryError
from leukemia.learning import history, shelf, standing, tracking
from leukemia.learning.history import Event
from leukemia.learning.standing import CHAMPION, MODEL

if TYPE_CHECKING:
    import mlflow
    from mlflow.entities.model_registry import ModelVersion

PAGE = 1_000


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
        ``data_fingerprint``.
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
        And what else :func:`tracking.faults` lists.
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
        client.create_model_version(MODEL, f"runs:/{run_id}/{shelf.ARTIFACT}", run_id, tags=tags).version
    )


def versions(data: Path) -> list[Version]:
    """All model versions, the newest first; raises RegistryError where it cannot be asked."""
    said = ask(data)
    if tracking.database(data) and not tracking.database(data).exists():
        return []
    with tracking.asked("The model versions cannot be listed"):
        client, found, token = tracking.client(data), [], None
        while token is None or token:
            page = client.search_model_versions(f"name = '{MODEL}'", max_results=PAGE, page_token=token)
            found += page
            token = page.token or ""
    events = history.of(said.tags)
    made = (_version(one, said.aliases, events) for one in found)
    return sorted(made, key=lambda version: version.number, reverse=True)


def version(data: Path, number: int) -> Version:
    """One model version; raises RegistryError where there is none of this number."""
    said = ask(data)
    if tracking.database(data) and not tracking.database(data).exists():
        raise RegistryError(f"There is no model version {number}: nothing was registered yet.")
    with tracking.asked(f"There is no model version {number}"):
        found = tracking.client(data).get_model_version(MODEL, str(number))
    return _version(found, said.aliases, history.of(said.tags))


def bundle(data: Path, number: int) -> bundles.Bundle:
    """A version's bundle, fetched to this machine and checked; raises RegistryError."""
    found = version(data, number)
    return shelf.fetch(data, number, found.run_id, found.facts.get("seal", ""))


def past(data: Path) -> list[Event]:
    """Who put which version in service, when and why; the first one first."""
    return history.of(ask(data).tags)


def _facts(bundle: bundles.Bundle) -> dict[str, str]:
    """Make the tags that a version is listed by, so that listing opens no bundle."""
    return {
        "recipe": bundle.recipe,
        "figures": json.dumps(bundle.figures),
        "threshold": repr(bundle.threshold),
        "digest": bundle.digest,
        "seal": bundles.checksum(bundle.folder / bundles.RECORD),
        "held_out": held_out(bundle),
        "split": bundle.record["split"]["by"],
        "folds": str(bundle.folds),
        "synthetic": "yes" if bundle.synthetic else "no",
        "data_fingerprint": bundle.record["data"]["fingerprint"],
    }


def held_out(bundle: bundles.Bundle) -> str:
    """Tell sets of held-out cells apart, whatever their order."""
    return hashlib.sha256("\n".join(sorted(bundle.predictions["image_id"])).encode()).hexdigest()[:16]


def _version(one: "ModelVersion", aliases: Mapping[str, int], events: list[Event]) -> Version:
    number, tags = int(one.version), dict(one.tags)
    figures: Any = {}
    with contextlib.suppress(ValueError):
        figures = json.loads(tags.pop("figures", "{}"))
    return Version(
        number=number,
        run_id=one.run_id or "",
        recipe=tags.pop("recipe", ""),
        created=datetime.fromtimestamp(one.creation_timestamp / 1000, UTC),
        aliases=tuple(sorted(alias for alias, held in aliases.items() if held == number)),
        figures=figures,
        events=tuple(event for event in events if event.version == number),
        facts={key: value for key, value in tags.items() if not key.startswith(history.KEY)},
    )


def ask(data: Path) -> standing.Standing:
    """Ask what is in service; raises RegistryError with a whole sentence."""
    try:
        return standing.read(data)
    except RegistryError as error:
        raise RegistryError(f"The registry of model versions cannot be asked: {error}.") from error

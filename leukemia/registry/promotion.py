"""Which model version answers in the clinic: promoted, rolled back, looked at.

The alias ``champion`` is the version that answers, ``challenger`` the one that is being looked at. Who
put what in service, when and why is kept in :mod:`leukemia.registry.promotion_log`.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from leukemia import settings
from leukemia.attribution import attribute
from leukemia.bundles import bundle as bundles
from leukemia.errors import BundleError, RegistryError
from leukemia.registry import bundle_cache, promotion_log, versions
from leukemia.registry.promotion_log import Event
from leukemia.registry.versions import Version
from leukemia.storage.locks import exclusive
from leukemia.storage.workspace import Workspace
from leukemia.tracking import mlflow_client
from leukemia.tracking.registry_state import CHALLENGER, CHAMPION, MODEL

SHIPPED = "the model that came with the program"


@dataclass(frozen=True)
class Change:
    """What :func:`promote` or :func:`roll_back` did, and what to be wary of."""

    event: Event
    warnings: tuple[str, ...] = ()


def warnings(data: Path, candidate: Version) -> tuple[str, ...]:
    """What to be wary of before a version is put in service, each in a sentence."""
    present, recall, held_out = _present(data)
    found = []
    if recall is not None and candidate.recall is not None and candidate.recall < recall:
        alike = candidate.facts.get("held_out") == held_out
        others = "" if alike else " They were judged on different cells."
        found.append(
            f"Held-out recall falls from {recall:.3f} ({present}) to {candidate.recall:.3f} "
            f"(version {candidate.number}): more ALL cells are missed.{others}"
        )
    if candidate.facts.get("synthetic") == "yes":
        found.append(f"Version {candidate.number} learned from drawn cells only.")
    if candidate.facts.get("split") != "patient":
        found.append(f"Version {candidate.number} was judged on patients that it had learned from.")
    if settings.load().model_given:
        found.append("LEUKEMIA_MODEL names the bundle that answers here: until it is unset, that one does.")
    return tuple(found)


def promote(data: Path, number: int, who: str, reason: str) -> Change:
    """Put a version in service.

    Parameters
    ----------
    data : Path
        The data folder.
    number : int
        The version.
    who, reason : str
        Kept with it for good; neither may be empty.

    Raises
    ------
    RegistryError
        Where name or reason is missing, there is no such version, it answers already, its bundle is
        not whole, or the registry cannot be asked. What answers is then as it was.
    """
    given = attribute(who, reason, RegistryError)
    with _alone(data):
        said = versions.ask(data)
        candidate = versions.version(data, number)
        if said.champion == number:
            raise RegistryError(f"Version {number} is in service already.")
        seal = candidate.facts.get("seal", "")
        bundle_cache.fetch(data, number, candidate.run_id, seal)
        found = warnings(data, candidate)
        event = Event(promotion_log.PROMOTED, number, said.champion, given.who, given.why, given.at, seal)
        _write(data, event)
        if candidate.number == said.aliases.get(CHALLENGER):
            challenge(data, None)
    return Change(event, found)


def roll_back(data: Path, who: str, reason: str) -> Change:
    """Put the version in service that was before the present one, or the shipped bundle.

    A version whose bundle is not whole any more is passed over, with a warning. Parameters and what
    is raised are those of :func:`promote`.
    """
    given = attribute(who, reason, RegistryError)
    with _alone(data):
        said = versions.ask(data)
        if said.champion is None:
            raise RegistryError(f"There is nothing to roll back: {SHIPPED} is in service.")
        found: list[str] = []
        target, seal = None, ""
        for number in promotion_log.before(promotion_log.of(said.tags), said.champion):
            try:
                earlier = versions.version(data, number)
                bundle_cache.fetch(data, number, earlier.run_id, earlier.facts.get("seal", ""))
            except RegistryError as error:
                found.append(f"Version {number} was passed over. {error}")
                continue
            target, seal = number, earlier.facts.get("seal", "")
            break
        event = Event(promotion_log.ROLLED_BACK, target, said.champion, given.who, given.why, given.at, seal)
        _write(data, event)
    return Change(event, tuple(found))


def challenge(data: Path, number: int | None) -> None:
    """Say which version is being looked at beside the champion; None for none."""
    with mlflow_client.asked("The challenger cannot be set"):
        client = mlflow_client.client(data)
        if number is None:
            client.delete_registered_model_alias(MODEL, CHALLENGER)
        else:
            client.set_registered_model_alias(MODEL, CHALLENGER, str(number))


def _present(data: Path) -> tuple[str, float | None, str]:
    """What answers now: its name, its held-out recall, on which cells."""
    champion = versions.ask(data).champion
    try:
        if champion is not None:
            found = versions.version(data, champion)
            return f"version {champion}", found.recall, found.facts.get("held_out", "")
        shipped = bundles.read(settings.SHIPPED)
        return SHIPPED, shipped.estimates.get("sensitivity", {}).get("value"), versions.held_out(shipped)
    except (RegistryError, BundleError):
        return "what is in service", None, ""


@contextlib.contextmanager
def _alone(data: Path) -> Iterator[None]:
    """One change at a time on a data folder."""
    folder = Workspace(data).serving.resolve()
    busy = RegistryError("Someone else is changing the model in service at the moment. Try again.")
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(exclusive(folder / "lock", 30, busy))
        except OSError as error:
            raise RegistryError(f"{folder} cannot be written: {error.strerror or error}.") from error
        yield


def _write(data: Path, event: Event) -> None:
    """Keep who and why first, then change what answers: no change is without its reason."""
    key, value = event.tag()
    with mlflow_client.asked("The model in service is as it was"):
        client = mlflow_client.client(data)
        try:
            if event.version is not None:
                client.set_model_version_tag(MODEL, str(event.version), key, value)
            client.set_registered_model_tag(MODEL, key, value)
            if event.version is None:
                client.delete_registered_model_alias(MODEL, CHAMPION)
            else:
                client.set_registered_model_alias(MODEL, CHAMPION, str(event.version))
        except mlflow_client.faults():
            # What did not come about is no history.
            with contextlib.suppress(*mlflow_client.faults()):
                client.delete_registered_model_tag(MODEL, key)
                if event.version is not None:
                    client.delete_model_version_tag(MODEL, str(event.version), key)
            raise

"""Which model version is in service: promoted and rolled back.

The alias ``champion`` is the version in service, ``challenger`` one that is being considered. Who put
which in service, when and why is kept in :mod:`leukemia.registry.promotion_log`.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from leukemia import settings
from leukemia.access import permissions
from leukemia.access.permissions import Action
from leukemia.attribution import Attribution, attribute
from leukemia.bundles import bundle as bundles
from leukemia.bundles import engine
from leukemia.bundles.bundle import Bundle
from leukemia.errors import BundleError, RecordsError, RegistryError
from leukemia.registry import bundle_cache, promotion_log, promotion_review, promotion_trail, versions
from leukemia.registry.promotion_log import Event
from leukemia.registry.versions import Version
from leukemia.storage import database
from leukemia.storage.locks import exclusive
from leukemia.storage.workspace import Workspace
from leukemia.tracking import mlflow_client, registry_writer
from leukemia.tracking.records import CHALLENGER, RegistryState

NOTHING_TO_COMPARE = "The model in service cannot be read, so there is nothing to compare with."


@dataclass(frozen=True)
class Change:
    """What :func:`promote` or :func:`roll_back` did, and which versions were passed over."""

    event: Event
    warnings: tuple[str, ...] = ()


def warnings(data: Path, candidate: Version) -> tuple[str, ...]:
    """What a person must have read before a version is put in service, each in a sentence or two.

    Raises RegistryError where its bundle is not whole, or the registry cannot be read.
    """
    return _against(
        data, f"Version {candidate.number}", candidate.bundle or versions.bundle(data, candidate.number)
    )


def rollback_warnings(data: Path) -> tuple[str, ...]:
    """The same of what :func:`roll_back` would put in service, and which versions it would pass over."""
    target = _earlier(data, versions.registry_state(data))
    name = f"Version {target.number}" if target.number else settings.BUILT_IN.capitalize()
    try:
        bundle = target.bundle or bundles.read(settings.SHIPPED)
    except BundleError as error:
        raise RegistryError(f"{name} cannot be read. {error}") from error
    return (*target.skipped, *_against(data, name, bundle))


def _against(data: Path, name: str, bundle: Bundle) -> tuple[str, ...]:
    """What speaks against a bundle that would be put in service instead of the present one."""
    present, served = _present(data)
    out = []
    if served and (fall := promotion_review.fall_in_recall(bundle, served, (name, present))):
        out.append(fall)
    if bundle.synthetic:
        out.append(f"{name} was trained on synthetic cells only.")
    if bundle.leaky:
        out.append(f"{name} was tested on patients it was also trained on.")
    if settings.load().model_given:
        out.append(
            "LEUKEMIA_MODEL sets the model in service here. Until it is unset, this change has no effect."
        )
    if served is None:
        return (*out, NOTHING_TO_COMPARE, *promotion_review.missing(bundle))
    return (*out, *promotion_review.review(data, bundle, served, (name, present)))


@permissions.requires(Action.PROMOTE, signed_by="who")
def promote(data: Path, number: int, who: str, reason: str) -> Change:
    """Put a version in service. Whoever does must have read its :func:`warnings`.

    Parameters
    ----------
    data : Path
        The data folder.
    number : int
        The version.
    who, reason : str
        Kept with it for good; see :mod:`leukemia.attribution`.

    Raises
    ------
    RegistryError
        Where name or reason is missing, there is no such version, it is in service already, its bundle
        is not whole or its network cannot answer, or the registry cannot be read. What is in service is then
        as it was.
    """
    given = attribute(who, reason, RegistryError)
    with _alone(data):
        state = versions.registry_state(data)
        candidate = versions.version(data, number)
        if state.champion == number:
            raise RegistryError(f"Version {number} is already in service.")
        bundle = bundle_cache.fetch(data, number, candidate.run_id, candidate.record_sha256)
        try:
            engine.check(bundle)
        except BundleError as error:
            raise RegistryError(f"Version {number} cannot answer. {error}") from error
        event = _write(data, promotion_log.PROMOTED, state, given, number, candidate.record_sha256)
        _end_challenge(data, state, candidate.number)
    return Change(event)


@permissions.requires(Action.ROLL_BACK, signed_by="who")
def roll_back(data: Path, who: str, reason: str) -> Change:
    """Put the version in service that was before the present one, or the built-in model.

    A version whose bundle is not whole any more is skipped, with a warning. Whoever does must have read the
    :func:`rollback_warnings`. Parameters and what is raised are those of :func:`promote`.
    """
    given = attribute(who, reason, RegistryError)
    with _alone(data):
        state = versions.registry_state(data)
        target = _earlier(data, state)
        checksum = bundles.checksum(target.bundle.folder / bundles.RECORD) if target.bundle else ""
        event = _write(data, promotion_log.ROLLED_BACK, state, given, target.number, checksum)
        _end_challenge(data, state, target.number)
    return Change(event, target.skipped)


@dataclass(frozen=True)
class _Earlier:
    """What answered before: a version with its bundle, or None and None for the built-in model."""

    number: int | None
    bundle: Bundle | None
    skipped: tuple[str, ...]


def _earlier(data: Path, state: RegistryState) -> _Earlier:
    if state.champion is None:
        raise RegistryError(
            f"{settings.BUILT_IN.capitalize()} is in service; there is nothing to roll back to."
        )
    skipped: list[str] = []
    for number in promotion_log.before(promotion_log.events(state.tags), state.champion):
        try:
            return _Earlier(number, versions.bundle(data, number), tuple(skipped))
        except RegistryError as error:
            skipped.append(f"Version {number} was skipped. {error}")
    return _Earlier(None, None, tuple(skipped))


@permissions.requires(Action.PROMOTE)
def challenge(data: Path, number: int | None) -> None:
    """Say which version is being considered beside the champion; None for none.

    Raises RegistryError where it is in service itself, somebody else is changing what is, or the registry
    cannot be read or written.
    """
    with _alone(data):
        if number is not None and number == versions.registry_state(data).champion:
            raise RegistryError(f"Version {number} is in service, so it cannot be the challenger.")
        _set_challenger(data, number)


def _end_challenge(data: Path, state: RegistryState, number: int | None) -> None:
    """What is in service now is considered no longer."""
    if number is not None and number == state.aliases.get(CHALLENGER):
        # The change is made by now, and must not be told as one that failed.
        with contextlib.suppress(RegistryError):
            _set_challenger(data, None)


def _set_challenger(data: Path, number: int | None) -> None:
    with mlflow_client.translated("The challenger cannot be set"):
        registry_writer.set_alias(data, CHALLENGER, number)


def _present(data: Path) -> tuple[str, Bundle | None]:
    """What is in service now: its name and its bundle, None where that cannot be read."""
    champion = versions.registry_state(data).champion
    try:
        if champion is not None:
            return f"version {champion}", versions.bundle(data, champion)
        return settings.BUILT_IN, bundles.read(settings.SHIPPED)
    except (RegistryError, BundleError):
        return "the model in service", None


@contextlib.contextmanager
def _alone(data: Path) -> Iterator[None]:
    """One change at a time on a data folder."""
    folder = Workspace(Path(data).resolve()).serving
    busy = RegistryError("Someone else is changing the model in service at the moment. Try again.")
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(exclusive(folder / "lock", 30, busy))
        except OSError as error:
            raise RegistryError(f"{folder} cannot be written: {error.strerror or error}.") from error
        yield


def _write(
    data: Path, action: str, state: RegistryState, given: Attribution, number: int | None, record_sha256: str
) -> Event:
    """Record who and why first, then change what is in service: no change is without its reason."""
    event = Event(action, number, state.champion, given.who, given.why, given.at, record_sha256)
    key, value = event.tag(state.tags)
    try:
        # What is in service changes before the trail is committed: neither is there without the other.
        with database.writing(data) as connection:
            promotion_trail.append_missing(connection, state.tags)
            promotion_trail.append(connection, event, key)
            with mlflow_client.translated("The model in service is unchanged"):
                registry_writer.set_champion(data, number, key, value)
    except RecordsError as error:
        raise RegistryError(f"The model in service is unchanged. {error}") from error
    return event

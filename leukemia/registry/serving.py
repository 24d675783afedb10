"""Which bundle is in service, and the way down where it cannot be used.

1. ``LEUKEMIA_MODEL``, where it names one outright;
2. the version that MLflow's alias ``champion`` names, if its bundle is whole;
3. the last version in service before it whose bundle is;
4. the bundle that came with the program.

Where the registry cannot be asked, the version that answered here last goes on answering. Each step
down is told in a notice; none is an exception.
"""

import contextlib
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from leukemia import settings
from leukemia.bundles import bundle as bundles
from leukemia.errors import RegistryError
from leukemia.registry import bundle_cache, promotion_log
from leukemia.tracking import mlflow_client, registry_state
from leukemia.tracking.deadline import within

# Seconds: for a bundle to come from elsewhere; between two looks of a watch; for a page to wait for one.
FETCHING = 10.0
EVERY, WAIT = 4.0, 0.5
PROGRAMS = "The model that came with the program answers."


@dataclass(frozen=True)
class InService:
    """The bundle that answers.

    Attributes
    ----------
    bundle : Bundle
        Read and checked.
    version : int or None
        The model version; None for a bundle named outright or shipped.
    notice : str
        Empty, or in a sentence or two why it is not the one that was put in service.
    """

    bundle: bundles.Bundle
    version: int | None = None
    notice: str = ""


def find() -> InService:
    """Find the bundle that answers, as the settings and the registry are now.

    Raises
    ------
    BundleError
        Only where the last resort, too, is missing or not whole.
    """
    given = settings.load()
    if given.model_given:
        return InService(bundles.read(given.model))
    try:
        said = registry_state.read(given.data)
    except RegistryError as error:
        return _last_known(given.data, f"The registry of model versions cannot be asked: {error}.")
    if said.champion is not None:
        return _champion(given.data, said, said.champion)
    if not said.tags and bundle_cache.recall(given.data):
        return _last_known(given.data, "The registry of model versions is gone: it knows of none.")
    bundle_cache.forget(given.data)
    return InService(bundles.read(given.model))


def _champion(data: Path, said: registry_state.Standing, champion: int) -> InService:
    """The champion, or the last one before it that is whole."""
    events = promotion_log.of(said.tags)
    seals = promotion_log.seals(events)
    trouble = ""
    for number in (champion, *promotion_log.before(events, champion)):
        try:
            bundle = _fetch(data, number, seals.get(number, ""))
        except RegistryError as error:
            trouble = trouble or str(error)
            continue
        bundle_cache.remember(data, number, bundles.checksum(bundle.folder / bundles.RECORD))
        if number == champion:
            return InService(bundle, number)
        instead = f"Version {number}, in service before it, answers."
        return InService(bundle, number, _trouble(champion, trouble, instead))
    return InService(bundles.read(settings.SHIPPED), None, _trouble(champion, trouble, PROGRAMS))


def _trouble(champion: int, trouble: str, instead: str) -> str:
    return f"Version {champion}, which should be in service, cannot be used. {trouble} {instead}"


def _fetch(data: Path, number: int, seal: str) -> bundles.Bundle:
    """A version's bundle, from this machine or from MLflow, with patience for a while."""
    found = bundle_cache.kept(data, number, seal) if seal else None
    if found:
        return found
    key = ("bundle", mlflow_client.uri(data), number)
    try:
        return within(FETCHING, key, lambda: _from_mlflow(data, number))
    except TimeoutError as error:
        raise RegistryError(f"The bundle of version {number} is still on its way here.") from error


def _from_mlflow(data: Path, number: int) -> bundles.Bundle:
    from leukemia.registry import versions

    return versions.bundle(data, number)


def _last_known(data: Path, trouble: str) -> InService:
    known = bundle_cache.recall(data)
    bundle = bundle_cache.kept(data, *known) if known else None
    if known and bundle:
        return InService(bundle, known[0], f"{trouble} Version {known[0]} answered here last and goes on.")
    return InService(bundles.read(settings.SHIPPED), None, f"{trouble} {PROGRAMS}")


class Watch:
    """Keeps what is in service, and looks again every few seconds while it is asked.

    Safe to share between threads. Who asks waits for the first look, and for a later one only half a
    second: what was in service goes on meanwhile.
    """

    def __init__(self) -> None:
        self._found: InService | None = None
        self._due = 0.0
        self._lock = threading.Lock()

    def now(self) -> InService:
        """What is in service; raises BundleError as :func:`find` does."""
        with self._lock:
            if self._found is None:
                self._look()
            elif time.monotonic() >= self._due:
                with contextlib.suppress(TimeoutError):
                    within(WAIT, ("in service", id(self)), self._look)
            return self._found

    def _look(self) -> None:
        self._found = find()
        self._due = time.monotonic() + EVERY

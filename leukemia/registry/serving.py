"""Which bundle answers, and what answers instead where it cannot be used.

1. ``LEUKEMIA_MODEL``, where it names one;
2. the version that MLflow's alias ``champion`` names, if its bundle is whole;
3. the last version in service before it whose bundle is;
4. the built-in model.

Where the registry cannot be read, the version that answered here last continues to answer. Each step
down has a notice; none is an exception.
"""

import contextlib
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from leukemia import settings
from leukemia.bundles import bundle as bundles
from leukemia.errors import RegistryError
from leukemia.registry import bundle_cache, promotion_log, versions
from leukemia.tracking import mlflow_client
from leukemia.tracking.deadline import run_with_timeout
from leukemia.tracking.records import RegistryState
from leukemia.tracking.store import open_store

# Seconds: for a bundle to be downloaded; between two checks of a watch; for a page to wait for one.
FETCH_TIMEOUT = 10.0
EVERY, WAIT = 4.0, 0.5
BUILT_IN_ANSWERS = "The built-in model is used instead."


@dataclass(frozen=True)
class InService:
    """The bundle that answers.

    Attributes
    ----------
    bundle : Bundle
        Read and checked.
    version : int or None
        The model version; None for the built-in model or one that ``LEUKEMIA_MODEL`` names.
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
        with open_store(given.data, versions.TROUBLE) as store:
            state = store.registry_state()
    except RegistryError as error:
        return _last_served(given.data, str(error))
    if state.champion is not None:
        return _champion(given.data, state, state.champion)
    if not state.tags and bundle_cache.last_served(given.data):
        return _last_served(given.data, "The list of model versions is now empty: its data are missing.")
    bundle_cache.note_built_in_served(given.data)
    return InService(bundles.read(given.model))


def _champion(data: Path, state: RegistryState, champion: int) -> InService:
    """The champion, or the last one before it that is whole."""
    events = promotion_log.events(state.tags)
    checksums = promotion_log.checksums(events)
    trouble = ""
    for number in (champion, *promotion_log.before(events, champion)):
        try:
            bundle = _fetch(data, number, checksums.get(number, ""))
        except RegistryError as error:
            trouble = trouble or str(error)
            continue
        bundle_cache.note_served(data, number, bundles.checksum(bundle.folder / bundles.RECORD))
        if number == champion:
            return InService(bundle, number)
        instead = f"Version {number}, in service earlier, is used instead."
        return InService(bundle, number, _notice(champion, trouble, instead))
    return InService(bundles.read(settings.SHIPPED), None, _notice(champion, trouble, BUILT_IN_ANSWERS))


def _notice(champion: int, trouble: str, instead: str) -> str:
    return f"Version {champion} should be in service but cannot be used. {trouble} {instead}"


def _fetch(data: Path, number: int, record_sha256: str) -> bundles.Bundle:
    """A version's bundle, from this machine or, within a time limit, from MLflow."""
    if record_sha256 and (bundle := bundle_cache.cached(data, number, record_sha256)):
        return bundle
    key = ("bundle", mlflow_client.uri(data), number)
    try:
        return run_with_timeout(FETCH_TIMEOUT, key, lambda: versions.bundle(data, number))
    except TimeoutError as error:
        raise RegistryError(f"The bundle of version {number} is still being downloaded.") from error


def _last_served(data: Path, trouble: str) -> InService:
    known = bundle_cache.last_served(data)
    bundle = bundle_cache.cached(data, *known) if known else None
    if known and bundle:
        notice = f"{trouble} Version {known[0]}, the last one used here, stays in use."
        return InService(bundle, known[0], notice)
    return InService(bundles.read(settings.SHIPPED), None, f"{trouble} {BUILT_IN_ANSWERS}")


class Watch:
    """Keeps what is in service, and checks it every few seconds while it is asked.

    Safe to share between threads. The first call waits for the first check; a later one waits half a
    second for a newer check, and then returns what was in service before.
    """

    def __init__(self) -> None:
        self._in_service: InService | None = None
        self._due = 0.0
        self._lock = threading.Lock()

    def now(self) -> InService:
        """What is in service; raises BundleError as :func:`find` does."""
        with self._lock:
            if self._in_service is None:
                self._refresh()
            elif time.monotonic() >= self._due:
                with contextlib.suppress(TimeoutError):
                    run_with_timeout(WAIT, ("in service", id(self)), self._refresh)
            return self._in_service

    def _refresh(self) -> None:
        self._in_service = find()
        self._due = time.monotonic() + EVERY

"""The model that answered the cells of a case, also where another one is in service by now."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from leukemia import settings
from leukemia.bundles import bundle as bundles
from leukemia.bundles.bundle import Bundle
from leukemia.errors import LeukemiaError
from leukemia.registry import bundle_cache, versions


class Answered(Protocol):
    """What a cell of a case says of the model that answered it."""

    @property
    def record_sha256(self) -> str:
        """SHA-256 of its ``bundle.json``."""

    @property
    def version(self) -> int | None:
        """Its number in the registry."""

    @property
    def probability(self) -> float | None:
        """Of ALL; None where the cell was not classified."""


def find_latest(
    data: Path,
    cells: Sequence[Answered],
    in_service: Callable[[], Bundle],
    built_in: Callable[[], Bundle] = lambda: bundles.read(settings.SHIPPED),
) -> Bundle | None:
    """The bundle that answered the latest classified cell, as of :func:`find`; None where there is none."""
    answered = [cell for cell in cells if cell.probability is not None]
    if not answered:
        return None
    return find(data, answered[-1].record_sha256, answered[-1].version, in_service, built_in)


def find(
    data: Path,
    record_sha256: str,
    version: int | None,
    in_service: Callable[[], Bundle],
    built_in: Callable[[], Bundle] = lambda: bundles.read(settings.SHIPPED),
) -> Bundle | None:
    """The bundle with a record; None where it is gone.

    Parameters
    ----------
    data : Path
        The data folder.
    record_sha256 : str
        Of its ``bundle.json``.
    version : int or None
        Its number in the registry.
    in_service, built_in : callable
        Give the bundles that it is most often; whoever has read them passes them on.
    """

    def registered() -> Bundle | None:
        if not version:
            return None
        return bundle_cache.cached(data, version, record_sha256) or versions.bundle(data, version)

    for candidate in (in_service, built_in, registered):
        try:
            found = candidate()
        except (LeukemiaError, OSError):
            continue
        if found and bundles.checksum(found.folder / bundles.RECORD) == record_sha256:
            return found
    return None

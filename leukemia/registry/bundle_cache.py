"""Bundles of model versions on this machine: fetched from MLflow once, checked each time.

They lie in ``serving/`` in the data folder, each in a folder named by version and seal, the SHA-256 of
its ``bundle.json``, which holds the checksums of all its other files. ``last-….json`` beside them says
which version answered last, for when the registry cannot be asked.
"""

import contextlib
import hashlib
import json
import shutil
import tempfile
import time
from pathlib import Path

from leukemia.bundles import bundle as bundles
from leukemia.errors import BundleError, RegistryError
from leukemia.storage.atomic import write_text
from leukemia.storage.workspace import Workspace
from leukemia.tracking import mlflow_client

ARTIFACT = "bundle"
STALE = 24 * 3600.0


def place(data: Path, number: int, seal: str) -> Path:
    """Where a version's bundle lies on this machine, once it was fetched."""
    return Workspace(data).serving.resolve() / f"version-{number}-{seal[:16]}"


def kept(data: Path, number: int, seal: str) -> bundles.Bundle | None:
    """A version's bundle as it lies here, or None where it is missing or was altered."""
    try:
        return _whole(place(data, number, seal), seal)
    except (BundleError, OSError):
        return None


def fetch(data: Path, number: int, run_id: str, seal: str) -> bundles.Bundle:
    """Take a version's bundle from MLflow, unless it lies here whole already.

    Parameters
    ----------
    data : Path
        The data folder.
    number, run_id, seal : int, str, str
        The version, the run whose artifact its bundle is, and the SHA-256 of its ``bundle.json``.

    Raises
    ------
    RegistryError
        Where it is missing there, was altered, or the disk is full; nothing is left half fetched.
    """
    found = kept(data, number, seal)
    if found:
        return found
    if not (run_id and seal):
        raise RegistryError(f"Version {number} was not registered by this program.")
    target = place(data, number, seal)
    with mlflow_client.asked(f"The bundle of version {number} is not to be had"):
        target.parent.mkdir(parents=True, exist_ok=True)
        _sweep(target.parent)
        partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=target.parent))
        try:
            mlflow_client.client(data).download_artifacts(run_id, ARTIFACT, str(partial))
            if not (partial / ARTIFACT).is_dir():
                raise RegistryError(f"The bundle of version {number} is missing from its run.")
            _whole(partial / ARTIFACT, seal)
            _move(partial / ARTIFACT, target)
        except BundleError as error:
            # Where it lay for a moment tells nobody anything.
            told = str(error).replace(f"{partial / ARTIFACT}/", "").replace(str(partial / ARTIFACT), "It")
            raise RegistryError(f"The bundle of version {number} is damaged: {told}") from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return _whole(target, seal)


def remember(data: Path, number: int, seal: str) -> None:
    """Note which version answers; a folder that cannot be written is no reason not to answer."""
    if recall(data) == (number, seal):
        return
    with contextlib.suppress(OSError):
        write_text(_note(data), json.dumps({"version": number, "seal": seal}))


def recall(data: Path) -> tuple[int, str] | None:
    """The version that answered last and its seal, or None where that was the shipped bundle."""
    try:
        found = json.loads(_note(data).read_text(encoding="utf-8"))
        return int(found["version"]), str(found["seal"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def forget(data: Path) -> None:
    """Note that the shipped bundle answers."""
    with contextlib.suppress(OSError):
        _note(data).unlink(missing_ok=True)


def _note(data: Path) -> Path:
    # Another registry has other versions of the same number.
    registry = hashlib.sha256(mlflow_client.uri(data).encode()).hexdigest()[:8]
    return Workspace(data).serving.resolve() / f"last-{registry}.json"


def _whole(folder: Path, seal: str) -> bundles.Bundle:
    bundle = bundles.read(folder)
    if bundles.checksum(folder / bundles.RECORD) != seal:
        raise BundleError(f"{folder / bundles.RECORD} is not the file that was registered.")
    return bundle


def _sweep(folder: Path) -> None:
    """Remove what processes that were killed left half fetched."""
    for left in folder.glob(".partial-*"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > STALE:
                shutil.rmtree(left)


def _move(partial: Path, target: Path) -> None:
    """Put a checked folder where it belongs; what lies there is damaged, or was fetched meanwhile."""
    aside = partial.parent / "aside"
    with contextlib.suppress(FileNotFoundError):
        target.rename(aside)
    try:
        partial.rename(target)
    except OSError:
        if not target.is_dir():
            raise

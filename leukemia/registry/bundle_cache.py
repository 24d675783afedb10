"""Bundles of model versions on this machine: fetched from MLflow once, checked each time.

They lie in ``serving/`` in the data folder, each in a folder named by version and the SHA-256 of its
``bundle.json``, which holds the checksums of all its other files. ``last-….json`` beside them says
which version answered last, for when the registry cannot be read.
"""

import contextlib
import json
from pathlib import Path

from leukemia.bundles import bundle as bundles
from leukemia.errors import BundleError, RegistryError
from leukemia.storage.atomic import partial_folder, write_text
from leukemia.storage.private import make_folder
from leukemia.storage.workspace import Workspace
from leukemia.tracking import mlflow_client, registry_writer


def place(data: Path, number: int, record_sha256: str) -> Path:
    """Where a version's bundle lies on this machine, once it was fetched."""
    return Workspace(Path(data).resolve()).serving / f"version-{number}-{record_sha256[:16]}"


def cached(data: Path, number: int, record_sha256: str) -> bundles.Bundle | None:
    """A version's bundle from this machine, or None where it is missing or was altered."""
    try:
        return _read(place(data, number, record_sha256), record_sha256)
    except (BundleError, OSError):
        return None


def fetch(data: Path, number: int, run_id: str, record_sha256: str) -> bundles.Bundle:
    """A version's bundle: from this machine, or else downloaded from MLflow.

    Parameters
    ----------
    data : Path
        The data folder.
    number, run_id, record_sha256 : int, str, str
        The version, the run whose artifact its bundle is, and the SHA-256 of its ``bundle.json``.

    Raises
    ------
    RegistryError
        Where it is missing there, was altered, or the disk is full; nothing is left half fetched.
    """
    if bundle := cached(data, number, record_sha256):
        return bundle
    if not (run_id and record_sha256):
        raise RegistryError(f"Version {number} was not registered by this program.")
    target = place(data, number, record_sha256)
    with mlflow_client.translated(f"The bundle of version {number} is not available"):
        make_folder(target.parent)
        with partial_folder(target.parent) as partial:
            folder = registry_writer.download_bundle(data, run_id, partial)
            if not folder.is_dir():
                raise RegistryError(f"The bundle of version {number} is missing from its run.")
            try:
                _read(folder, record_sha256)
            except BundleError as error:
                # Where it lay for a moment means nothing to a reader.
                reason = str(error).replace(f"{folder}/", "").replace(str(folder), "It")
                raise RegistryError(f"The bundle of version {number} is damaged: {reason}") from error
            _move(folder, target)
    return _read(target, record_sha256)


def last_served(data: Path) -> tuple[int, str] | None:
    """The version that answered last and the SHA-256 of its ``bundle.json``; None for the built-in model."""
    try:
        note = json.loads(mlflow_client.last_served_file(data).read_text(encoding="utf-8"))
        return int(note["version"]), str(note["seal"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def note_served(data: Path, number: int, record_sha256: str) -> None:
    """Note which version answers; a folder that cannot be written is no reason not to answer."""
    if last_served(data) != (number, record_sha256):
        with contextlib.suppress(OSError):
            note = {"version": number, "seal": record_sha256}
            write_text(mlflow_client.last_served_file(data), json.dumps(note))


def note_built_in_served(data: Path) -> None:
    """Note that the built-in model answers."""
    with contextlib.suppress(OSError):
        mlflow_client.last_served_file(data).unlink(missing_ok=True)


def _read(folder: Path, record_sha256: str) -> bundles.Bundle:
    bundle = bundles.read(folder)
    if bundles.checksum(folder / bundles.RECORD) != record_sha256:
        raise BundleError(f"{folder / bundles.RECORD} is not the file that was registered.")
    return bundle


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

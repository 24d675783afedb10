"""Another threshold saved as a model version in the registry, to be looked at, promoted and taken back."""

import shutil
from pathlib import Path

from leukemia.errors import BundleError
from leukemia.registry import import_bundle, rethreshold, versions
from leukemia.registry.version_list import Version
from leukemia.storage.workspace import Workspace


def save(
    data: Path, version: Version, threshold: float, *, who: str, reason: str, chosen: str, target: float
) -> int:
    """Register a version with another threshold, whole or not at all; return its number.

    Parameters
    ----------
    data : Path
        The data folder, whose registry it is.
    version : Version
        The one that it is made from, with its bundle; it stays as it is.
    threshold, who, reason, chosen, target : float, str, str, str, float
        As :func:`leukemia.registry.rethreshold.save` takes them.

    Raises
    ------
    BundleError
        As :func:`leukemia.registry.rethreshold.save` does.
    RegistryError
        Where the registry cannot be asked or did not take it; nothing is saved then.
    """
    rethreshold.check(version.bundle, threshold, who, reason)
    versions.ask(data)
    place = Workspace(data).unregistered.resolve()
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BundleError(f"The new version could not be written to {place}: {error.strerror}.") from error
    new = rethreshold.save(
        version.bundle,
        place,
        threshold,
        who=who,
        reason=reason,
        chosen=chosen,
        target=target,
        source=version.name,
        run_id=version.run_id,
    )
    try:
        return import_bundle.bring(data, new).version
    finally:
        # The registry's copy is the only one; a choice that it did not take is soon made again.
        shutil.rmtree(new.folder, ignore_errors=True)

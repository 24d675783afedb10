"""Another threshold for a version, kept as a version of its own: who chose it, why, and when.

The network, its engine and its held-out predictions are copied as they are; threshold, estimates
and card are those of the new threshold. The version that it was made from stays as it was.
"""

import math
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from leukemia.attribution import Attribution, attribute
from leukemia.bundles import breakdown, schema, writer
from leukemia.bundles import bundle as bundles
from leukemia.bundles.bundle import Bundle
from leukemia.errors import BundleError
from leukemia.evaluation import estimates, metrics
from leukemia.evaluation.breakdown import sources, subgroups
from leukemia.evaluation.estimate import rounded
from leukemia.registry import versions
from leukemia.registry.import_bundle import import_bundle
from leukemia.registry.versions import Version
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
        As :func:`write_bundle` takes them.

    Raises
    ------
    BundleError
        As :func:`write_bundle` does.
    RegistryError
        Where the registry cannot be read or did not take it; nothing is saved then.
    """
    check(version.bundle, threshold, who, reason)

    def write(place: Path) -> Bundle:
        return write_bundle(
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

    return register(data, write)


def register(data: Path, write: Callable[[Path], Bundle]) -> int:
    """Make a version of a bundle that is written for it; return its number.

    Parameters
    ----------
    data : Path
        The data folder, whose registry it is.
    write : callable
        Writes the bundle into the folder that it is given, and returns it.

    Raises
    ------
    BundleError
        Where nothing can be written, or as ``write`` raises it.
    RegistryError
        Where the registry cannot be read or did not take it; nothing is saved then.
    """
    versions.registry_state(data)
    place = Workspace(Path(data).resolve()).unregistered
    try:
        place.mkdir(parents=True, exist_ok=True)
        bundle = write(place)
    except OSError as error:
        raise BundleError(f"The new version could not be written to {place}: {error.strerror}.") from error
    try:
        return import_bundle(data, bundle)
    finally:
        # The registry's copy is the only one; a choice that it did not take is soon made again.
        shutil.rmtree(bundle.folder, ignore_errors=True)


def write_bundle(
    bundle: Bundle,
    place: Path,
    threshold: float,
    *,
    who: str,
    reason: str,
    chosen: str,
    target: float,
    source: str = "",
    run_id: str = "",
) -> Bundle:
    """Write a bundle with another threshold, whole or not at all.

    Parameters
    ----------
    bundle : Bundle
        The version that it is made from.
    place : Path
        The folder that shall hold the new version's folder.
    threshold : float
        Probability from which a cell is called ALL-like, 0 to 1.
    who, reason : str
        Who chose it and why; see :mod:`leukemia.attribution`.
    chosen : str
        How, such as "for a recall of 95 %" or "by hand".
    target : float
        The recall that it was chosen for, or that it reaches, 0 to 1.
    source, run_id : str, optional
        What the version that it is made from is called, by default as its folder is, and its run in MLflow.

    Returns
    -------
    Bundle
        The new version, read and checked.

    Raises
    ------
    BundleError
        Where who or why is missing or too long, the threshold is the version's own or no probability,
        the version was altered meanwhile, or nothing can be written.
    """
    given = check(bundle, threshold, who, reason)
    # Read again: what is copied must be what was written with it.
    bundles.read(bundle.folder)
    change = schema.Change(
        at=given.at,
        who=given.who,
        reason=given.why,
        chosen=chosen,
        source=source or bundle.folder.name,
        old=bundle.threshold,
        new=threshold,
        **({"from_run": run_id} if run_id else {}),
    )
    new = schema.Threshold(
        value=threshold, target_recall=target, chosen_on=f"{schema.ON_ITS_OWN_TEST}, {chosen},"
    )
    record = at_threshold(bundle, new, change)
    try:
        return writer.write_copy(bundle, place, f"{stem(bundle)}-at-{threshold:.3f}", record)
    except OSError as error:
        raise BundleError(f"The new version could not be written to {place}: {error.strerror}.") from error


def check(bundle: Bundle, threshold: float, who: str, reason: str) -> Attribution:
    """Raise BundleError where who or why is missing or too long, or the threshold is none to be saved."""
    given = attribute(who, reason, BundleError)
    if not (math.isfinite(threshold) and 0 <= threshold <= 1):
        raise BundleError(f"A threshold is a probability from 0 to 1, not {threshold}.")
    if threshold == bundle.threshold:
        raise BundleError("This is the version's own threshold: there is nothing to save.")
    return given


def at_threshold(bundle: Bundle, threshold: schema.Threshold, change: schema.Change) -> schema.Record:
    """The record of a bundle with another threshold: its estimates are those of the new one.

    That it was accepted for a laboratory does not hold for another threshold, and is left out.
    """
    record, predictions, value = bundle.record, bundle.predictions, threshold.value
    new = {
        "threshold": threshold,
        "estimates": rounded(estimates.of(predictions, value)),
        "patient_estimates": rounded(estimates.of_patients(predictions, value)),
        **breakdown.by_source(sources.evaluate(predictions, value)),
        "confusion": metrics.confusion(predictions, value),
        "changes": (*record.changes, change),
    }
    if record.subgroups:
        new["subgroups"] = record.subgroups | rounded(subgroups.at_threshold(predictions, value))
    if record.site:
        new["site"] = None
    return record.model_copy(update=new)


def stem(bundle: Bundle) -> str:
    """Name of the version that the first change was made from."""
    earlier = bundle.record.changes
    name = earlier[0].source if earlier else bundle.folder.name
    # A bundle from elsewhere may say what is no name of a folder.
    return re.sub(r"[^\w.-]+", "-", name).strip(".-") or "version"

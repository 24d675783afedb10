"""Another operating point for a version, kept as a version of its own: who chose it, why, and when.

The network, its engine and its held-out predictions are copied as they are; threshold, estimates
and card are those of the new threshold. The version that it was made from stays as it was.
"""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

from leukemia.access import permissions
from leukemia.access.permissions import Action
from leukemia.attribution import Attribution, attribute
from leukemia.bundles import bundle as bundles
from leukemia.bundles import figures, schema, writer
from leukemia.bundles.bundle import Bundle
from leukemia.errors import BundleError
from leukemia.evaluation.breakdown import subgroups
from leukemia.evaluation.estimate import rounded
from leukemia.operating_point import OperatingPoint
from leukemia.registry import versions
from leukemia.registry.import_bundle import enter
from leukemia.registry.versions import Version
from leukemia.storage.private import make_folder
from leukemia.storage.workspace import Workspace


@permissions.requires(Action.ADD_VERSIONS, signed_by="who")
def save(
    data: Path, version: Version, point: OperatingPoint, *, who: str, reason: str, chosen: str, target: float
) -> int:
    """Register a version with another operating point, whole or not at all; return its number.

    Parameters
    ----------
    data : Path
        The data folder, whose registry it is.
    version : Version
        The one that it is made from, with its bundle; it stays as it is.
    point, who, reason, chosen, target : OperatingPoint, str, str, str, float
        As :func:`write_bundle` takes them.

    Raises
    ------
    BundleError
        As :func:`write_bundle` does.
    RegistryError
        Where the registry cannot be read or did not take it; nothing is saved then.
    """
    check(version.bundle, point, who, reason)

    def write(place: Path) -> Bundle:
        return write_bundle(
            version.bundle,
            place,
            point,
            who=who,
            reason=reason,
            chosen=chosen,
            target=target,
            source=version.name,
            run_id=version.run_id,
        )

    return register(data, write)


@permissions.requires(Action.ADD_VERSIONS)
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
        make_folder(place)
        bundle = write(place)
    except OSError as error:
        raise BundleError(f"The new version could not be written to {place}: {error.strerror}.") from error
    try:
        return enter(data, bundle)
    finally:
        # The registry's copy is the only one; a choice that it did not take is soon made again.
        shutil.rmtree(bundle.folder, ignore_errors=True)


def write_bundle(
    bundle: Bundle,
    place: Path,
    point: OperatingPoint,
    *,
    who: str,
    reason: str,
    chosen: str,
    target: float,
    source: str = "",
    run_id: str = "",
) -> Bundle:
    """Write a bundle with another threshold or other limits, whole or not at all.

    Parameters
    ----------
    bundle : Bundle
        The version that it is made from.
    place : Path
        The folder that shall hold the new version's folder.
    point : OperatingPoint
        Threshold and limits.
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
        Where who or why is missing or too long, the operating point is the version's own, the version was
        altered meanwhile, or nothing can be written.
    """
    given = check(bundle, point, who, reason)
    # Read again: what is copied must be what was written with it.
    bundles.read(bundle.folder)
    change = schema.Change(
        at=given.at,
        who=given.who,
        reason=given.why,
        chosen=chosen,
        source=source or bundle.folder.name,
        old=bundle.threshold,
        new=point.threshold,
        limits_old=schema.Limits.of(bundle.operating_point),
        limits_new=schema.Limits.of(point),
        **({"from_run": run_id} if run_id else {}),
    )
    new = schema.Threshold(
        value=point.threshold,
        target_recall=target,
        chosen_on=f"{schema.ON_ITS_OWN_TEST}, {chosen},",
        **limits(bundle, point),
    )
    record = at_threshold(bundle, new, change)
    try:
        return writer.write_copy(bundle, place, f"{stem(bundle)}-at-{point.threshold:.3f}", record)
    except OSError as error:
        raise BundleError(f"The new version could not be written to {place}: {error.strerror}.") from error


def check(bundle: Bundle, point: OperatingPoint, who: str, reason: str) -> Attribution:
    """Raise BundleError where who or why is missing or too long, or there is nothing to save."""
    given = attribute(who, reason, BundleError)
    if point == bundle.operating_point:
        raise BundleError("These are the version's own threshold and limits: there is nothing to save.")
    return given


def limits(bundle: Bundle, point: OperatingPoint) -> dict[str, schema.Limits]:
    """The field of that name where the limits do not follow from threshold and band; or empty."""
    follow = OperatingPoint.of(point.threshold, bundle.band)
    return {} if point == follow else {"limits": schema.Limits.of(point)}


def at_threshold(bundle: Bundle, threshold: schema.Threshold, change: schema.Change) -> schema.Record:
    """The record of a bundle with another threshold: its estimates are those of the new one.

    That it was accepted for a laboratory does not hold for another threshold, and is left out.
    """
    record, predictions, value = bundle.record, bundle.predictions, threshold.value
    point = record.model_copy(update={"threshold": threshold}).operating_point
    new = {
        "threshold": threshold,
        **figures.of(predictions, point),
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

"""Another threshold for a version, kept as a version of its own: who chose it, why, and when.

The network, its engine and its held-out predictions are copied as they are; threshold, figures and
card are those of the new threshold. The version that it was made from stays as it was.
"""

import json
import math
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from leukemia.attribution import Attribution, attribute
from leukemia.bundles import bundle as bundles
from leukemia.bundles import model_card
from leukemia.bundles.bundle import Bundle
from leukemia.errors import BundleError
from leukemia.evaluation import conformal, estimates, metrics, subgroups
from leukemia.markdown import plain
from leukemia.registry import versions
from leukemia.registry.import_bundle import import_bundle
from leukemia.registry.versions import Version
from leukemia.storage.workspace import Workspace

COPIED = (bundles.NETWORK, bundles.ENGINE, bundles.WEIGHTS, bundles.PREDICTIONS)
CHOSEN_ON = "the held-out patients that its figures are of"
# Versions of one threshold that are told apart by a number.
MANY = 1_000


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
    versions.registry_state(data)
    place = Workspace(data).unregistered.resolve()
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BundleError(f"The new version could not be written to {place}: {error.strerror}.") from error
    bundle = write_bundle(
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
    record = _record(bundle, threshold, chosen, target)
    change = {
        "at": given.at,
        "who": given.who,
        "reason": given.why,
        "chosen": chosen,
        "from": source or bundle.folder.name,
        "old": bundle.threshold,
        "new": threshold,
    } | ({"from_run": run_id} if run_id else {})
    record["changes"] = [*record.get("changes", []), change]
    try:
        return bundles.read(_write(bundle, place, record))
    except OSError as error:
        raise BundleError(f"The new version could not be written to {place}: {error.strerror}.") from error


def changes(bundle: Bundle) -> list[dict[str, Any]]:
    """Changes of the threshold that a version went through, the first one first."""
    return list(bundle.record.get("changes", []))


def note(record: dict[str, Any]) -> str:
    """The card's section on changes of the threshold, Markdown."""
    lines = "\n".join(
        f"- {change['at']}, {plain(change['who'])}: {change['old']:.4f} → {change['new']:.4f}, "
        f"{plain(change['chosen'])}. {plain(change['reason'])} (Made from "
        f"{plain(change['from'])}.)"
        for change in record["changes"]
    )
    return (
        f"\n## Changes of the threshold\n\n{lines}\n\nThe figures of this card are at the last threshold. It "
        "was chosen on the patients that they are of: on new patients expect a little less.\n"
    )


def check(bundle: Bundle, threshold: float, who: str, reason: str) -> Attribution:
    """Raise BundleError where who or why is missing or too long, or the threshold is none to be saved."""
    given = attribute(who, reason, BundleError)
    if not (math.isfinite(threshold) and 0 <= threshold <= 1):
        raise BundleError(f"A threshold is a probability from 0 to 1, not {threshold}.")
    if threshold == bundle.threshold:
        raise BundleError("This is the version's own threshold: there is nothing to save.")
    return given


def _record(bundle: Bundle, threshold: float, chosen: str, target: float) -> dict[str, Any]:
    record, predictions = json.loads(json.dumps(bundle.record)), bundle.predictions
    record["threshold"] = {
        "value": threshold,
        "target_recall": target,
        "chosen_on": f"{CHOSEN_ON}, {chosen},",
    }
    record["figures"] = estimates.as_record(estimates.of(predictions, threshold))
    record["patient_figures"] = estimates.as_record(estimates.of_patients(predictions, threshold))
    record["confusion"] = metrics.confusion(predictions, threshold)
    if "subgroups" in record:
        # The others of them depend on no threshold.
        record["subgroups"] |= estimates.as_record(_at_coverage(predictions, threshold))
    return record


def _at_coverage(predictions: pd.DataFrame, threshold: float) -> dict[str, estimates.Estimate]:
    probability = predictions["probability"].to_numpy(float)
    right = (probability >= threshold) == (predictions["label"] == "ALL").to_numpy()
    sureness = conformal.sureness(probability, threshold)
    name = "accuracy_at_coverage"
    return estimates.by_resampling(
        predictions, lambda weights: {name: subgroups.accuracy_of_surest(right, sureness, weights)}
    )


def _write(bundle: Bundle, place: Path, record: dict[str, Any]) -> Path:
    partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=place))
    try:
        partial.chmod(0o755)
        for name in COPIED:
            shutil.copyfile(bundle.folder / name, partial / name)
        (partial / bundles.CARD).write_text(model_card.render(record) + note(record), encoding="utf-8")
        record["files"] = {name: bundles.checksum(partial / name) for name in bundles.CHECKED}
        (partial / bundles.RECORD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        bundles.read(partial)
        return _name(partial, place, f"{_stem(bundle)}-at-{record['threshold']['value']:.3f}")
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _stem(bundle: Bundle) -> str:
    """Name of the version that the first change was made from."""
    earlier = changes(bundle)
    name = str(earlier[0]["from"]) if earlier else bundle.folder.name
    # A bundle from elsewhere may say what is no name of a folder.
    return re.sub(r"[^\w.-]+", "-", name).strip(".-") or "version"


def _name(partial: Path, place: Path, name: str) -> Path:
    for number in range(1, MANY):
        target = place / (name if number == 1 else f"{name}-{number}")
        if target.exists():
            continue
        try:
            # Refused where another took the name meanwhile: a folder that is not empty is not replaced.
            return partial.rename(target)
        except OSError:
            if not target.exists():
                raise
    raise BundleError(f"There are too many versions named {name} in {place}.")

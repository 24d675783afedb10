"""A finished run's bundle becomes a model version, and goes where it is kept from then on."""

import hashlib
import json
import shutil
from pathlib import Path

from leukemia.bundles import bundle as bundles
from leukemia.bundles.bundle import Bundle
from leukemia.errors import LeukemiaError
from leukemia.evaluation.estimate import as_record
from leukemia.registry import versions
from leukemia.storage import stamps
from leukemia.storage.workspace import Workspace
from leukemia.tracking.run_writer import RunWriter


def place(data: Path, output: Path | None, recipe: str) -> Path:
    """Where the bundle is written: ``output``, or a folder for as long as it is not registered."""
    folder = Workspace(Path(data).resolve()).unregistered
    earlier = (one.name.removeprefix(f"{recipe}-") for one in folder.glob(f"{recipe}-*"))
    return output or folder / f"{recipe}-{stamps.following(earlier)}"


def finish_run(data: Path, run: RunWriter, bundle: Bundle, output: Path | None) -> Bundle:
    """Finish a run with its bundle; return the bundle where it lies from now on.

    Where no output was named and the registry took it, the registry's own copy is the only one. Where
    the registry did not, the bundle stays in ``unregistered/``, for ``python -m leukemia register``.
    """
    register(run, bundle)
    if output is not None or run.version is None:
        return bundle
    try:
        fetched = versions.bundle(data, run.version)
    except LeukemiaError:
        return bundle
    shutil.rmtree(bundle.folder, ignore_errors=True)
    return fetched


def register(run: RunWriter, bundle: Bundle) -> None:
    """Finish a run with its bundle; ``run.version`` is its number, ``run.trouble`` says why there is none.

    Registering it twice makes no second version.
    """
    # Read again: what is registered must be what was written.
    run.register(
        as_record(bundle.record.estimates),
        bundle.folder,
        lambda: _tags(bundles.read(bundle.folder)),
        versions.RECORD_SHA256,
    )


def last_change(bundle: Bundle) -> dict[str, str]:
    """Tags that say who changed its threshold last, and why; none where nobody did.

    Returns
    -------
    dict of str to str
        ``changed_by``, ``reason``, ``chosen`` (how), ``threshold_before``, ``made_from`` (the version's
        name) and ``made_from_run`` (its run in MLflow, where it has one).
    """
    if not bundle.record.changes:
        return {}
    change = bundle.record.changes[-1]
    tags = {
        versions.CHANGED_BY: change.who,
        versions.REASON: change.reason,
        versions.CHOSEN: change.chosen,
        versions.BEFORE: str(change.old),
        versions.MADE_FROM: change.source,
    }
    return tags | ({versions.MADE_FROM_RUN: change.from_run} if change.from_run else {})


def site(bundle: Bundle) -> dict[str, str]:
    """The tag that names the laboratory that a version was accepted for; none where there is none."""
    return {versions.SITE: bundle.record.site.name} if bundle.record.site else {}


def held_out(bundle: Bundle) -> str:
    """Tell sets of held-out cells apart, whatever their order."""
    return hashlib.sha256("\n".join(sorted(bundle.predictions["image_id"])).encode()).hexdigest()[:16]


def _tags(bundle: Bundle) -> dict[str, str]:
    """Make the tags that a version is listed by, so that listing opens no bundle."""
    point = bundle.operating_point
    return {
        versions.RECIPE: bundle.recipe,
        versions.ESTIMATES: json.dumps(as_record(bundle.record.estimates)),
        versions.RECORD_SHA256: bundles.checksum(bundle.folder / bundles.RECORD),
        "threshold": repr(bundle.threshold),
        **({"limits": " to ".join(f"{limit:.4f}" for limit in point.limits)} if point.abstains else {}),
        "digest": bundle.digest,
        "held_out": held_out(bundle),
        "split": bundle.record.split.by,
        "folds": str(bundle.folds),
        "synthetic": "yes" if bundle.synthetic else "no",
        "data_fingerprint": bundle.record.data.fingerprint,
        **last_change(bundle),
        **site(bundle),
    }

"""A bundle that was not just trained here becomes a model version.

It was trained elsewhere, or it is a version with another threshold or one accepted for a laboratory. It
gets a run of its own, which says where it is from, and the registry has it as a whole or not at all.
"""

from pathlib import Path

from leukemia.access import permissions
from leukemia.access.permissions import Action
from leukemia.audit import trail
from leukemia.audit.trail import Entry
from leukemia.bundles import bundle as bundles
from leukemia.bundles import engine, figures
from leukemia.bundles.bundle import Bundle
from leukemia.errors import RecordsError, RegistryError
from leukemia.jobs import progress
from leukemia.registry import publish, versions
from leukemia.tracking import records, run_writer
from leukemia.tracking.records import RunKind


@permissions.requires(Action.ADD_VERSIONS)
def import_bundle(data: Path, bundle: Bundle) -> int:
    """Make a bundle a model version; return its number.

    Parameters
    ----------
    data : Path
        The data folder; made where there is none yet.
    bundle : Bundle
        The registry keeps a copy.

    Raises
    ------
    BundleError
        Where its network cannot answer as its record says, or its figures are not those of its held-out
        predictions.
    RegistryError
        Where the registry cannot be read, or did not take it: neither a run nor a version is left.
    """
    figures.check(bundle)
    return enter(data, bundle)


@permissions.requires(Action.ADD_VERSIONS)
def enter(data: Path, bundle: Bundle) -> int:
    """Make a bundle whose figures were computed here a model version; otherwise as :func:`import_bundle`."""
    engine.check(bundle)
    # This fails soon and in plain words; MLflow itself takes its time.
    versions.registry_state(data)
    change, site = publish.last_change(bundle), publish.site(bundle)
    kind, about = RunKind.IMPORTED, "a bundle from elsewhere"
    if site:
        kind, about = RunKind.SITE, f"accepted for {bundle.record.site.name}"
    elif change:
        kind, about = RunKind.THRESHOLD, f"threshold {bundle.threshold:.4f}"
    # Whoever accepted it, or chose the threshold, counts as who started the run.
    by = bundle.record.site.who if site else change.get(versions.CHANGED_BY)
    run = run_writer.start(
        data,
        f"{bundle.recipe} ({about})",
        {
            records.RECIPE: bundle.recipe,
            "split": bundle.record.split.by,
            **bundle.record.recipe.training,
        },
        {records.FINGERPRINT: bundle.record.data.fingerprint, **change, **site}
        | ({records.USER: by} if by else {}),
        kind=kind,
    )
    publish.register(run, bundle)
    if run.version is None:
        run.drop()
        raise RegistryError(f"The bundle could not be registered: {run.trouble.rstrip('.')}.")
    _record(data, bundle, run.version, by or progress.who())
    return run.version


def _record(data: Path, bundle: Bundle, number: int, who: str) -> None:
    """Append to the trail what the new version is, and for a threshold or an acceptance, why."""
    record, point, old, why = bundle.record, bundle.operating_point, "", ""
    event, new = trail.MODEL_IMPORTED, str(point)
    if record.site:
        event, why, new = trail.ACCEPTED, record.site.reason, f"{record.site.name}: {point}"
    elif record.changes:
        change = record.changes[-1]
        event, why, old = trail.THRESHOLD_CHANGED, change.reason, f"threshold {change.old:.4f}"
    entry = Entry(
        event,
        who,
        version=f"version {number}",
        record_sha256=bundles.checksum(bundle.folder / bundles.RECORD),
        threshold=point.threshold,
        low=point.low,
        high=point.high,
        old=old,
        new=new,
        reason=why,
    )
    try:
        trail.record(data, entry)
    except RecordsError as error:
        raise RegistryError(f"It is version {number} now, but that is not on record. {error}") from error

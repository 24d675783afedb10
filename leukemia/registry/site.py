"""A version accepted for a laboratory becomes a version of its own, which says so: for whom, by whom, why.

The network, its engine and its held-out predictions are copied as they are. Where the laboratory's own
threshold is accepted, threshold, estimates and card are those of the new one.
"""

import re
from pathlib import Path

from leukemia.access import permissions
from leukemia.access.permissions import Action
from leukemia.bundles import bundle as bundles
from leukemia.bundles import schema, writer
from leukemia.bundles.bundle import Bundle
from leukemia.bundles.site import Site
from leukemia.classes import LABELS
from leukemia.registry import rethreshold
from leukemia.registry.versions import Version


@permissions.requires(Action.VERIFY)
def save(data: Path, version: Version, site: Site) -> int:
    """Register a version for a laboratory, whole or not at all; return its number.

    Parameters
    ----------
    data : Path
        The data folder, whose registry it is.
    version : Version
        The one that was verified, with its bundle; it stays as it is.
    site : Site
        ``threshold_old`` is the version's own.

    Raises
    ------
    BundleError
        Where the version was altered, or nothing can be written.
    RegistryError
        Where the registry cannot be read or did not take it; nothing is saved then.
    """
    record = _record(version, site)
    slug = re.sub(r"[^\w-]+", "-", site.name).strip("-")[:40] or "site"

    def write(place: Path) -> Bundle:
        # Read again: what is copied must be what was verified.
        bundle = bundles.read(version.bundle.folder)
        return writer.write_copy(bundle, place, f"{rethreshold.stem(bundle)}-for-{slug}", record)

    return rethreshold.register(data, write)


def _record(version: Version, site: Site) -> schema.Record:
    bundle = version.bundle
    if site.threshold_new == site.threshold_old:
        return bundle.record.model_copy(update={"site": site})
    point = bundle.operating_point.around(site.threshold_new)
    people = sum(site.patient_groups.get(label, 0) for label in LABELS)
    threshold = schema.Threshold(
        value=site.threshold_new,
        target_recall=site.criterion.sensitivity,
        chosen_on=f"{people} patients of {site.name}",
        **rethreshold.limits(bundle, point),
    )
    change = schema.Change(
        at=site.at,
        who=site.who,
        reason=site.reason,
        chosen=f"for {site.name}, from its own patients",
        source=version.name,
        old=site.threshold_old,
        new=site.threshold_new,
        limits_old=schema.Limits.of(bundle.operating_point),
        limits_new=schema.Limits.of(point),
        **({"from_run": version.run_id} if version.run_id else {}),
    )
    return rethreshold.at_threshold(bundle, threshold, change).model_copy(update={"site": site})

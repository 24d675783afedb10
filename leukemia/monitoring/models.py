"""The record of the model that answered cells, also where another one is in service by now."""

from pathlib import Path

from leukemia import settings
from leukemia.bundles import bundle as bundles
from leukemia.bundles.bundle import Bundle
from leukemia.errors import LeukemiaError
from leukemia.monitoring.recent import Model
from leukemia.registry import bundle_cache, serving, versions


def bundle(data: Path, model: Model) -> Bundle | None:
    """The bundle of a model; None where it is gone, or cannot be fetched."""
    finders = (
        lambda: serving.find().bundle,
        lambda: bundles.read(settings.SHIPPED),
        lambda: _version(data, model),
    )
    for find in finders:
        try:
            found = find()
        except (LeukemiaError, OSError):
            continue
        if found and bundles.checksum(found.folder / bundles.RECORD) == model.record_sha256:
            return found
    return None


def _version(data: Path, model: Model) -> Bundle | None:
    if not model.version:
        return None
    cached = bundle_cache.cached(data, model.version, model.record_sha256)
    return cached or versions.bundle(data, model.version)

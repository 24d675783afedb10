"""Which model is in service, and which versions there are."""

from fastapi import APIRouter

from leukemia.api import schemas
from leukemia.api.wiring import REFUSALS, Caller, Shared
from leukemia.bundles import bundle as bundles
from leukemia.operating_point import OperatingPoint
from leukemia.registry import versions
from leukemia.registry.serving import InService
from leukemia.registry.versions import Version

router = APIRouter(prefix="/v1/models", tags=["Models"], responses=REFUSALS)


@router.get("", summary="All versions")
def every(shared: Shared, _: Caller) -> schemas.Versions:
    """All versions in the registry, the newest first."""
    return schemas.Versions(versions=[_version(one) for one in versions.registered(shared.data)])


@router.get("/in-service", summary="The model that answers")
def in_service(shared: Shared, _: Caller) -> schemas.InService:
    """The model that answers now."""
    serving = shared.served.now()
    return schemas.InService(
        model=model(serving), limits=limits(serving.bundle.operating_point), trouble=serving.notice
    )


def model(serving: InService) -> schemas.Model:
    """A model as every answer names it."""
    bundle = serving.bundle
    return schemas.Model(
        name=bundle.name,
        version=serving.version,
        sha256=bundle.digest,
        record_sha256=bundles.checksum(bundle.folder / bundles.RECORD),
        synthetic=bundle.synthetic,
    )


def limits(point: OperatingPoint) -> schemas.Limits:
    """Limits as every answer names them."""
    return schemas.Limits(normal_like_below=point.low, all_like_from=point.high, threshold=point.threshold)


def _version(one: Version) -> schemas.Version:
    return schemas.Version(
        version=one.number,
        name=one.name,
        in_service=one.in_service,
        recipe=one.recipe,
        created_at=one.created.isoformat() if one.created else "",
        record_sha256=one.record_sha256,
        note=one.note,
        estimates=one.estimates,
    )

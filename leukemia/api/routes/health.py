"""Whether the service runs and can answer, and what it has counted."""

from http import HTTPStatus

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from leukemia.api import schemas
from leukemia.api.wiring import REFUSALS, Caller, Shared
from leukemia.errors import LeukemiaError
from leukemia.storage import database

router = APIRouter(tags=["Operation"])


@router.get("/health", summary="Whether it runs")
def health() -> schemas.Health:
    """Whether the process runs. Needs no key."""
    return schemas.Health()


@router.get("/ready", summary="Whether it can answer", responses={503: {"model": schemas.Ready}})
def ready(shared: Shared, response: Response) -> schemas.Ready:
    """Whether the model is loaded and the records can be read. Needs no key."""
    trouble = []
    try:
        shared.served.classifier(shared.served.now().bundle)
    except LeukemiaError as error:
        trouble.append(str(error))
    try:
        database.check(shared.data)
    except LeukemiaError as error:
        trouble.append(str(error))
    if trouble:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return schemas.Ready(ready=not trouble, trouble=trouble)


@router.get("/metrics", summary="Counts for Prometheus", response_class=Response, responses=REFUSALS)
def metrics(shared: Shared, _: Caller) -> Response:
    """What was counted since the start, for Prometheus."""
    return Response(shared.metrics.text(), media_type=CONTENT_TYPE_LATEST)

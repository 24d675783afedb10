"""The application: routes, limits, and the page that describes them, behind the door."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from anyio import to_thread
from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.types import ASGIApp

from leukemia import settings
from leukemia.api import errors, idempotency
from leukemia.api.door import ASSETS, Door
from leukemia.api.metrics import Metrics
from leukemia.api.routes import cases, classify, health, models
from leukemia.api.served import Served
from leukemia.errors import LeukemiaError

TITLE = "White blood cells: ALL-like or Normal-like"
DESCRIPTION = f"""**{settings.RESEARCH_USE}**

Classifies images of white blood cells as ALL-like, Normal-like or Indeterminate, with the model, the limits
and the code of the dashboard. Every address but this page, `/health` and `/ready` needs an API key, sent as
`Authorization: Bearer KEY`.
"""
FORM = {
    "max_files": settings.MAX_FILES,
    "max_fields": errors.FORM_FIELDS,
    "max_part_size": errors.FIELD_BYTES,
}
# Seconds from one time that old answers are deleted to the next.
FORGETS_EVERY = 3_600.0
log = logging.getLogger("leukemia.api")


@dataclass(frozen=True)
class State:
    """What all requests share: the data folder, the model in service, what is counted."""

    data: Path
    served: Served
    metrics: Metrics


def make(data: Path, *, hosts: Collection[str], rate: str, base_path: str = "") -> ASGIApp:
    """Make the application.

    Parameters
    ----------
    data : Path
        The data folder.
    hosts : collection of str
        Names under which it answers.
    rate : str
        How many requests a key has, such as ``600 per minute``.
    base_path : str, optional
        Where a proxy has put it, such as ``/api``.
    """
    state = State(data, Served(data), Metrics())
    app = FastAPIOffline(
        title=TITLE,
        description=DESCRIPTION,
        version="1",
        docs_url="/docs",
        redoc_url=None,
        static_url=ASSETS,
        lifespan=_ready,
        max_body_size=settings.MAX_REQUEST_BYTES,
        form_limits=FORM,
    )
    app.state.leukemia = state
    errors.handle(app)
    for routes in (health, models, classify, cases):
        app.include_router(routes.router)
    return Door(app, data, hosts=hosts, rate=rate, metrics=state.metrics, base_path=base_path)


@contextlib.asynccontextmanager
async def _ready(app: FastAPI) -> AsyncIterator[None]:
    """Load the model before the first request; without one, /ready says why. Old answers go meanwhile."""
    try:
        await to_thread.run_sync(_load, app.state.leukemia.served)
    except LeukemiaError as error:
        log.warning("%s", error)
    forgetting = asyncio.create_task(_forget(app.state.leukemia.data))
    try:
        yield
    finally:
        forgetting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await forgetting


async def _forget(data: Path) -> None:
    """Delete the answers that have been kept long enough, now and then about every hour."""
    while True:
        try:
            await to_thread.run_sync(idempotency.forget, data, datetime.now(UTC))
        except (LeukemiaError, OSError) as error:
            # The records may be there again the next time.
            log.warning("Old answers were not deleted. %s", error)
        except Exception:
            # Nobody waits for this task: what ends it would be seen by nobody.
            log.exception("Old answers were not deleted.")
        await asyncio.sleep(FORGETS_EVERY)


def _load(served: Served) -> None:
    served.classifier(served.now().bundle)

"""What ``make run`` starts: the dashboard's pages (``dashboard.py``), and what a browser gets before them.

``streamlit run server.py``.
"""

import asyncio
import gc
import importlib
import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import escape

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.starlette import App

from leukemia import settings
from leukemia.audit import settings_log
from leukemia.errors import LeukemiaError
from leukemia.jobs import progress
from leukemia.storage import private
from pages.components import entrance as entrances
from pages.components import left_tabs, streamlit_internals, streamlit_mends, streamlit_runs
from pages.components.first_files import FirstFiles
from pages.components.start_page import StartPage

FOREIGN = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Not at this address</title>
<body style="font-family: sans-serif; max-width: 40rem; margin: 4rem auto; line-height: 1.5">
<h1>The dashboard cannot be used at this address</h1>
<p>You asked for <b>{host}</b>. To protect patients' images, the dashboard answers only to the names on its
administrator's list: at first, only to its own machine.</p>
<p>On that machine, open <b>http://localhost:{port}</b>. To serve other machines, set up sign-in and add the
dashboard's name to <code>allowedHosts</code> in <code>.streamlit/config.toml</code>, as
<code>docs/access.md</code> says.</p>
</body></html>"""
# What the first chart, cell or table needs, and takes seconds to import; then what all pages need.
HEAVY = (
    "plotly.graph_objects",
    "duckdb",
    "scipy.stats",
    "leukemia.inference.classifier",
    "leukemia.cases.worklist",
    "leukemia.reports.performance",
    "leukemia.registry.promotion_review",
    "leukemia.tracking.run_history",
    "leukemia.reports.case_pdf",
    "leukemia.inference.search",
)


class NamedHosts:
    """Answers a request under a name that is not allowed with a page that says so."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a request."""
        host = Request(scope).headers.get("host") if scope["type"] == "http" else None
        if scope["type"] != "http" or streamlit_internals.is_host_allowed(host):
            await self._app(scope, receive, send)
            return
        port = scope["server"][1] if scope.get("server") else 8501
        page = FOREIGN.format(host=escape(host or "an unnamed address"), port=port)
        await HTMLResponse(page, status_code=403)(scope, receive, send)


@asynccontextmanager
async def _ready(_: App) -> AsyncIterator[None]:
    """Be ready for the first visitor, whatever address they open first."""
    streamlit_internals.leave_pages_folder()
    _import_heavy()
    threading.Thread(target=_record_settings, daemon=True).start()
    entrance.announce()
    if warning := private.warning(settings.load().data):
        logging.getLogger("leukemia.dashboard").warning(warning)
    watching = asyncio.create_task(left_tabs.watch())
    yield
    watching.cancel()


def _import_heavy() -> None:
    """Import what takes long before anybody asks: two that import at once may wait for each other.

    Streamlit collects garbage after each run of a page, which took 0.2 s as long as it went through all
    libraries each time: from here on it leaves them alone.
    """
    for name in HEAVY:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()


def _record_settings() -> None:
    try:
        settings_log.record_changes(settings.load().data, settings_log.DASHBOARD, who=progress.who())
    except (LeukemiaError, OSError) as error:
        logging.getLogger("leukemia.dashboard").warning("The settings are not on record. %s", error)


def _to_classify(request: Request) -> RedirectResponse:
    """Streamlit knows the first page by no name of its own."""
    return RedirectResponse(f"/?{request.url.query}" if request.url.query else "/")


entrance = entrances.entrance()
app = App(
    "dashboard.py",
    routes=[Route("/classify", _to_classify)],
    middleware=[
        Middleware(NamedHosts),
        entrance.middleware(),
        Middleware(FirstFiles, files=streamlit_internals.first_files()),
        Middleware(
            StartPage,
            scripts=streamlit_internals.chart_scripts(),
            base=streamlit_internals.base_path(),
            connect=not streamlit_internals.has_sign_in(),
        ),
    ],
    lifespan=_ready,
)
streamlit_internals.send_at_once()
streamlit_mends.lose_nothing()
streamlit_runs.tell_why_no_download()

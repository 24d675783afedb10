"""Where people sign in: what is answered before, and where the browser goes afterwards."""

from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leukemia.access.token import Token
from leukemia.settings import RESEARCH_USE
from pages.components import sign_in, streamlit_internals
from pages.components.token_gate import SCHEME

LOGIN, CALLBACK = "/auth/login", "/oauth2callback"
# What only the pages of somebody who signed in ask for.
INSIDE = ("/_stcore/upload_file", "/media/", "/_stcore/script-health-check")
METRICS = "/_stcore/metrics"
RETURN, MINUTES = "leukemia-return", 15
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<body style="font-family: sans-serif; max-width: 40rem; margin: 4rem auto; line-height: 1.5">
<h1>{title}</h1>
<p>{said}</p>
<p>{use}</p>
</body></html>"""
DOWN = PAGE.format(
    title="Signing in is not possible at the moment",
    said="The sign-in service of your house does not answer. Nothing is lost. "
    '<a href="../">Go back</a> and try again in a few minutes; if it stays so, tell who looks after the '
    "sign-in service.",
    use=RESEARCH_USE,
)
NOT_SIGNED_IN = PAGE.format(
    title="You are not signed in",
    said="Signing in was cancelled or took too long, or the answer of the sign-in service could not be "
    'confirmed. Nothing is lost. <a href="./">Go back</a> and try again; if it stays so, tell who looks '
    "after the sign-in service.",
    use=RESEARCH_USE,
)


class SignInGate:
    """Turns away requests for what only somebody who signed in may have, and leads back after signing in.

    Streamlit leads to its first page after signing in. Whoever was in the middle of a review goes back there:
    the address is kept in a cookie meanwhile.

    Parameters
    ----------
    app : ASGIApp
        What answers behind the gate.
    token : Token or None
        For programs that read the metrics; without one, nobody does.
    base : str
        The path below which the dashboard is served; empty or with a slash in front.
    """

    def __init__(self, app: ASGIApp, token: Token | None, base: str = "") -> None:
        self._app, self._token, self._base = app, token, base

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a request or a websocket."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked, path = HTTPConnection(scope), scope["path"].removeprefix(self._base)
        if path == METRICS and not self._may_measure(asked):
            await PlainTextResponse("Metrics need the token.\n", 403)(scope, receive, send)
        elif path.startswith(INSIDE) and not await run_in_threadpool(_is_signed_in, asked):
            await PlainTextResponse("Please sign in.\n", 403)(scope, receive, send)
        elif path == LOGIN:
            await self._log_in(asked, receive, send)
        elif path == CALLBACK:
            await self._come_back(asked, receive, send)
        else:
            await self._app(scope, receive, send)

    def _may_measure(self, asked: HTTPConnection) -> bool:
        given = asked.headers.get("authorization", "").removeprefix(SCHEME).strip()
        return self._token is not None and self._token.is_text(given)

    async def _log_in(self, asked: HTTPConnection, receive: Receive, send: Send) -> None:
        """Lead to the provider, and note the page that was left; where there is none, say so."""
        state = {"failed": False}

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                state["failed"] = message["status"] >= 400
                if not state["failed"]:
                    _note(asked, MutableHeaders(scope=message))
            if not state["failed"]:
                await send(message)

        await self._app(asked.scope, receive, send_on)
        if state["failed"]:
            await HTMLResponse(DOWN, 503, {"Cache-Control": "no-store"})(asked.scope, receive, send)

    async def _come_back(self, asked: HTTPConnection, receive: Receive, send: Send) -> None:
        """Lead from the provider to the page that was left; say so where it has signed nobody in."""
        state = {"failed": False}
        lead_on = _leading_back(asked, send)

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                # Whoever is signed in may have gone back to this address in the browser.
                state["failed"] = not streamlit_internals.signs_in(message) and not _is_known(asked)
            if not state["failed"]:
                await lead_on(message)

        await self._app(asked.scope, receive, send_on)
        if state["failed"]:
            await HTMLResponse(NOT_SIGNED_IN, 403, {"Cache-Control": "no-store"})(asked.scope, receive, send)


def _is_known(asked: HTTPConnection) -> bool:
    """Whether this server has signed somebody in who asks, whatever became of it since."""
    return bool(streamlit_internals.claims_of_cookies(asked.cookies))


def _is_signed_in(asked: HTTPConnection) -> bool:
    """Whether whoever asks may see anything now; a page asks for its pictures by itself."""
    return sign_in.is_allowed(streamlit_internals.claims_of_cookies(asked.cookies), active=False)


def _note(asked: HTTPConnection, headers: MutableHeaders) -> None:
    left = urlsplit(asked.headers.get("referer", ""))
    if left.netloc != asked.headers.get("host"):
        return
    cookie = Response()
    place = left.path + (f"?{left.query}" if left.query else "")
    cookie.set_cookie(RETURN, place, max_age=60 * MINUTES, httponly=True, samesite="lax")
    headers.append("set-cookie", cookie.headers["set-cookie"])


def _leading_back(asked: HTTPConnection, send: Send) -> Send:
    """Lead to the page that was left: of this server alone."""
    place = asked.cookies.get(RETURN, "")
    own = place.startswith("/") and not place.startswith(("//", "/\\")) and place.isprintable()

    async def send_on(message: Message) -> None:
        if message["type"] == "http.response.start" and 300 <= message["status"] < 400 and own:
            headers = MutableHeaders(scope=message)
            headers["location"] = place
            cookie = Response()
            cookie.delete_cookie(RETURN)
            headers.append("set-cookie", cookie.headers["set-cookie"])
        await send(message)

    return send_on

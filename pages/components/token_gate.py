"""Where nobody signs in, the address carries a token: without it, there is no answer."""

from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from leukemia.access.token import Token
from leukemia.settings import RESEARCH_USE

PARAMETER, COOKIE, SCHEME = "token", "leukemia-token", "Bearer "
# What a supervisor asks; it says that the program runs, and nothing else.
HEALTH = "/_stcore/health"
NEEDED = f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Open the full address</title>
<body style="font-family: sans-serif; max-width: 40rem; margin: 4rem auto; line-height: 1.5">
<h1>Please open the full address</h1>
<p>To keep other users of this machine out, the dashboard's address ends in a token. Open the address that was
printed in the terminal when the dashboard was started; it looks like
<b>http://localhost:8501/?token=…</b></p>
<p>If you came here from a link on another page, <a href="">open this page again</a>.</p>
<p>{RESEARCH_USE}</p>
</body></html>"""


class TokenGate:
    """Lets through who has the token, in the address, a cookie or the header ``Authorization: Bearer``.

    From the address it goes into a cookie, and out of the address, so that it stands in no history.

    Parameters
    ----------
    app : ASGIApp
        What answers behind the gate.
    token : Token
    base : str
        The path below which the dashboard is served; empty or with a slash in front.
    """

    def __init__(self, app: ASGIApp, token: Token, base: str = "") -> None:
        self._app, self._token, self._base = app, token, base

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a request or a websocket."""
        if scope["type"] not in ("http", "websocket") or scope["path"] == self._base + HEALTH:
            await self._app(scope, receive, send)
            return
        asked = HTTPConnection(scope)
        given = asked.query_params.get(PARAMETER)
        if given is not None and scope["type"] == "http" and self._token.is_text(given):
            await self._enter(asked)(scope, receive, send)
        elif self._has_passed(asked):
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await _refusal(asked)(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1008})

    def _has_passed(self, asked: HTTPConnection) -> bool:
        header = asked.headers.get("authorization", "")
        if header.startswith(SCHEME):
            return self._token.is_text(header.removeprefix(SCHEME).strip())
        cookie = asked.cookies.get(_cookie_name(asked))
        return cookie is not None and self._token.is_cookie(cookie)

    def _enter(self, asked: HTTPConnection) -> Response:
        """Send the browser to the same address without the token, which a cookie takes the place of."""
        rest = "&".join(part for part in asked.url.query.split("&") if part.partition("=")[0] != PARAMETER)
        # Never more than one slash: two would name another machine.
        place = "/" + asked.url.path.lstrip("/") + (f"?{rest}" if rest else "")
        answer = RedirectResponse(place, 303, {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})
        answer.set_cookie(
            _cookie_name(asked),
            self._token.cookie,
            path=self._base or "/",
            httponly=True,
            samesite="strict",
            secure=asked.url.scheme == "https",
        )
        return answer


def _refusal(asked: HTTPConnection) -> Response:
    headers = {"Cache-Control": "no-store"}
    if "text/html" in asked.headers.get("accept", ""):
        return HTMLResponse(NEEDED, 403, headers)
    return Response("This address needs its token.\n", 403, headers, "text/plain")


def _cookie_name(asked: HTTPConnection) -> str:
    """Browsers keep one set of cookies for all ports of a machine: each dashboard has its own."""
    server = asked.scope.get("server")
    return f"{COOKIE}-{server[1]}" if server and server[1] else COOKIE

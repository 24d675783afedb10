"""The page that a browser gets before Streamlit runs in it.

With what makes a first visit quick, and what has a press count on a page that is still laid out.
"""

import json
from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Otherwise the browser asks first whether the server is well, at up to two addresses, and only then connects.
# Streamlit reads this where a page is embedded elsewhere; it asks in the background then.
CONNECT = """<script>{{ const here = location.origin + {base};
window.__streamlit = {{ BACKEND_BASE_URL: here,
HOST_CONFIG: {{ allowedOrigins: [location.origin], useExternalAuthToken: false }} }} }}</script>"""
PRESS = f"<script>{Path(__file__).with_name('press.js').read_text(encoding='utf-8')}</script>"
# What would be out of date once the page is changed, or its length.
OF_THE_ORIGINAL = ("content-length", "etag", "last-modified")


class StartPage:
    """Has the browser connect at once, fetch the charts' scripts with the page, and lose no press.

    Parameters
    ----------
    app : ASGIApp
        What serves the page.
    scripts : list of str
        Paths on the server of what charts need.
    base : str
        The path below which the dashboard is served: empty, or with a slash in front.
    connect : bool
        Whether to connect before the server was asked how it is. Where people sign in, that question brings
        the cookie by which a connection is theirs.
    """

    def __init__(self, app: ASGIApp, scripts: list[str], base: str, connect: bool) -> None:
        self._app = app
        self._link = ", ".join(f"<{path}>; rel=modulepreload" for path in scripts)
        self._head = (CONNECT.format(base=json.dumps(f"{base}/")) * connect + PRESS).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a request."""
        start: Message = {}
        body = bytearray()

        async def send_changed(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _is_page(message):
                start = message
            elif start and message["type"] == "http.response.body":
                body.extend(message.get("body", b""))
                if not message.get("more_body"):
                    await self._finish(start, bytes(body), send)
            else:
                await send(message)

        if scope["type"] == "http" and scope["method"] == "GET" and "text/html" in _accepted(scope):
            # It comes in one plain piece: eight kilobytes.
            scope = scope | {"headers": [one for one in scope["headers"] if one[0] != b"accept-encoding"]}
            await self._app(scope, receive, send_changed)
        else:
            await self._app(scope, receive, send)

    async def _finish(self, start: Message, body: bytes, send: Send) -> None:
        changed = body.replace(b"<head>", b"<head>" + self._head, 1)
        headers = MutableHeaders(scope=start)
        for name in OF_THE_ORIGINAL:
            del headers[name]
        headers["content-length"] = str(len(changed))
        if self._link:
            headers.append("link", self._link)
        await send(start)
        await send({"type": "http.response.body", "body": changed})


def _accepted(scope: Scope) -> str:
    return Headers(scope=scope).get("accept", "*/*").replace("*/*", "text/html")


def _is_page(start: Message) -> bool:
    is_html = Headers(raw=start["headers"]).get("content-type", "").startswith("text/html")
    return start["status"] == 200 and is_html

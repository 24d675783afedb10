"""The files that a browser needs before it shows anything, answered from memory."""

from collections.abc import Mapping
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

# As Streamlit serves them: their names hold a hash of their contents.
FOR_GOOD = "public, immutable, max-age=31536000"
# A machine's own list of types may call a script plain text, which a browser does not run.
TYPES = {".js": "text/javascript", ".css": "text/css", ".woff2": "font/woff2"}
# Of requests that ask for a part, or whether there is something new: Streamlit answers these.
CONDITIONS = ("range", "if-none-match", "if-modified-since", "if-range", "if-match", "if-unmodified-since")


class FirstFiles:
    """Answers a request for one of some files at once; everything else goes on to the application.

    A first visit asks for 76 files, and each takes the server milliseconds when it opens it, in pieces,
    on a thread of its own.

    Parameters
    ----------
    app : ASGIApp
        What answers everything else.
    files : mapping of str to Path
        By their path on the server.
    """

    def __init__(self, app: ASGIApp, files: Mapping[str, Path]) -> None:
        self._app = app
        self._answers = {path: _answer(file) for path, file in files.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a request."""
        answer = self._answers.get(scope["path"]) if _plain_get(scope) else None
        await (answer or self._app)(scope, receive, send)


def _plain_get(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] != "GET":
        return False
    return not any(name in Request(scope).headers for name in CONDITIONS)


def _answer(file: Path) -> Response:
    return Response(file.read_bytes(), media_type=TYPES[file.suffix], headers={"Cache-Control": FOR_GOOD})

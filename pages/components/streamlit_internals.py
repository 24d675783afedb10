"""What Streamlit has no public interface for.

Checked with the version that its test names: to be read again when Streamlit is updated.
"""

import json
import logging
import re
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import streamlit
import uvicorn
from starlette.datastructures import Headers
from starlette.types import Message
from streamlit import auth_util, cli_util, config, runtime
from streamlit.errors import StreamlitAuthError
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFileRec
from streamlit.web.server import server_util
from streamlit.web.server.starlette import starlette_auth_routes
from streamlit.web.server.starlette.starlette_server_config import TOKENS_COOKIE_NAME, USER_COOKIE_NAME
from streamlit.web.server.starlette.starlette_websocket import (
    _get_signed_cookie_with_chunks,
    is_host_allowed,
)

__all__ = [
    "address_of_browser",
    "base_path",
    "chart_scripts",
    "claims",
    "claims_of_cookies",
    "drop_uploads",
    "first_files",
    "forget_closed_tabs",
    "has_sign_in",
    "is_host_allowed",
    "is_run_alone",
    "leave_pages_folder",
    "open_browser",
    "option",
    "send_at_once",
    "sign_in_log",
    "sign_in_settings",
    "sign_in_trouble",
    "signs_in",
    "uploads",
]

GONE = (f'{USER_COOKIE_NAME}="";', f"{USER_COOKIE_NAME}=;")  # a cookie that is taken back
FOLDER = Path(streamlit.__file__).parent / "static"


def leave_pages_folder() -> bool:
    """Have Streamlit no longer take the folder ``pages`` for an application; whether it did until now.

    It does so until ``st.navigation`` ran once, in whatever session.
    """
    did = PagesManager.uses_pages_directory
    PagesManager.uses_pages_directory = False
    return bool(did)


def option(name: str) -> Any:
    """A setting of Streamlit."""
    return config.get_option(name)


def base_path() -> str:
    """The path below which the dashboard is served: empty, or with a slash in front and none at the end."""
    path = option("server.baseUrlPath").strip("/")
    return f"/{path}" if path else ""


def address_of_browser() -> str:
    """The address by which a browser on this machine reaches the dashboard, without a slash at the end."""
    return server_util.get_url(option("browser.serverAddress"))


def open_browser(address: str) -> None:
    """Open an address as Streamlit does, unless it runs without a screen."""
    if not option("server.headless"):
        cli_util.open_browser(address)


def has_sign_in() -> bool:
    """Whether a provider is set up by which people sign in."""
    return bool(auth_util.get_secrets_auth_section())


def sign_in_log() -> logging.Logger:
    """What Streamlit says of signing in, and with a traceback where the provider fails."""
    return logging.getLogger(starlette_auth_routes.__name__)


def sign_in_settings() -> Mapping[str, Any]:
    """The section ``auth`` of Streamlit's secrets."""
    return auth_util.get_secrets_auth_section().to_dict()


def sign_in_trouble() -> str:
    """What is missing in the section ``auth``, in Streamlit's words; empty where nothing is."""
    try:
        auth_util.validate_auth_credentials("default")
    except StreamlitAuthError as error:
        return " ".join(str(error).split())
    return ""


def claims_of_cookies(cookies: Mapping[str, str]) -> dict[str, Any]:
    """What the provider said of whoever has these cookies; empty where this server has not signed them."""
    found = dict(cookies)
    signed = _get_signed_cookie_with_chunks(found, USER_COOKIE_NAME)
    given = json.loads(signed) if signed else {}
    tokens = _get_signed_cookie_with_chunks(found, TOKENS_COOKIE_NAME) if given else None
    exposed = auth_util.get_expose_tokens_config()
    if tokens and exposed:
        known = json.loads(tokens)
        given["tokens"] = {kind: known[f"{kind}_token"] for kind in exposed if f"{kind}_token" in known}
    return given


def signs_in(answer: Message) -> bool:
    """Whether the start of an answer hands the browser a signing in."""
    cookies = Headers(raw=answer["headers"]).getlist("set-cookie")
    return any(one.startswith(f"{USER_COOKIE_NAME}=") and not one.startswith(GONE) for one in cookies)


def claims() -> dict[str, Any]:
    """What the provider said of whoever sits before the page that runs; empty where nobody signed in."""
    context = get_script_run_ctx(suppress_warning=True)
    return dict(context.user_info) if context else {}


def is_run_alone() -> bool:
    """Whether a page is served without ``server.py`` before it, as by ``streamlit run dashboard.py``."""
    return config._server_mode == "starlette-managed"


def chart_scripts() -> list[str]:
    """Paths on the server of what a browser needs for the first chart, and asks for one after another.

    A Plotly chart and a metric are parts of their own, and each imports others.
    """
    scripts = FOLDER / "static" / "js"
    known = _start_page()
    parts = ("PlotlyChart", "Metric", "ButtonGroup")
    found = [path for part in parts for path in scripts.glob(f"{part}.*.js")]
    for path in found:
        # The imports come first in a script; the largest has four megabytes.
        with path.open(encoding="utf-8", errors="replace") as script:
            names = re.findall(r'from"\./([\w.-]+\.js)"', script.read(20_000))
        new = [scripts / name for name in dict.fromkeys(names) if name not in known]
        found += [one for one in new if one not in found]
    return [_on_server(path) for path in found]


def first_files() -> dict[str, Path]:
    """What a browser asks for before the first chart stands, by its path on the server."""
    named = re.findall(r'(?:href|src)="\./(static/[\w./-]+)"', _start_page())
    start = _on_server(FOLDER)
    files = {_on_server(FOLDER / name): FOLDER / name for name in named}
    return files | {path: FOLDER / path.removeprefix(start) for path in chart_scripts()}


def _on_server(file: Path) -> str:
    return f"{base_path()}/{file.relative_to(FOLDER).as_posix().removeprefix('.')}"


def _start_page() -> str:
    return (FOLDER / "index.html").read_text(encoding="utf-8")


def send_at_once() -> None:
    """Have the server send each piece of an answer at once, from its next start in this process on.

    Streamlit binds the server's socket itself, and a server that is handed a socket holds the second
    piece of an answer back until the browser confirms the first, which takes the browser 40 ms: for each
    of the 76 files of a first visit, and for messages (Kludex/uvicorn#3149).
    """
    start = uvicorn.Server.startup

    async def startup(self: uvicorn.Server, sockets: list[socket.socket] | None = None) -> None:
        for listener in sockets or ():
            # What it accepts inherits this.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await start(self, sockets)

    uvicorn.Server.startup = startup


def forget_closed_tabs() -> int:
    """Drop closed tabs that are kept no longer for whoever reconnects; how many.

    To be called on the event loop, as Streamlit uses them there.
    """
    if not runtime.exists():
        return 0
    manager = runtime.get_instance()._session_mgr
    with manager._storage_lock:
        return len(manager._session_storage._cache.expire())


def uploads() -> dict[str, UploadedFileRec]:
    """What the session has sent, by file_id, whether an uploader lists it or not."""
    context = get_script_run_ctx()
    return dict(context.uploaded_file_mgr.file_storage.get(context.session_id, {}))


def drop_uploads(file_ids: Iterable[str]) -> None:
    """Drop the bytes of uploads; the uploader goes on listing their names.

    Streamlit keeps every uploaded byte until its session ends: a day's work at one page would fill
    the memory with images that were long answered.
    """
    context = get_script_run_ctx()
    manager, session = context.uploaded_file_mgr, context.session_id
    for record in manager.get_files(session, list(file_ids)):
        manager.add_file(session, record._replace(data=b""))

"""A browser's tab on the dashboard, as far as the server can tell: Streamlit's own messages over a websocket.

What benchmarks with many people at once share. A tab keeps what a browser keeps: the values of the widgets of
its page, the address, and the large messages that the server refers to and does not send twice.
"""

import asyncio
import contextlib
import re
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from http.cookies import SimpleCookie
from typing import Any, NamedTuple

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

from leukemia.inference.decisions import NOT_COMPARABLE
from leukemia.operating_point import UNCLASSIFIED, WORDS
from tests.support.browser import TOKEN

XSRF = "_streamlit_xsrf"
PASS = {"Authorization": f"Bearer {TOKEN}"}
PATIENCE = 1_200.0  # seconds
# The page's own words, whatever they are by now.
ANSWERED = re.compile(
    rf"([\d,]+) (?:{'|'.join((*WORDS.values(), NOT_COMPARABLE, UNCLASSIFIED))})", re.IGNORECASE
)
# What is pressed, filled in or read, and what tells one from another of its kind.
KINDS = {
    "file_uploader": "label",
    "button": "label",
    "download_button": "label",
    "text_input": "label",
    "bidi_component": "component_name",
    "markdown": "body",
}
ERROR = 1  # of an alert
# Files that are sent at a time, all tabs of a program together: a browser sends six.
SENDERS = ThreadPoolExecutor(60)
LARGE = 40  # messages that a tab keeps for another run


class Shown(NamedTuple):
    """An element of the page, and the part of the page that runs by itself where it lies in one."""

    element: Any
    fragment: str


class Tab:
    """One tab of one browser.

    Attributes
    ----------
    shown : dict
        By kind and label, what the page has shown last.
    answered : int
        How many images Classify has answered, by its heading.
    faults : list of str
        What the page has shown as an error.
    leads_to : str
        The address to which the page sends the browser; empty for none.
    """

    def __init__(
        self, socket: websockets.ClientConnection, url: str, headers: dict[str, str], token: str
    ) -> None:
        self._socket, self._url, self._headers, self._token = socket, url, headers, token
        self._values: dict[str, WidgetState] = {}
        self._large: dict[str, ForwardMsg] = {}
        self._page = self._first_page = self._query = self._session = ""
        self._at_rest = False
        self.shown: dict[tuple[str, str], Shown] = {}
        self.answered = 0
        self.faults: list[str] = []
        self.leads_to = ""

    async def enter(self) -> None:
        """Open the first page, whole."""
        await self.run()
        await self.wait(lambda: self._at_rest)
        self._first_page = self._page

    async def offer(self, files: list[tuple[str, bytes]]) -> list[Any]:
        """Ask where files may be put; :meth:`drop` then takes these places."""
        asked = BackMsg()
        asked.file_urls_request.session_id = self._session
        asked.file_urls_request.file_names.extend(name for name, _ in files)
        await self._socket.send(asked.SerializeToString())
        while not (message := await self.next()).HasField("file_urls_response"):
            pass
        return list(message.file_urls_response.file_urls)

    async def drop(self, files: list[tuple[str, bytes]], places: list[Any]) -> None:
        """Send files and let the page take them in."""
        (uploader,) = [one.element for (kind, _), one in self.shown.items() if kind == "file_uploader"]
        value = WidgetState(id=uploader.id)
        loop = asyncio.get_running_loop()
        put = [
            loop.run_in_executor(SENDERS, self._put, place.upload_url, name, data)
            for place, (name, data) in zip(places, files, strict=True)
        ]
        await asyncio.gather(*put)
        for place, (name, data) in zip(places, files, strict=True):
            listed = value.file_uploader_state_value.uploaded_file_info.add()
            listed.name, listed.size, listed.file_id = name, len(data), place.file_id
            listed.file_urls.CopyFrom(place)
        self._values[uploader.id] = value
        self.answered = 0
        await self.run()

    async def press(self, label: str) -> None:
        """Press a button, and wait until the page is at rest."""
        await self.run(self.pressed(label))
        await self.rest()

    def pressed(self, label: str) -> WidgetState:
        """A button as it is sent once it was pressed."""
        return WidgetState(id=self.shown["button", label].element.id, trigger_value=True)

    def fill(self, label: str, text: str) -> None:
        """Fill in a text, which is sent with what is pressed next."""
        name = self.shown["text_input", label].element.id
        self._values[name] = WidgetState(id=name, string_value=text)

    async def set_state(self, component: str, value: str) -> None:
        """Have a component of the page's own send its state, as JSON."""
        found = self.shown["bidi_component", component]
        self._values[found.element.id] = WidgetState(id=found.element.id, json_value=value)
        await self.run(fragment=found.fragment)

    async def go_back(self) -> None:
        """Go to the first page again."""
        self._page, self._query = self._first_page, ""
        self._forget_page()
        await self.run()
        await self.rest()

    async def go(self, name: str, query: str = "") -> None:
        """Go to a page at an address."""
        self._page, self._query = "", query
        self._forget_page()
        await self.run(name=name)
        await self.rest()

    async def download(self, label: str) -> bytes:
        """What a download button gives that has it already."""
        return await asyncio.to_thread(self.get, self.shown["download_button", label].element.url)

    async def made(self, label: str) -> tuple[str, str]:
        """Where a download is that is made once its button is pressed, and why there is none."""
        asked = BackMsg()
        asked.backend_operation_request.session_id = self._session
        asked.backend_operation_request.request_id = label
        found = self.shown["download_button", label].element.deferred_file_id
        asked.backend_operation_request.deferred_file.file_id = found
        await self._socket.send(asked.SerializeToString())
        while not (message := await self.next()).HasField("backend_operation_response"):
            pass
        answer = message.backend_operation_response
        return answer.deferred_file.url, answer.error_msg

    async def run(self, *pressed: WidgetState, fragment: str = "", name: str = "") -> None:
        """Have the page run, or a part of it or another, with what is filled in and what was just pressed."""
        self._at_rest = False
        for known in list(self._large)[:-LARGE]:
            del self._large[known]
        asked = BackMsg()
        asked.rerun_script.query_string = self._query
        asked.rerun_script.page_script_hash, asked.rerun_script.page_name = self._page, name
        asked.rerun_script.fragment_id = fragment
        asked.rerun_script.cached_message_hashes.extend(self._large)
        asked.rerun_script.widget_states.widgets.extend([*self._values.values(), *pressed])
        await self._socket.send(asked.SerializeToString())

    async def rest(self) -> None:
        """Wait until the page has run to its end."""
        await self.wait(lambda: self._at_rest)

    async def wait(self, holds: Callable[[], bool]) -> None:
        """Take what the server sends until a condition holds; raises TimeoutError after :data:`PATIENCE`."""
        until = time.monotonic() + PATIENCE
        while not holds():
            if time.monotonic() > until:
                raise TimeoutError("the page did not come to what was waited for")
            await self.next()

    async def next(self) -> ForwardMsg:
        """Take one message."""
        message = ForwardMsg.FromString(await asyncio.wait_for(self._socket.recv(), PATIENCE))
        if message.metadata.cacheable and not message.HasField("ref_hash"):
            self._large[message.hash] = message
        if message.HasField("ref_hash"):
            known = ForwardMsg.FromString(self._large[message.ref_hash].SerializeToString())
            known.metadata.CopyFrom(message.metadata)
            message = known
        if message.HasField("new_session"):
            self._session = message.new_session.initialize.session_id or self._session
            if self._page not in ("", message.new_session.page_script_hash):
                self._forget_page()
            self._page, self._at_rest = message.new_session.page_script_hash, False
        elif message.HasField("auth_redirect"):
            self.leads_to = message.auth_redirect.url
        elif message.HasField("page_info_changed"):
            self._query = message.page_info_changed.query_string
        elif message.HasField("script_finished"):
            ended = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)
            self._at_rest = message.script_finished in ended
        elif message.HasField("delta"):
            self._take(message.delta.new_element, message.delta.fragment_id)
        return message

    def _take(self, element: Any, fragment: str) -> None:
        for kind, label in KINDS.items():
            if element.HasField(kind):
                found = getattr(element, kind)
                if kind == "file_uploader":  # Clear puts another in its place
                    self.shown = {key: one for key, one in self.shown.items() if key[0] != kind}
                self.shown[kind, getattr(found, label)] = Shown(found, fragment)
        if element.HasField("heading") and (counts := ANSWERED.findall(element.heading.body)):
            self.answered = sum(int(count.replace(",", "")) for count in counts)
        if element.HasField("exception"):
            self.faults.append(element.exception.message)
        elif element.HasField("alert") and element.alert.format == ERROR:
            self.faults.append(element.alert.body)

    def get(self, path: str) -> bytes:
        """A file of the server, asked for with what this browser has."""
        asked = urllib.request.Request(self._url + path, headers=self._headers)
        with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
            return answer.read()

    def _put(self, path: str, name: str, data: bytes) -> None:
        mark = "part-of-the-form"
        head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        body = head.encode() + data + f"\r\n--{mark}--\r\n".encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={mark}", "X-Xsrftoken": self._token}
        asked = urllib.request.Request(self._url + path, body, self._headers | kind, method="PUT")
        urllib.request.urlopen(asked, timeout=PATIENCE).close()

    def _forget_page(self) -> None:
        """A browser keeps no value of a widget that went with its page."""
        self._values, self.shown = {}, {}


@contextlib.asynccontextmanager
async def open_tab(url: str, headers: Mapping[str, str] = PASS) -> AsyncIterator[Tab]:
    """A tab on the dashboard's first page, with what the browser sends along; closed in the end."""
    # A page shows by a cookie that it is the server's own, and by the same beside it.
    token = await asyncio.to_thread(_token, url)
    cookies = [headers.get("Cookie"), f"{XSRF}={token}"]
    sent = dict(headers) | {"Cookie": "; ".join(filter(None, cookies))}
    address = url.replace("http", "ws") + "/_stcore/stream"
    async with websockets.connect(
        address, subprotocols=["streamlit", token], max_size=None, additional_headers=sent
    ) as socket:
        tab = Tab(socket, url, sent, token)
        await tab.enter()
        yield tab


def _token(url: str) -> str:
    """What shows the server that an upload comes from its own page."""
    with urllib.request.urlopen(f"{url}/_stcore/health", timeout=PATIENCE) as answer:
        return SimpleCookie(answer.headers["Set-Cookie"])[XSRF].value

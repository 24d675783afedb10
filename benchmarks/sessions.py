"""Many people at once: seconds to each session's first and last answer, and the server's memory.

    python -m benchmarks.sessions [--sessions 20] [--cells 50] [--images FOLDER] [--large]

A dashboard is started, and so many sessions drop their cells on it at the same moment, as browsers do it: by
Streamlit's own messages over a websocket. Each has cells of its own: drawn ones, or those of a folder in
turn. With ``--large`` each drops 20 pictures of 5,000 x 5,000 pixels instead, small on disk; the server's
limit is then 3 GB.
"""

import argparse
import asyncio
import io
import re
import tempfile
import time
import urllib.request
from http.cookies import SimpleCookie
from itertools import cycle, islice
from pathlib import Path
from statistics import median

import psutil
import websockets
from PIL import Image
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from leukemia import settings
from leukemia.imaging.reader import SUFFIXES
from leukemia.inference.decisions import NOT_COMPARABLE
from leukemia.operating_point import UNCLASSIFIED, WORDS
from tests.support.browser import TOKEN, Server

CELLS, LARGE, SIDE = 50, 20, 5_000
XSRF = "_streamlit_xsrf"
PASS = {"Authorization": f"Bearer {TOKEN}"}
LIMIT = 3_000_000_000
PATIENCE = 1_200.0
# The page's own words, whatever they are by now.
ANSWERED = re.compile(
    rf"([\d,]+) (?:{'|'.join((*WORDS.values(), NOT_COMPARABLE, UNCLASSIFIED))})", re.IGNORECASE
)


class Session:
    """One person's browser, as far as the server can tell."""

    def __init__(self, url: str, files: list[tuple[str, bytes]]) -> None:
        self._url, self._files = url, files
        self._page = ""
        self._uploader = ""
        self.answered = 0
        self.first = self.last = float("nan")

    async def run(self, ready: asyncio.Barrier) -> None:
        """Open the page, drop the files when all others are ready, and wait for the answers."""
        address = self._url.replace("http", "ws") + "/_stcore/stream"
        connection = websockets.connect(
            address, subprotocols=["streamlit"], max_size=None, additional_headers=PASS
        )
        async with connection as socket:
            await self._rerun(socket)
            identity = ""
            while not (identity and self._uploader):
                message = await self._next(socket)
                identity = message.new_session.initialize.session_id or identity
            asked = BackMsg()
            asked.file_urls_request.session_id = identity
            asked.file_urls_request.file_names.extend(name for name, _ in self._files)
            await socket.send(asked.SerializeToString())
            while not (message := await self._next(socket)).HasField("file_urls_response"):
                pass
            places = list(message.file_urls_response.file_urls)
            token = await asyncio.to_thread(_token, self._url)
            await ready.wait()
            began = time.monotonic()
            for place, (name, data) in zip(places, self._files, strict=True):
                await asyncio.to_thread(_put, self._url + place.upload_url, token, name, data)
            await self._rerun(socket, places)
            while self.answered < len(self._files):
                await self._next(socket)
                if self.answered and not self.first >= 0:
                    self.first = time.monotonic() - began
            self.last = time.monotonic() - began

    async def _next(self, socket: websockets.ClientConnection) -> ForwardMsg:
        message = ForwardMsg.FromString(await asyncio.wait_for(socket.recv(), PATIENCE))
        self._page = message.new_session.page_script_hash or self._page
        element = message.delta.new_element
        if element.HasField("file_uploader"):
            self._uploader = element.file_uploader.id
        if element.HasField("heading") and (counts := ANSWERED.findall(element.heading.body)):
            self.answered = sum(int(count.replace(",", "")) for count in counts)
        return message

    async def _rerun(self, socket: websockets.ClientConnection, places: tuple = ()) -> None:
        asked = BackMsg()
        asked.rerun_script.query_string = ""
        asked.rerun_script.page_script_hash = self._page
        if places:
            widget = asked.rerun_script.widget_states.widgets.add(id=self._uploader)
            for place, (name, data) in zip(places, self._files, strict=True):
                listed = widget.file_uploader_state_value.uploaded_file_info.add()
                listed.name, listed.size, listed.file_id = name, len(data), place.file_id
                listed.file_urls.CopyFrom(place)
        await socket.send(asked.SerializeToString())


def main() -> None:
    """Measure and print."""
    options = _options()
    files = _large() if options.large else _cells(options.images)
    each = options.cells or (LARGE if options.large else CELLS)
    supply = cycle(files)
    with tempfile.TemporaryDirectory() as scratch:
        server = Server(settings.SHIPPED, Path(scratch) / "log.txt", Path(scratch) / "data")
        try:
            server.wait()
            sessions = [Session(server.url, list(islice(supply, each))) for _ in range(options.sessions)]
            peak = asyncio.run(_measure(sessions, server.process.pid))
        finally:
            server.stop()
    first, last = ([getattr(one, name) for one in sessions] for name in ("first", "last"))
    print(f"{len(sessions)} sessions of {each} pictures")
    print(f"first answer after {median(first):.1f} s at the median, {max(first):.1f} s at the worst")
    print(f"all answered after {median(last):.1f} s at the median, {max(last):.1f} s at the worst")
    print(f"{len(sessions) * each / max(last):.1f} pictures a second")
    print(f"the server took up to {peak / 1e9:.2f} GB (limit {LIMIT / 1e9:g})")


async def _measure(sessions: list[Session], process: int) -> int:
    """Run the sessions; return the most memory that the server took."""
    ready = asyncio.Barrier(len(sessions))
    running = asyncio.gather(*(one.run(ready) for one in sessions))
    server, peak = psutil.Process(process), 0
    while not running.done():
        peak = max(peak, server.memory_info().rss)
        await asyncio.sleep(0.1)
    await running
    return peak


def _put(url: str, token: str, name: str, data: bytes) -> None:
    mark = "part-of-the-form"
    head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    body = head.encode() + data + f"\r\n--{mark}--\r\n".encode()
    kind = {"Content-Type": f"multipart/form-data; boundary={mark}"}
    kind |= PASS | {"X-Xsrftoken": token, "Cookie": f"{XSRF}={token}"}
    request = urllib.request.Request(url, body, kind, method="PUT")
    urllib.request.urlopen(request, timeout=PATIENCE).close()


def _token(url: str) -> str:
    """What shows the server that an upload comes from its own page."""
    with urllib.request.urlopen(f"{url}/_stcore/health", timeout=PATIENCE) as answer:
        return SimpleCookie(answer.headers["Set-Cookie"])[XSRF].value


def _cells(folder: Path | None) -> list[tuple[str, bytes]]:
    if folder:
        paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
        return [(path.name, path.read_bytes()) for path in paths[:1_000]]
    from leukemia.dataset.synthetic import sample_writer

    return sample_writer.sample_cells(100)


def _large() -> list[tuple[str, bytes]]:
    files = []
    for number in range(LARGE):
        out = io.BytesIO()
        Image.new("RGBA", (SIDE, SIDE), (number, 40, 90, 255)).save(out, "PNG")
        files.append((f"large{number:02d}.png", out.getvalue()))
    return files


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--cells", type=int, help="pictures of each session")
    parser.add_argument("--images", type=Path, help="a folder of cells, in place of drawn ones")
    parser.add_argument("--large", action="store_true", help=f"{LARGE} pictures of {SIDE} x {SIDE} each")
    return parser.parse_args()


if __name__ == "__main__":
    main()

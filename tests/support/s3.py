"""A bucket on this machine that speaks as much of S3 as listing and reading takes."""

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

KEY, SECRET = "the-key", "the-secret"  # of nobody


@contextlib.contextmanager
def bucket(name, objects):
    """Serve objects (bytes by key); yields the query that an address of the bucket needs."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self):
            self.do_GET()

        def do_GET(self):
            asked = urlsplit(self.path)
            key = unquote(asked.path).removeprefix(f"/{name}").lstrip("/")
            if KEY not in self.headers.get("Authorization", ""):
                self._send(403, b"")
            elif not key:
                self._send(200, listing(parse_qs(asked.query).get("prefix", [""])[0]))
            elif key not in objects:
                self._send(404, b"")
            else:
                self._send_object(objects[key])

        def _send_object(self, data):
            if wanted := self.headers.get("Range"):
                first, last = wanted.removeprefix("bytes=").split("-")
                part = data[int(first) : int(last) + 1]
                self._send(206, part, f"bytes {first}-{int(first) + len(part) - 1}/{len(data)}")
            else:
                self._send(200, data)

        def _send(self, status, body, content_range=""):
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Last-Modified", "Wed, 01 Jan 2025 00:00:00 GMT")
            if content_range:
                self.send_header("Content-Range", content_range)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *_):
            pass

    def listing(prefix):
        keys = [key for key in sorted(objects) if key.startswith(prefix)]
        found = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(objects[key])}</Size>"
            "<LastModified>2025-01-01T00:00:00.000Z</LastModified></Contents>"
            for key in keys
        )
        return (
            '<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>{name}</Name><Prefix>{prefix}</Prefix><KeyCount>{len(keys)}</KeyCount>"
            f"<IsTruncated>false</IsTruncated>{found}"
            "</ListBucketResult>"
        ).encode()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"scheme=http&region=nowhere&endpoint_override=127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

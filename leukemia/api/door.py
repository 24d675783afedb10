"""Each request before the application sees it: its id, its host, its key, its rate; then its log line.

Only what :data:`OPEN` names is answered without a key: whatever address is added needs one.
"""

import logging
import re
import secrets
import time
from collections.abc import Collection
from http import HTTPStatus
from pathlib import Path

from anyio import CapacityLimiter, to_thread
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leukemia.access import acting, keys
from leukemia.access.keys import Key
from leukemia.api.errors import TOO_LARGE, answer, status_of
from leukemia.api.metrics import METHODS, NO_ROUTE, OTHER_METHOD, Metrics
from leukemia.errors import LeukemiaError
from leukemia.settings import MAX_REQUEST_BYTES, RESEARCH_USE

log = logging.getLogger("leukemia.api")

OPEN = ("/health", "/ready", "/docs", "/openapi.json")
ASSETS = "/docs/assets"
REQUEST_ID, NOTICE = "x-request-id", "x-notice"
# An id that a proxy or a client gave; anything else might forge lines of the log.
GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# Requests without a valid key, of one address: who guesses is slowed down.
FAILURES = parse("20 per minute")
# Threads that look up keys for addresses beyond that; the others go on answering.
GUESSERS = 2
NO_KEY = (
    "This needs an API key: send it as 'Authorization: Bearer KEY'. "
    "'python -m leukemia keys add NAME' makes one."
)
BAD_KEY = "This API key is not valid: it was mistyped, or revoked."
TOO_MANY = "Too many requests: at most {} with one key. Wait {} s, then go on."
TOO_MANY_FAILURES = "Too many requests without a valid key. Wait {} s, then try again."
FOREIGN_HOST = (
    "This service does not answer under the name {!r}. To have it do so, add the name to the environment "
    "variable LEUKEMIA_HOSTS where it is started."
)


class Refusal(Exception):
    """A request that the application does not see."""

    def __init__(self, status: int, sentence: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.headers = status, sentence, headers or {}


class Door:
    """Lets requests in to an application.

    Parameters
    ----------
    app : ASGI application
    data : Path
        The data folder, whose records hold the keys.
    hosts : collection of str
        Names under which the service answers, without ports.
    rate : str
        How many requests a key has, such as ``600 per minute``.
    metrics : Metrics
    base_path : str, optional
        Where a proxy has put the service, such as ``/api``.
    """

    def __init__(
        self,
        app: ASGIApp,
        data: Path,
        *,
        hosts: Collection[str],
        rate: str,
        metrics: Metrics,
        base_path: str = "",
    ) -> None:
        self._app, self._data, self._base_path = app, data, base_path
        self._hosts = {host.lower() for host in hosts}
        self._rate = parse(rate)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._guessers = CapacityLimiter(GUESSERS)
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # A proxy may have taken it off the path, or left it there.
        scope["root_path"] = self._base_path
        began, status = time.monotonic(), 0
        given = Headers(scope=scope).get(REQUEST_ID, "")
        scope["request_id"] = request_id = given if GIVEN_ID.fullmatch(given) else secrets.token_hex(8)
        holder = "-"

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID], headers[NOTICE] = request_id, RESEARCH_USE
                headers.setdefault("cache-control", "no-store")
                headers.setdefault("x-content-type-options", "nosniff")
            await send(message)

        with self._metrics.running.track_inprogress():
            try:
                self._check_host(scope)
                self._check_size(scope)
                if self._is_open(scope):
                    await self._app(scope, receive, send_with_id)
                else:
                    key = await self._key(scope)
                    scope["key"], holder = key, key.name
                    with acting.acting_as(key.user):
                        await self._app(scope, receive, send_with_id)
            except Refusal as refusal:
                refused = answer(refusal.status, refusal.sentence, request_id, refusal.headers)
                await refused(scope, receive, send_with_id)
            except Exception:
                # The application has answered already that something went wrong.
                log.exception("request %s failed", request_id)
        took = time.monotonic() - began
        route = getattr(scope.get("route"), "path", NO_ROUTE)
        # A method that somebody made up would be counted, and written, as such for good.
        method = scope["method"] if scope["method"] in METHODS else OTHER_METHOD
        self._metrics.requests.labels(method, route, status).inc()
        self._metrics.seconds.labels(route).observe(took)
        # Neither the query nor the body, which may say who the patient is.
        log.info("%s %r %s %s %d %.0f ms", request_id, holder, method, route, status, 1_000 * took)

    def _check_host(self, scope: Scope) -> None:
        host = Headers(scope=scope).get("host", "")
        name = host.lower() if host.endswith("]") else host.lower().rpartition(":")[0] or host.lower()
        if name.strip("[]") not in self._hosts:
            raise Refusal(HTTPStatus.MISDIRECTED_REQUEST, FOREIGN_HOST.format(host[:100]))

    def _check_size(self, scope: Scope) -> None:
        """Refuse what is announced as too large before it is read; the application counts what comes."""
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdigit() and int(announced) > MAX_REQUEST_BYTES:
            raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE)

    def _is_open(self, scope: Scope) -> bool:
        path = scope["path"].removeprefix(self._base_path)
        return path in OPEN or path.startswith(f"{ASSETS}/")

    async def _key(self, scope: Scope) -> Key:
        """The key of a request, which is within its rate."""
        client = (scope.get("client") or ("-", 0))[0]
        scheme, _, text = Headers(scope=scope).get("authorization", "").partition(" ")
        text = text.strip() if scheme.lower() == "bearer" else ""
        # Others at the same address may have used it up: whoever has a key is let in all the same.
        guesses = not self._limiter.test(FAILURES, client)
        try:
            key = await self._find(text, self._guessers if guesses else None) if text else None
        except LeukemiaError as error:
            raise Refusal(status_of(error), str(error)) from error
        if key is None:
            if not self._limiter.hit(FAILURES, client):
                raise self._too_many(FAILURES, client, TOO_MANY_FAILURES)
            challenge = {"www-authenticate": "Bearer"}
            raise Refusal(HTTPStatus.UNAUTHORIZED, BAD_KEY if text else NO_KEY, challenge)
        if not self._limiter.hit(self._rate, key.id):
            raise self._too_many(self._rate, key.id, TOO_MANY)
        return key

    async def _find(self, text: str, limiter: CapacityLimiter | None) -> Key | None:
        return await to_thread.run_sync(keys.find, self._data, text, limiter=limiter)

    def _too_many(self, limit: object, whose: str, sentence: str) -> Refusal:
        until = self._limiter.get_window_stats(limit, whose).reset_time
        wait = max(1, round(until - time.time()))
        said = sentence.format(limit, wait) if sentence is TOO_MANY else sentence.format(wait)
        return Refusal(HTTPStatus.TOO_MANY_REQUESTS, said, {"retry-after": str(wait)})

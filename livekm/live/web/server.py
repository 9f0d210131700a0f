"""Serve the newest picture and what is known of it to browsers and other programs."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import os
import secrets
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import cv2
from aiohttp import WSMsgType, web

from livekm.context import Closing
from livekm.errors import SinkError
from livekm.frame import Image
from livekm.live.web.address import LOOPBACK_NAMES, Address
from livekm.live.web.page import PAGE
from livekm.live.web.wish import Point, Ready, Wish, read_message

_logger = logging.getLogger(__name__)

_MOST_VIEWERS = 16
_MOST_WISHES = 64  # that wait; more are dropped
_LONGEST_MESSAGE = 2048  # bytes that a viewer may send at once
_PATIENCE = 5.0  # seconds for a viewer to take a picture, and for the first picture to come
_HEARTBEAT = 20.0  # seconds
_QUALITY = 85  # of a JPEG
_STATS_PERIOD = 0.5  # seconds between two events of /stats
_COOKIE = "livekm"

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class _News:
    """The newest picture and state, and its JPEG once somebody has asked for it."""

    number: int = 0
    image: Image | None = None
    state: dict[str, Any] = field(default_factory=dict)
    tips: Mapping[int, str] = field(default_factory=dict)
    jpeg: bytes | None = None


class Server(Closing):
    """Serve in a thread of its own; nothing that a viewer does holds up who publishes.

    On a loopback address, requests must name this machine, so that no page of another site can
    reach it through a name of its own (DNS rebinding). On any other address they need the token in
    `url`. A WebSocket of a page from elsewhere is refused in both cases.

    Parameters
    ----------
    address : Address

    Attributes
    ----------
    url : str
        What to open, with the token where one is needed.

    Raises
    ------
    SinkError
        If the address is taken, or not this machine's.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._token = "" if address.is_loopback else secrets.token_urlsafe(16)
        self._news = _News()
        self._changed = asyncio.Event()
        self._viewers = 0
        self._waiting = 0
        self._wishes: deque[Wish] = deque()
        self._sockets: set[web.WebSocketResponse] = set()
        self._numbers = itertools.count()  # of viewers
        self._pointers: dict[int, Point] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="livekm web", daemon=True
        )
        self._thread.start()
        try:
            self.url: str = self._call(self._start()).result()
        except OSError as error:
            self._end_loop()
            number = error.errno or 0  # below 0 of a name that is not known
            why = os.strerror(number) if number > 0 else error.strerror or error
            raise SinkError(f"cannot serve on {address}: {why}; take another port") from error

    @property
    def is_watched(self) -> bool:
        """Whether somebody waits for a picture."""
        return self._waiting > 0

    @property
    def pointers(self) -> dict[int, Point]:
        """Where in the picture viewers point to, by a number of each."""
        return self._pointers.copy()

    def publish(
        self, image: Image | None, state: dict[str, Any], tips: Mapping[int, str] | None = None
    ) -> None:
        """Offer a picture; who still looks at an older one gets the newest next.

        Parameters
        ----------
        image : (H, W, 3) uint8, BGR, or None
            Must not be written to afterwards. None where only the state is new.
        state : dict
            What is known of it, as JSON can hold it.
        tips : mapping of int to str, optional
            What is where each of `pointers` was.
        """
        self._loop.call_soon_threadsafe(self._set, image, state, tips or {})

    def take_wishes(self) -> list[Wish]:
        """Return what viewers have asked for since the last call."""
        wishes = []
        while self._wishes:
            wishes.append(self._wishes.popleft())
        return wishes

    def close(self) -> None:
        """Send the viewers away and free the port. Closing twice is allowed."""
        if not self._loop.is_closed():
            self._call(self._stop()).result()
            self._end_loop()

    def _call(self, work: Any) -> Future[Any]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    # What follows runs in the server's thread.

    async def _start(self) -> str:
        app = web.Application(middlewares=[self._guard], client_max_size=_LONGEST_MESSAGE)
        app.add_routes(
            [
                web.get("/", self._page),
                web.get("/live", self._live),
                web.get("/frame.jpg", self._frame),
                web.get("/snapshot.png", self._snapshot),
                web.get("/stream.mjpg", self._stream),
                web.get("/stats", self._stats),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._address.host, self._address.port)
        try:
            await site.start()
        except OSError:
            await self._runner.cleanup()
            raise
        port = self._runner.addresses[0][1]
        host = Address(port, self._address.host).seen_from_outside
        return f"http://{host}/" + (f"?token={self._token}" if self._token else "")

    async def _stop(self) -> None:
        for socket in tuple(self._sockets):
            await socket.close(code=1001, message=b"livekm has ended")
        await self._runner.cleanup()

    def _set(self, image: Image | None, state: dict[str, Any], tips: Mapping[int, str]) -> None:
        news = self._news
        if image is None:
            image, jpeg = news.image, news.jpeg
        else:
            jpeg = None
        self._news = _News(news.number + 1, image, state, tips, jpeg)
        self._changed.set()
        self._changed = asyncio.Event()

    @web.middleware
    async def _guard(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Let those in who may; mark what is sent as nothing to keep, guess at, or frame."""
        host = urlsplit(f"//{request.host}").hostname or ""
        if not self._token and host not in LOOPBACK_NAMES:
            raise web.HTTPForbidden(text="livekm serves this machine only")
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != request.host:
            raise web.HTTPForbidden(text="this page is not livekm's")
        if self._token:
            given = request.query.get("token", request.cookies.get(_COOKIE, ""))
            if not secrets.compare_digest(given.encode(), self._token.encode()):
                raise web.HTTPForbidden(text="the token that livekm printed is missing or wrong")
        return await handler(request)

    async def _page(self, request: web.Request) -> web.StreamResponse:
        nonce = secrets.token_urlsafe(12)
        response = web.Response(
            text=PAGE.replace("NONCE", nonce),
            content_type="text/html",
            headers={
                **_PRIVATE,
                "Content-Security-Policy": (
                    f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; "
                    "img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; "
                    "form-action 'none'; frame-ancestors 'none'"
                ),
            },
        )
        if self._token:
            response.set_cookie(_COOKIE, self._token, httponly=True, samesite="Strict")
        return response

    async def _frame(self, request: web.Request) -> web.StreamResponse:
        await self._newest()
        return web.Response(body=await self._jpeg(), content_type="image/jpeg", headers=_PRIVATE)

    async def _snapshot(self, request: web.Request) -> web.StreamResponse:
        image = await self._newest()
        content = await asyncio.to_thread(_encoded, image, ".png")
        headers = {**_PRIVATE, "Content-Disposition": 'attachment; filename="livekm.png"'}
        return web.Response(body=content, content_type="image/png", headers=headers)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        kind = "multipart/x-mixed-replace; boundary=frame"
        response = web.StreamResponse(headers={**_PRIVATE, "Content-Type": kind})
        with self._watching(request):
            await response.prepare(request)
            number = 0
            while True:
                number = await self._await_news(number)
                jpeg = await self._jpeg()
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                part = head.encode() + jpeg + b"\r\n"
                await asyncio.wait_for(response.write(part), _PATIENCE)
        return response

    async def _stats(self, request: web.Request) -> web.StreamResponse:
        if "text/event-stream" not in request.headers.get("Accept", ""):
            with suppress(asyncio.TimeoutError):
                news = self._await_news(self._news.number, needs_image=False)
                await asyncio.wait_for(news, _PATIENCE)
            return web.json_response(self._news.state, headers=_PRIVATE)
        response = web.StreamResponse(headers={**_PRIVATE, "Content-Type": "text/event-stream"})
        with self._watching(request):
            await response.prepare(request)
            number = -1
            while True:
                number = await self._await_news(number, needs_image=False)
                event = f"data: {json.dumps(self._news.state)}\n\n".encode()
                await asyncio.wait_for(response.write(event), _PATIENCE)
                await asyncio.sleep(_STATS_PERIOD)
        return response

    async def _live(self, request: web.Request) -> web.StreamResponse:
        """Send a viewer state and picture each time it says that it is ready; take its wishes."""
        socket = web.WebSocketResponse(max_msg_size=_LONGEST_MESSAGE, heartbeat=_HEARTBEAT)
        with self._viewer():
            await socket.prepare(request)
            self._sockets.add(socket)
            sender: asyncio.Task[int] | None = None
            viewer, number = next(self._numbers), 0
            try:
                async for message in socket:
                    if message.type != WSMsgType.TEXT:
                        break
                    said = read_message(message.data)
                    if isinstance(said, Ready):
                        self._note_pointer(viewer, said.pointer)
                        if sender is None or sender.done():
                            number = number if sender is None else sender.result()
                            sender = asyncio.create_task(self._send(socket, viewer, number))
                    elif len(self._wishes) < _MOST_WISHES:
                        self._wishes.append(said)
            finally:
                self._sockets.discard(socket)
                self._note_pointer(viewer, None)
                if sender is not None:
                    sender.cancel()
        return socket

    def _note_pointer(self, viewer: int, point: Point | None) -> None:
        pointers = {**self._pointers, viewer: point}  # anew: another thread may be reading it
        self._pointers = {key: value for key, value in pointers.items() if value is not None}

    async def _send(self, socket: web.WebSocketResponse, viewer: int, number: int) -> int:
        """Send what is newer than the news of a number; return the number of what was sent."""
        number = await self._await_news(number)
        news = self._news
        jpeg = await self._jpeg()
        state = {**news.state, "tip": news.tips.get(viewer, "")}
        try:
            await asyncio.wait_for(socket.send_str(json.dumps(state)), _PATIENCE)
            await asyncio.wait_for(socket.send_bytes(jpeg), _PATIENCE)
        except (asyncio.TimeoutError, ConnectionError):  # it is gone, or takes nothing more
            await socket.close()
        return number

    @contextmanager
    def _watching(self, request: web.Request) -> Iterator[None]:
        """Count a viewer of a stream; cut off one that is gone, or takes nothing more."""
        with self._viewer():
            try:
                yield
            except (ConnectionError, asyncio.TimeoutError):
                if request.transport is not None:
                    request.transport.abort()

    def _viewer(self) -> _Viewer:
        if self._viewers >= _MOST_VIEWERS:
            raise web.HTTPServiceUnavailable(text="too many viewers")
        return _Viewer(self)

    async def _await_news(self, number: int, *, needs_image: bool = True) -> int:
        """Wait for news after those of a number; return theirs."""
        self._waiting += 1
        try:
            while self._news.number <= number or (needs_image and self._news.image is None):
                await self._changed.wait()
        finally:
            self._waiting -= 1
        return self._news.number

    async def _newest(self) -> Image:
        """Wait for a picture: the last one may be old, where nobody watched meanwhile."""
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._await_news(self._news.number), _PATIENCE)
        if self._news.image is None:
            raise web.HTTPServiceUnavailable(text="there is no picture yet")
        return self._news.image

    async def _jpeg(self) -> bytes:
        news = self._news
        if news.jpeg is None:
            assert news.image is not None
            news.jpeg = await asyncio.to_thread(_encoded, news.image, ".jpg")
        return news.jpeg


class _Viewer:
    """Counts one viewer while the ``with`` block lasts."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def __enter__(self) -> None:
        self._server._viewers += 1

    def __exit__(self, *error: object) -> None:
        self._server._viewers -= 1


_PRIVATE = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def _encoded(image: Image, suffix: str) -> bytes:
    options = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY] if suffix == ".jpg" else []
    return cv2.imencode(suffix, image, options)[1].tobytes()

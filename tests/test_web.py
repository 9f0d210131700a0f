"""The server of the live picture: who gets in, who gets what, and who holds up whom."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import cv2
import numpy as np
import pytest

from livekm import Segmenter
from livekm.errors import SinkError
from livekm.frame import Frame
from livekm.live.keys import key_groups
from livekm.live.session import Session
from livekm.live.web import Address, WebFront, read_address
from livekm.live.web.server import Server
from livekm.live.web.wish import Wish

STATE = {"source": "made", "segments": []}


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(Address(0)) as server:
        yield server


def picture(level: int) -> np.ndarray:
    return np.full((48, 64, 3), level, np.uint8)


def talk(
    server: Server, conversation: Callable[[aiohttp.ClientSession, str], Coroutine[Any, Any, Any]]
) -> Any:
    """Run a conversation with a server, whose address without the token it gets."""

    async def run() -> Any:
        base = server.url.partition("?")[0]
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(10)) as client:
            return await conversation(client, base)

    return asyncio.run(run())


async def status(client: aiohttp.ClientSession, url: str, **options: Any) -> int:
    async with client.get(url, **options) as response:
        return response.status


async def next_picture(live: aiohttp.ClientWebSocketResponse) -> tuple[dict[str, Any], int]:
    """Ask for the next picture; return its state and its grey level."""
    await live.send_str('{"ready": true}')
    state = json.loads((await live.receive()).data)
    content = np.frombuffer((await live.receive()).data, np.uint8)
    return state, round(float(cv2.imdecode(content, cv2.IMREAD_COLOR).mean()))


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_the_address_that_is_told_can_be_opened_elsewhere(host):
    told = Address(8000, host).seen_from_outside
    assert told.port == 8000
    assert told.host not in ("0.0.0.0", "::")
    assert Address(8000, "192.0.2.7").seen_from_outside == Address(8000, "192.0.2.7")


@pytest.mark.parametrize("text", ["", "x", "-1", "65536", "host:", ":80", "1.5", "a:b:c"])
def test_what_is_no_address_is_told(text):
    with pytest.raises(ValueError, match="must be a port, or an address and a port"):
        read_address(text)


def test_the_page_comes_whole_and_lets_nothing_else_in(server):
    async def conversation(client, base):
        async with client.get(base) as response:
            return response.headers, await response.text()

    headers, text = talk(server, conversation)
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "NONCE" not in text
    assert "http" not in text.replace("https:", "")
    nonce = policy.partition("'nonce-")[2].partition("'")[0]
    assert text.count(nonce) == 2


def test_a_viewer_gets_the_newest_picture_each_time_it_is_ready(server):
    async def conversation(client, base):
        seen = []
        async with client.ws_connect(base + "live") as live:
            for first in (10, 50, 90):
                for level in range(first, first + 20, 5):
                    server.publish(picture(level), {**STATE, "level": level})
                await asyncio.sleep(0.05)
                seen.append(await next_picture(live))
        return seen

    for (state, level), newest in zip(talk(server, conversation), (25, 65, 105), strict=True):
        assert (state["level"], level) == (newest, newest)


def test_a_viewer_that_asks_again_waits_for_a_new_picture(server):
    async def conversation(client, base):
        server.publish(picture(10), STATE)
        async with client.ws_connect(base + "live") as live:
            await next_picture(live)
            await live.send_str('{"ready": true}')
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(live.receive(), 0.2)

    talk(server, conversation)


def test_one_that_hangs_costs_the_others_nothing(server):
    large = np.random.default_rng(0).integers(0, 256, (720, 1280, 3), np.uint8)

    async def conversation(client, base):
        parts = urlsplit(base)
        hung = socket.create_connection((parts.hostname, parts.port))
        hung.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        hung.send(f"GET /stream.mjpg HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
        levels = []
        async with client.ws_connect(base + "live") as live:
            for level in range(5):
                server.publish(large, STATE)
                server.publish(picture(20 * level), STATE)
                levels.append((await next_picture(live))[1])
        hung.close()
        return levels

    assert talk(server, conversation) == [0, 20, 40, 60, 80]


def test_the_page_is_told_that_livekm_is_starting_until_there_are_segments(server, tmp_path):
    ready = set()
    session = Session(
        Segmenter(2), "segments", 1.0, tmp_path, key_groups(), are_ready=ready.__contains__
    )
    front = WebFront(server, session, "made")

    async def conversation(client, base):
        rates = []
        async with client.ws_connect(base + "live") as live:
            for index in range(2):
                await live.send_str('{"ready": true}')
                while not server.is_watched:
                    await asyncio.sleep(0.001)
                session.processing.take(Frame(picture(index), index, index / 30))
                front.show(session.look())
                rates.append(json.loads((await live.receive()).data)["rate"])
                await live.receive()
                ready.add("bgr")
        return rates

    first, then = talk(server, conversation)
    assert first == "starting, a few seconds"
    assert "starting" not in then
    session.close()


def test_what_is_pointed_at_is_told_to_who_points(server, tmp_path):
    session = Session(Segmenter(2, random_state=0), "segments", 1.0, tmp_path, key_groups())
    halves = picture(10)
    halves[:, 32:] = 200
    session.processing.take(Frame(halves, 0, 0.0))
    front = WebFront(server, session, "made")

    async def conversation(client, base):
        places = [', "at": [0.1, 0.5]', ', "at": [0.9, 0.5]', ', "at": [7, 0]', ""]
        viewers = [await client.ws_connect(base + "live") for _ in places]
        for viewer, place in zip(viewers, places, strict=True):
            await viewer.send_str(f'{{"ready": true{place}}}')
        while server._waiting < len(viewers):
            await asyncio.sleep(0.001)
        front.show(session.look())
        tips = [json.loads((await viewer.receive()).data)["tip"] for viewer in viewers]
        await viewers[0].close()
        while len(server.pointers) > 1:
            await asyncio.sleep(0.001)
        return [tip.partition(" · ")[2] for tip in tips]

    assert talk(server, conversation) == ["#0a0a0a · 50 %", "#c8c8c8 · 50 %", "", ""]
    session.close()


def test_publishing_does_not_wait_for_anybody(server):
    async def conversation(client, base):
        async with client.ws_connect(base + "live") as live:
            await live.send_str('{"ready": true}')
            start = time.process_time()
            for level in range(200):
                server.publish(picture(level), STATE)
            return time.process_time() - start

    assert talk(server, conversation) < 0.5


def test_it_is_watched_only_while_somebody_waits(server):
    async def conversation(client, base):
        before = server.is_watched
        async with client.ws_connect(base + "live") as live:
            await live.send_str('{"ready": true}')
            await asyncio.sleep(0.1)
            during = server.is_watched
            server.publish(picture(1), STATE)
            await live.receive()
        await asyncio.sleep(0.1)
        return before, during, server.is_watched

    assert talk(server, conversation) == (False, True, False)


def test_wishes_come_in_their_order_and_what_is_none_asks_for_nothing(server):
    messages = [
        '{"do": "clusters:+1"}',
        '{"key": "v"}',
        '{"click": [0.25, 0.5], "drops": true}',
        '{"click": [7, 0.5]}',
        '{"click": "x"}',
        "[1]",
        "not JSON",
    ]

    async def conversation(client, base):
        async with client.ws_connect(base + "live") as live:
            for message in messages:
                await live.send_str(message)
            await asyncio.sleep(0.2)

    talk(server, conversation)
    expected = [Wish("clusters:+1"), Wish(key="v"), Wish(click=(0.25, 0.5), drops=True)]
    assert server.take_wishes() == [*expected, *[Wish()] * 4]
    assert server.take_wishes() == []


def test_wishes_and_messages_have_limits(server):
    async def conversation(client, base):
        async with client.ws_connect(base + "live") as live:
            for _ in range(200):
                await live.send_str('{"key": "v"}')
            await asyncio.sleep(0.2)
        async with client.ws_connect(base + "live") as live:
            await live.send_str("x" * 5000)
            return (await live.receive()).type

    assert talk(server, conversation) == aiohttp.WSMsgType.CLOSE
    assert len(server.take_wishes()) == 64


def test_there_are_not_too_many_viewers(server):
    async def conversation(client, base):
        viewers = [await client.ws_connect(base + "live") for _ in range(16)]
        refused = await status(client, base + "live", headers={"Upgrade": "websocket"})
        await viewers[0].close()
        await asyncio.sleep(0.1)
        async with client.ws_connect(base + "live"):
            pass
        for viewer in viewers:
            await viewer.close()
        return refused

    assert talk(server, conversation) == 503


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, 200),
        ({"Host": "localhost"}, 200),
        ({"Host": "[::1]:9000"}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_only_this_machine_is_served_and_no_other_page(headers, expected, server):
    async def conversation(client, base):
        return await status(client, base, headers=headers)

    assert talk(server, conversation) == expected


def test_a_socket_of_another_page_is_refused(server):
    async def conversation(client, base):
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await client.ws_connect(base + "live", origin="http://evil.example")
        async with client.ws_connect(base + "live", origin=base.rstrip("/")):
            pass

    talk(server, conversation)


def test_another_address_demands_the_token_that_it_prints():
    with Server(Address(0, "0.0.0.0")) as server:
        token = server.url.partition("token=")[2]
        assert len(token) >= 20

        async def conversation(client, base):
            refused = [
                await status(client, base + path)
                for path in ("", "stats", "frame.jpg", "live", "?token=wrong", "stats?token=é")
            ]
            session = asyncio.create_task(publish_when_watched(server, 0))
            given = await status(client, f"{base}stats?token={token}")
            session.cancel()
            jar = aiohttp.CookieJar(unsafe=True)  # also for numeric addresses, as browsers do
            async with aiohttp.ClientSession(cookie_jar=jar) as browser:
                page = await status(browser, f"{base}?token={token}")
                async with browser.ws_connect(base + "live"):
                    pass
            return refused, given, page

        assert talk(server, conversation) == ([403] * 6, 200, 200)


async def publish_when_watched(server: Server, level: int) -> None:
    """Publish a grey picture each time that somebody waits for one, as a session does."""
    while True:
        if server.is_watched:
            server.publish(picture(level), {**STATE, "level": level})
        await asyncio.sleep(0.005)


def test_what_a_program_gets_is_new_however_long_nobody_watched(server):
    async def conversation(client, base):
        server.publish(picture(10), {**STATE, "level": 10})
        session = asyncio.create_task(publish_when_watched(server, 77))
        async with client.get(base + "stats") as response:
            level = (await response.json())["level"]
        server.publish(picture(10), {**STATE, "level": 10})
        async with client.get(base + "frame.jpg") as response:
            jpeg = np.frombuffer(await response.read(), np.uint8)
        session.cancel()
        return level, round(float(cv2.imdecode(jpeg, cv2.IMREAD_COLOR).mean()))

    assert talk(server, conversation) == (77, 77)


def test_streams_that_are_left_or_stall_are_cut_off_without_a_word(server, monkeypatch, caplog):
    monkeypatch.setattr("livekm.live.web.server._PATIENCE", 0.2)
    monkeypatch.setattr("livekm.live.web.server._STATS_PERIOD", 0.0)
    large = np.random.default_rng(0).integers(0, 256, (720, 1280, 3), np.uint8)

    async def conversation(client, base):
        for path, headers in (("stream.mjpg", {}), ("stats", {"Accept": "text/event-stream"})):
            server.publish(large, {**STATE, "long": "x" * 100_000})
            async with client.get(base + path, headers=headers) as response:
                await response.content.readany()
                response.close()
            parts = urlsplit(base)
            hung = socket.create_connection((parts.hostname, parts.port))
            hung.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            lines = [f"GET /{path} HTTP/1.1", f"Host: {parts.netloc}"]
            lines += [f"{name}: {value}" for name, value in headers.items()]
            hung.send("\r\n".join([*lines, "", ""]).encode())
            while server._viewers < 2:
                await asyncio.sleep(0.001)
            while server._viewers:
                server.publish(large, {**STATE, "long": "x" * 100_000})
                await asyncio.sleep(0.02)
            hung.close()

    talk(server, conversation)
    assert caplog.text == ""


def test_programs_get_frames_streams_and_numbers(server):
    async def conversation(client, base):
        session = asyncio.create_task(publish_when_watched(server, 77))
        async with client.get(base + "frame.jpg") as response:
            jpeg = await response.read()
        async with client.get(base + "snapshot.png") as response:
            png, disposition = await response.read(), response.headers["Content-Disposition"]
        async with client.get(base + "stats") as response:
            stats = await response.json()
        async with client.get(base + "stats", headers={"Accept": "text/event-stream"}) as response:
            event = await response.content.readuntil(b"\n\n")
        async with client.get(base + "stream.mjpg") as response:
            reader = aiohttp.MultipartReader.from_response(response)
            part = await (await reader.next()).read()
        session.cancel()
        return jpeg, png, disposition, stats, event, part

    jpeg, png, disposition, stats, event, part = talk(server, conversation)
    decoded = [cv2.imdecode(np.frombuffer(data, np.uint8), 1) for data in (jpeg, part, png)]
    assert [round(float(image.mean())) for image in decoded] == [77, 77, 77]
    assert np.array_equal(decoded[2], picture(77))
    assert "attachment" in disposition
    assert stats["level"] == 77
    assert json.loads(event.removeprefix(b"data: "))["level"] == 77


def test_before_the_first_picture_there_is_a_status_not_a_wait_for_ever(server, monkeypatch):
    monkeypatch.setattr("livekm.live.web.server._PATIENCE", 0.1)

    async def conversation(client, base):
        return await status(client, base + "frame.jpg"), await status(client, base + "nothing")

    assert talk(server, conversation) == (503, 404)


def test_a_port_that_is_taken_is_one_line(server):
    port = urlsplit(server.url).port
    with pytest.raises(
        SinkError,
        match=rf"^cannot serve on 127\.0\.0\.1:{port}: Address already in use; take another port$",
    ):
        Server(Address(port))


def test_the_end_is_told_to_viewers_and_frees_the_port():
    server = Server(Address(0))
    port = urlsplit(server.url).port

    async def conversation(client, base):
        async with client.ws_connect(base + "live") as live:
            closing = asyncio.get_running_loop().run_in_executor(None, server.close)
            message = await live.receive()
            await closing
            return message.data

    assert talk(server, conversation) == 1001
    server.close()
    with socket.create_server(("127.0.0.1", port)):
        pass

"""Landmarks and events over WebSocket, received by the package websockets."""

import contextlib
import http.client
import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browser_stub import PROGRAM, Browser
from output_stubs import FIST, hand, state, until

from handlore.capture.serve import server, websocket
from handlore.capture.serve.guard import Address
from handlore.capture.serve.server import Hub, PageServer

client = pytest.importorskip("websockets.sync.client", reason="needs websockets")
exceptions = pytest.importorskip("websockets.exceptions")

Start = Callable[..., tuple[Hub, str]]
SHARED = "a-token-of-mine"


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Start a server on a free port; return its hub and the address of the stream."""
    monkeypatch.setattr(server, "_LOOK_SECONDS", 0.02)
    made: list[PageServer] = []

    def begin(token: str | None = None) -> tuple[Hub, str]:
        hub = Hub()
        made.append(PageServer(hub, Address("127.0.0.1", 0), token))
        return hub, f"ws://127.0.0.1:{made[-1].address.port}/stream"

    yield begin
    for one in made:
        one.close()


def connect(address: str, **more):
    given = {"open_timeout": 20, "close_timeout": 2, "proxy": None} | more
    return client.connect(address, **given)


def watched(hub: Hub) -> bool:
    return hub.channel._clients > 0


def test_landmarks_and_events(start: Start) -> None:
    hub, address = start()
    hub.channel.on_event(FIST)  # before anybody listens
    with connect(address) as one, connect(address) as other:
        until(lambda: hub.channel._clients == 2)
        hub.channel.show(state(0.5, [hand(), hand(0.1)]))
        for each in (one, other):
            message = json.loads(each.recv(10))
            assert (message["type"], message["time"], len(message["hands"])) == (
                "landmarks",
                0.5,
                2,
            )
        hub.channel.on_event(FIST)
        assert json.loads(one.recv(10))["label"] == "fist"
        one.ping().wait(10)
        hub.close()
        with pytest.raises(exceptions.ConnectionClosed):
            one.recv(10)
    until(lambda: not watched(hub))


def test_nothing_is_kept_without_a_client(start: Start) -> None:
    hub, _ = start()
    hub.channel.show(state(0.5, [hand()]))
    assert hub.channel._frame == (0, None)


def test_client_that_leaves(start: Start) -> None:
    hub, address = start()
    with connect(address):
        until(lambda: watched(hub))
    until(lambda: not watched(hub))
    with connect(address) as other:
        until(lambda: watched(hub))
        other.socket.shutdown(socket.SHUT_RDWR)  # without a word
        until(lambda: not watched(hub))


def test_token(start: Start) -> None:
    _, address = start(SHARED)
    for query in ("", "?token=wrong-token"):
        with pytest.raises(exceptions.InvalidStatus, match="401"), connect(address + query):
            pass
    with connect(f"{address}?token={SHARED}"):
        pass


@pytest.mark.parametrize(
    ("token", "query", "status"),
    [(None, "", 403), (SHARED, "?token=wrong-token", 403), (SHARED, f"?token={SHARED}", 101)],
)
def test_page_of_another_site(token, query: str, status: int, start: Start) -> None:
    """It may connect only if it was given the token."""
    _, address = start(token)
    refused = pytest.raises(exceptions.InvalidStatus, match=str(status))
    with (
        refused if status != 101 else contextlib.nullcontext(),
        connect(address + query, origin="https://editor.p5js.org"),
    ):
        pass


def test_own_page(start: Start) -> None:
    _, address = start()
    with connect(address, origin=address.replace("ws", "http", 1).removesuffix("/stream")):
        pass


@pytest.mark.slow
@pytest.mark.skipif(PROGRAM is None, reason="needs Chromium")
@pytest.mark.parametrize("token", [None, SHARED])
def test_browser(token: str | None, start: Start, tmp_path: Path) -> None:
    """A page of the same address, which has the token as a cookie."""
    hub, address = start(token)
    page = address.replace("ws", "http", 1).removesuffix("stream")
    with Browser(tmp_path / "profile") as browser:
        browser.open(page + (f"?token={token}" if token else ""))
        browser.wait("document.getElementById('log') !== null")
        browser.value(
            "window.got = []; window.ws = new WebSocket(`ws://${location.host}/stream`);"
            "ws.onmessage = ({data}) => got.push(JSON.parse(data)); 1"
        )
        browser.wait("ws.readyState === 1")
        until(lambda: watched(hub))
        hub.channel.show(state(0.5, [hand()]))
        browser.wait("got.length === 1")
        assert browser.value("got[0].hands[0].image.length") == 21


def test_request_that_is_no_websocket(start: Start) -> None:
    _, address = start()
    connection = http.client.HTTPConnection(address.split("/")[2], timeout=20)
    connection.request("GET", "/stream")
    answer = connection.getresponse()
    assert (answer.status, b"ws://" in answer.read()) == (426, True)
    connection.close()


def test_client_that_hangs(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """It reads nothing: the loop does not wait, and others get everything."""
    hub, address = start()
    with connect(address, max_queue=1, close_timeout=0.1), connect(address) as other:
        until(lambda: hub.channel._clients == 2)
        longest, hands = 0.0, [hand(), hand(0.1)]
        for number in range(300):
            began = time.perf_counter()
            hub.channel.show(state(number / 30, hands))
            longest = max(longest, time.perf_counter() - began)
            if number % 100 == 0:
                assert json.loads(other.recv(10))["type"] == "landmarks"
        assert longest < 0.5


@pytest.mark.parametrize(
    "data",
    [
        b"\x81\xff" + (1 << 40).to_bytes(8) + b"abcd",  # a frame of a terabyte
        b"\x88\x80abcd",
    ],
)
def test_odd_clients_are_disconnected(data: bytes, start: Start) -> None:
    hub, address = start()
    port = int(address.split(":")[2].split("/")[0])
    with socket.create_connection(("127.0.0.1", port), 20) as line:
        line.sendall(
            b"GET /stream HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        until(lambda: watched(hub))
        head = line.recv(4096).decode()
        # The example of RFC 6455, section 1.3.
        assert "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head
        with contextlib.suppress(OSError):
            line.sendall(data)
        until(lambda: not watched(hub))


def test_long_messages() -> None:
    for size in (125, 126, 65535, 65536):
        frame = websocket._encoded(1, b"x" * size)
        assert websocket._length(frame) == len(frame)

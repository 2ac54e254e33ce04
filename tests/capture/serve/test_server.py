"""The page: what it serves, to whom, and clients that misbehave."""

import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from browser_stub import PROGRAM, Browser

import handlore.capture.serve.server as server_module
from handlore.capture.serve.guard import MOST_GUESSES, SLOW_SECONDS, Address, Guard
from handlore.capture.serve.server import MOST_CONNECTIONS, MOST_EVENTS, Hub, PageServer
from handlore.landmarks.errors import HandloreError

STATE: dict[str, Any] = {
    "label": "fist",
    "hand": "left",
    "hands": 1,
    "fps": 29.7,
    "latency_ms": 38.0,
    "problem": None,
    "armed": None,
    "probabilities": [["fist", 0.93], ["wave", 0.2], ["open_palm", 0.05]],
    "bars": {"poses": [["fist", 0.93], ["open_palm", 0.05]], "movements": [["wave", 0.2]]},
}


HERE = Address("127.0.0.1", 0)

PATIENCE = 60.0
"""Seconds; on a busy machine a thread may wait long for its turn."""


Start = Callable[..., tuple[Hub, PageServer]]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Start a server on a free port."""
    monkeypatch.setattr(server_module, "_LOOK_SECONDS", 0.02)
    made: list[PageServer] = []

    def begin(token: str | None = None) -> tuple[Hub, PageServer]:
        hub = Hub()
        made.append(PageServer(hub, HERE, token))
        return hub, made[-1]

    yield begin
    for server in made:
        server.close()


def ask(
    server: PageServer, path: str, method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.address.port, timeout=PATIENCE)
    connection.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, dict(answer.getheaders()), body


def jpeg(grey: int) -> bytes:
    return cv2.imencode(".jpg", np.full((480, 640, 3), grey, np.uint8))[1].tobytes()


@pytest.mark.parametrize(
    ("path", "kind"), [("/", "text/html"), ("/page.css", "text/css"), ("/page.js", "text/javascr")]
)
def test_page_files(path: str, kind: str, start: Start) -> None:
    _, server = start()
    status, headers, body = ask(server, path)
    assert status == 200
    assert headers["Content-Type"].startswith(kind)
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert b"http://" not in body
    assert b"https://" not in body


@pytest.mark.parametrize("path", ["/no", "/../page.html", "/page.html", "/frame.jpg/.."])
def test_unknown_path(path: str, start: Start) -> None:
    assert ask(start()[1], path)[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
def test_other_methods(method: str, start: Start) -> None:
    assert ask(start()[1], "/", method)[0] == 501


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8000", 200),
        ("localhost", 200),
        ("localhost:9999", 200),
        ("[::1]:8000", 200),
        ("evil.example:8000", 421),
        ("127.0.0.1.evil.example", 421),
        ("", 421),
        ("192.168.0.7:8000", 421),
    ],
)
def test_dns_rebinding(host: str, status: int, start: Start) -> None:
    assert ask(start()[1], "/", Host=host)[0] == status


def test_other_sites(start: Start) -> None:
    _, server = start()
    across = {"Sec_Fetch_Site": "cross-site"}
    assert ask(server, "/frame.jpg", **across)[0] == 403
    assert ask(server, "/events", **across, Sec_Fetch_Mode="navigate")[0] == 403
    assert ask(server, "/", **across, Sec_Fetch_Mode="navigate")[0] == 200


def test_token(start: Start) -> None:
    hub, server = start("correct-horse")
    hub.put(STATE, lambda: jpeg(1))
    for path in ("/", "/page.js", "/frame.jpg", "/events", "/no"):
        assert ask(server, path)[0] == 401
        assert ask(server, f"{path}?token=wrong-horse")[0] == 401
        assert ask(server, path, Cookie=f"handlore-{server.address.port}=wrong-horse")[0] == 401
    status, headers, _ = ask(server, "/?token=correct-horse")
    assert (status, headers["Location"]) == (303, "/")
    cookie, *terms = headers["Set-Cookie"].split("; ")
    assert cookie == f"handlore-{server.address.port}=correct-horse"
    assert {"HttpOnly", "SameSite=Lax"} <= set(terms)
    assert ask(server, "/", Cookie=cookie)[0] == 200
    assert ask(server, "/frame.jpg", Cookie=cookie)[2] == jpeg(1)
    assert server.url == f"http://127.0.0.1:{server.address.port}/?token=correct-horse"


def test_port_in_use(start: Start) -> None:
    _, server = start()
    with pytest.raises(HandloreError, match=r"cannot serve the page at .*in use; give another"):
        PageServer(Hub(), server.address)


def test_picture_is_encoded_once(start: Start) -> None:
    hub, server = start()
    made: list[int] = []

    def encode() -> bytes:
        made.append(1)
        return jpeg(7)

    hub.put(STATE, encode)
    hub.put(STATE, encode)
    assert made == []
    status, headers, body = ask(server, "/frame.jpg")
    assert (status, headers["X-Frame"], body) == (200, "2", jpeg(7))
    ask(server, "/frame.jpg")
    assert len(made) == 1


def test_next_picture(start: Start) -> None:
    hub, server = start()
    hub.put(STATE, lambda: jpeg(1))
    threading.Timer(0.2, lambda: hub.put(STATE, lambda: jpeg(2))).start()
    assert ask(server, "/frame.jpg?after=1")[2] == jpeg(2)


@pytest.mark.parametrize("after", ["-1", "x", "%C2%B2", "9" * 400, "%00"])
def test_invalid_picture_number(after: str, start: Start) -> None:
    hub, server = start()
    hub.put(STATE, lambda: jpeg(1))
    assert ask(server, f"/frame.jpg?after={after}")[0] == 200


def stream(server: PageServer, last: str = "") -> tuple[socket.socket, Any]:
    connection = socket.create_connection(("127.0.0.1", server.address.port), timeout=PATIENCE)
    extra = f"Last-Event-ID: {last}\r\n" if last else ""
    connection.sendall(f"GET /events HTTP/1.1\r\nHost: localhost\r\n{extra}\r\n".encode())
    return connection, connection.makefile("rb")


def messages(reader: Any, n: int) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    name = ""
    while len(found) < n:
        line = reader.readline().decode().rstrip("\n")
        if line.startswith("event: "):
            name = line[7:]
        elif line.startswith("data: "):
            found.append((name, json.loads(line[6:])))
    return found


def test_event_stream(start: Start) -> None:
    hub, server = start()
    hub.put(STATE, None)
    for number in range(3):
        hub.log({"at": 0.0, "kind": "event", "text": f"number {number}"})
    connection, reader = stream(server, last=f"{hub.run}-1")
    with connection, reader:
        got = messages(reader, 3)
    assert [body["text"] for name, body in got if name == "log"] == ["number 1", "number 2"]
    assert [body for name, body in got if name == "state"] == [STATE]


@pytest.mark.parametrize("last", ["7", "an-other-7", "00000000-7", "-", "٣"])
def test_page_of_a_previous_run(last: str, start: Start) -> None:
    """A page stays open while a service is restarted, and numbers start again."""
    hub, server = start()
    hub.log({"at": 0.0, "kind": "event", "text": "the first"})
    connection, reader = stream(server, last=last)
    with connection, reader:
        ((_, body),) = messages(reader, 1)
    assert body["text"] == "the first"
    hub.put(STATE, lambda: jpeg(1))
    begun = time.monotonic()
    assert ask(server, "/frame.jpg?after=5000")[0] == 200
    assert time.monotonic() - begun < 2.0


@pytest.mark.parametrize(
    "request_",
    [b"\x16\x03\x01\x02", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /" + b"a" * 70_000],
)
def test_invalid_request(request_: bytes, start: Start) -> None:
    _, server = start()
    address = ("127.0.0.1", server.address.port)
    with socket.create_connection(address, timeout=PATIENCE) as connection:
        connection.sendall(request_ + b"\r\n\r\n")
        assert b"200 OK" not in connection.recv(1000)
    assert ask(server, "/")[0] == 200


def test_client_that_does_not_read(start: Start) -> None:
    """The loop goes on at once, whatever a browser does; and nothing is kept for it."""
    hub, server = start()
    connection, reader = stream(server)
    big = STATE | {"probabilities": [[f"label {n}", 0.1] for n in range(2000)]}
    worst = 0.0
    for _ in range(2000):
        begun = time.perf_counter()
        hub.put(big, lambda: jpeg(1))
        hub.log({"at": 0.0, "kind": "event", "text": "x"})
        worst = max(worst, time.perf_counter() - begun)
    with connection, reader:
        assert worst < 2.0
        assert len(hub.updates(0, 0, 0.0)[1]) == MOST_EVENTS


def test_too_many_clients(start: Start) -> None:
    hub, server = start()
    hub.put(STATE, None)
    held = [stream(server) for _ in range(MOST_CONNECTIONS)]
    for _, reader in held:
        assert b"200" in reader.readline()
    assert ask(server, "/")[0] == 503
    for connection, reader in held:
        reader.close()
        connection.close()
    deadline = time.monotonic() + PATIENCE
    while ask(server, "/")[0] != 200:
        assert time.monotonic() < deadline
        hub.put(STATE, None)  # who has gone is noticed when something is sent
        time.sleep(0.1)


def test_many_browsers_at_once() -> None:
    """All are in the queue before the thread of the server has its turn, none tries again."""
    with (
        server_module._Server(Hub(), Guard.of(HERE, None)) as server,
        contextlib.ExitStack() as stack,
    ):
        for _ in range(MOST_CONNECTIONS):
            stack.enter_context(socket.create_connection(server.server_address, timeout=0.9))


def test_endless_request(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte now and then would keep its place for ever, and that of others."""
    monkeypatch.setattr(server_module, "TIMEOUT", 0.5)
    hub, server = start()
    hub.put(STATE, None)
    watching, reader = stream(server)
    held = [
        socket.create_connection(("127.0.0.1", server.address.port), timeout=PATIENCE)
        for _ in range(MOST_CONNECTIONS - 1)
    ]
    deadline = time.monotonic() + PATIENCE
    while ask(server, "/")[0] != 200:
        assert time.monotonic() < deadline
        for one in held:
            with contextlib.suppress(OSError):
                one.sendall(b"G")
        time.sleep(0.1)
    for one in held:
        one.close()
    with watching, reader:  # and who only listens stays
        hub.log({"at": 0.0, "kind": "event", "text": "later"})
        assert any(b"later" in reader.readline() for _ in range(100))


def test_refused_clients_are_disconnected(start: Start) -> None:
    """Else all places could be held without a token, by asking again and again."""
    _, server = start("correct-horse")
    held = [
        socket.create_connection(("127.0.0.1", server.address.port), timeout=PATIENCE)
        for _ in range(MOST_CONNECTIONS)
    ]
    for one in held:
        one.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    for one in held:
        with one, one.makefile("rb") as reader:
            assert b"401" in reader.read()  # to its end: the server has hung up
    assert ask(server, "/?token=correct-horse")[0] == 303


def test_close(start: Start) -> None:
    hub, server = start()
    hub.put(STATE, None)
    connection, reader = stream(server)
    with connection, reader:
        messages(reader, 1)
        begun = time.monotonic()
        server.close()
        assert reader.read().strip() == b""  # the rest of a message, and the end
    assert time.monotonic() - begun < 2.0
    assert not [t for t in threading.enumerate() if t.name == "page"]


@pytest.mark.skipif(PROGRAM is None, reason="needs Chromium")
def test_event_in_a_browser(start: Start, tmp_path: Path, artefacts: Path) -> None:
    hub, server = start("a-token-of-mine")
    picture = np.full((480, 640, 3), 90, np.uint8)
    cv2.circle(picture, (320, 240), 120, (60, 200, 140), 20)
    encoded = cv2.imencode(".jpg", picture)[1].tobytes()
    ended = threading.Event()

    def live() -> None:
        while not ended.wait(0.03):
            hub.put(STATE, lambda: encoded)

    thread = threading.Thread(target=live)
    thread.start()
    try:
        with Browser(tmp_path / "profile") as browser:
            browser.do("Network.enable")
            browser.open(server.url)
            browser.wait("document.querySelector('#label')?.textContent == 'fist'")
            assert browser.value("location.search") == ""
            browser.wait("document.querySelector('#picture').naturalWidth == 640")
            assert browser.value("document.querySelectorAll('.bar').length") == 3
            assert browser.value("document.querySelectorAll('#bars h2').length") == 2
            newest = "document.querySelector('#log li span')?.textContent"
            seconds = []
            for text in ("fist", "palm", "victory"):
                hub.log({"at": time.time(), "kind": "event", "text": text, "detail": "done: run x"})
                seconds.append(browser.wait(f"{newest} == '{text}'"))
            assert min(seconds) < 1.0
            _look(browser, server, artefacts)
    finally:
        ended.set()
        thread.join()


@pytest.mark.slow
@pytest.mark.skipif(PROGRAM is None, reason="needs Chromium")
def test_browser_reconnects(tmp_path: Path) -> None:
    """With a new event, with the same token, and with a message for another token."""
    text = "document.querySelector('#log').textContent"
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = Address("127.0.0.1", free.getsockname()[1])
    hub = Hub()
    server = PageServer(hub, address, "a-token-of-mine")
    trouble = "document.querySelector('#problem')"
    try:
        with Browser(tmp_path / "profile") as browser:
            browser.open(server.url)
            hub.put(STATE, None)
            for number in range(5):
                hub.log({"at": 0.0, "kind": "event", "text": f"old {number}", "detail": ""})
            browser.wait(f"{text}.includes('old 4')")
            server.close()
            server = PageServer(Hub(), address, "another-token")
            browser.wait(f"{trouble}.textContent.includes('that it printed')")
            server.close()
            hub = Hub()
            server = PageServer(hub, address, "a-token-of-mine")
            hub.put(STATE, None)
            hub.log({"at": 0.0, "kind": "event", "text": "new", "detail": ""})
            browser.wait(f"{text}.includes('new')")
            browser.wait(f"{trouble}.hidden")
            assert browser.value("document.querySelectorAll('#log li').length") == 6
    finally:
        server.close()


def _look(browser: Browser, server: PageServer, folder: Path) -> None:
    """Take pictures of it for people, and hold that a phone need not scroll sideways."""
    browser.screenshot(folder / "page.png")
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    browser.do("Emulation.setEmulatedMedia", features=dark)
    browser.open(server.address.url(), 390, 844)
    browser.wait("document.querySelectorAll('.bar').length == 3")
    browser.wait("document.querySelector('#picture').naturalWidth == 640")
    browser.screenshot(folder / "page-phone-dark.png")
    assert browser.value("document.documentElement.scrollWidth <= innerWidth")


TOKEN = "the-right-token"  # noqa: S105


def test_guesses_are_slowed_down(start: Start) -> None:
    """The right token is let in at once, or anyone could shut its owner out."""
    _, server = start(TOKEN)
    statuses = [ask(server, f"/page.css?token=guess{k}")[0] for k in range(MOST_GUESSES)]
    assert statuses == [401] * MOST_GUESSES
    started = time.monotonic()
    assert ask(server, "/page.css?token=another")[0] == 429
    assert time.monotonic() - started >= SLOW_SECONDS
    assert ask(server, f"/page.css?token={TOKEN}")[0] == 200


def test_the_right_token_passes_a_crowd_of_guesses(start: Start) -> None:
    _, server = start(TOKEN)
    for k in range(MOST_GUESSES):
        ask(server, f"/page.css?token=guess{k}")
    with contextlib.ExitStack() as stack:
        for k in range(MOST_CONNECTIONS):
            where = ("127.0.0.1", server.address.port)
            line = stack.enter_context(socket.create_connection(where, PATIENCE))
            line.sendall(f"GET /?token=more{k} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert ask(server, f"/page.css?token={TOKEN}")[0] == 200


def test_a_page_of_an_earlier_run_is_one_guess(start: Start) -> None:
    _, server = start(TOKEN)
    name = server._server.guard.cookie
    for _ in range(3 * MOST_GUESSES):
        assert ask(server, "/events", Cookie=f"{name}=the-token-of-yesterday")[0] == 401
    assert ask(server, f"/page.css?token={TOKEN}")[0] == 200


@pytest.mark.parametrize(
    "request_",
    ["POST / HTTP/1.1\r\nHost: localhost\r\n\r\n", "non sense \r\n\r\n", "GET / HTTP/9\r\n\r\n"],
)
def test_error_answers_have_the_headers_of_all_others(request_: str, start: Start) -> None:
    _, server = start()
    with socket.create_connection(("127.0.0.1", server.address.port), PATIENCE) as line:
        line.sendall(request_.encode())
        answer = b"".join(iter(lambda: line.recv(4096), b""))
    assert b"Content-Security-Policy: default-src 'none'" in answer
    assert b"nosniff" in answer
    assert b"<" not in answer.partition(b"\r\n\r\n")[2]


def test_idle_connections_do_not_keep_the_page_busy(start: Start) -> None:
    _, server = start()
    with contextlib.ExitStack() as stack:
        for _ in range(MOST_CONNECTIONS + 5):
            where = ("127.0.0.1", server.address.port)
            stack.enter_context(socket.create_connection(where, PATIENCE))
        time.sleep(0.3)
        assert ask(server, "/page.css")[0] == 200

"""Events sent to web addresses."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from action_stubs import Make, seen

from handlore.capture.actions.file import load_actions
from handlore.capture.actions.post import MOST_LATE


class Answers(BaseHTTPRequestHandler):
    """Answers a POST by its path: a status, or silence."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.headers["Authorization"], json.loads(body)))  # type: ignore[attr-defined]
        if self.path == "/hang":
            time.sleep(1.0)
            return
        if self.path == "/drip":
            with contextlib.suppress(OSError):  # as soon as nobody listens any more
                for sign in b"HTTP/1.1 200 OK\r\n" * 3:
                    self.wfile.write(bytes([sign]))
                    time.sleep(0.05)
            return
        self.send_response(int(self.path[1:]))
        if self.path.startswith("/3"):
            self.send_header("Location", "/204")
        self.end_headers()

    def do_GET(self) -> None:
        self.server.got.append("a GET")  # type: ignore[attr-defined]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def web() -> Iterator[ThreadingHTTPServer]:
    """A web server on this computer that keeps what it was sent."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.got = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_post(desk: Make, web: ThreadingHTTPServer) -> None:
    address = f"http://127.0.0.1:{web.server_port}"
    one = desk(
        f'[actions.fist]\npost = "{address}/204"\nheaders = {{Authorization = "Bearer x"}}\n'
    )
    one.runner.submit(seen("fist"))
    assert one.wait(1) == [("done", f"post to {address}/204")]
    assert web.got == [("Bearer x", seen("fist").as_json())]  # type: ignore[attr-defined]


def test_body(desk: Make, web: ThreadingHTTPServer) -> None:
    """In place of the event; a label cannot end a text in it."""
    address = f"http://127.0.0.1:{web.server_port}"
    label = 'a "b" \\'
    one = desk(
        f'[actions."*"]\npost = "{address}/204"\nbody = \'{{"on": true, "sign": "{{label}}"}}\'\n'
    )
    one.runner.submit(seen(label))
    ((state, what),) = one.wait(1)
    assert (state, what.startswith('post {"on": true, "sign": "a ')) == ("done", True)
    assert web.got == [(None, {"on": True, "sign": label})]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("path", "seconds", "reason"),
    [
        ("500", 60, "answered 500"),
        ("hang", 0.2, "no response within 0.2 s"),
        ("drip", 0.2, "no response within 0.2 s"),
    ],
)
def test_failed_post(
    path: str, seconds: float, reason: str, desk: Make, web: ThreadingHTTPServer
) -> None:
    address = f"http://127.0.0.1:{web.server_port}/{path}"
    one = desk(f'[actions.fist]\npost = "{address}"\ntimeout = {seconds}')
    one.runner.submit(seen("fist"))
    ((state, detail),) = one.wait(1)
    assert (state, reason in detail) == ("failed", True), detail


def test_abandoned_post_is_not_sent(
    desk: Make, web: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was reported as failed; a light must not switch on afterwards."""
    found, look_up = threading.Event(), socket.getaddrinfo

    def slow(*given: Any, **named: Any) -> Any:
        found.wait(60.0)
        return look_up(*given, **named)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    one = desk(f'[actions.fist]\npost = "http://127.0.0.1:{web.server_port}/204"\ntimeout = 0.2\n')
    one.runner.submit(seen("fist"))
    assert one.wait(1) == [("failed", "no response within 0.2 s")]
    late = [thread for thread in threading.enumerate() if thread.name == "post"]
    assert late
    found.set()
    for thread in late:
        thread.join(60.0)
    assert web.got == []  # type: ignore[attr-defined]


def test_endless_server(desk: Make, web: ThreadingHTTPServer) -> None:
    address, n = f"http://127.0.0.1:{web.server_port}", MOST_LATE + 1
    one = desk(
        f'[actions.fist]\npost = "{address}/drip"\ntimeout = 0.1\nwaiting = 20\n'
        f'[actions.open_palm]\npost = "{address}/204"\ntimeout = 60\n'
    )
    for _ in range(n):
        one.runner.submit(seen("fist"))
    assert {state for state, _ in one.wait(n)} == {"failed"}
    one.runner.submit(seen("open_palm"))
    assert one.wait(n + 1)[-1] == ("done", f"post to {address}/204")


def test_no_redirection(desk: Make, web: ThreadingHTTPServer) -> None:
    """A redirection would be followed with GET, and with the password, and be called done."""
    address = f"http://127.0.0.1:{web.server_port}"
    one = desk(
        f'[actions.fist]\npost = "{address}/302"\nheaders = {{Authorization = "Bearer x"}}\n'
    )
    one.runner.submit(seen("fist"))
    ((state, detail),) = one.wait(1)
    assert (state, "it has moved to /204" in detail) == ("failed", True), detail
    assert len(web.got) == 1  # type: ignore[attr-defined]


def test_placeholders_in_the_path(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text('[actions."*"]\npost = "http://h/{label}?hand={hand}"')
    (action,) = load_actions(path, ["../a b?", "fist"]).actions
    assert action.kind.describe(seen("../a b?")) == "post to http://h/..%2Fa%20b%3F?hand=left"


def test_unreachable_server(desk: Make) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        one = desk(f'[actions.fist]\npost = "http://127.0.0.1:{unused.getsockname()[1]}/"')
        one.runner.submit(seen("fist"))
        ((state, detail),) = one.wait(1)
    assert state == "failed"
    assert "cannot be reached" in detail

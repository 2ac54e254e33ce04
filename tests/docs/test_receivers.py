"""The receivers in docs/how-to/stream-landmarks.md, as they stand there, with another port."""

import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from documentation import ROOT, blocks_of
from output_stubs import FIST, hand, state, until

from handlore.capture.live.loop import LiveView
from handlore.capture.outputs.base import EventMessage, LandmarkMessage, make_output
from handlore.capture.outputs.sender import Sender
from handlore.capture.serve.guard import Address
from handlore.capture.serve.server import Hub, PageServer

PAGE = ROOT / "docs" / "how-to" / "stream-landmarks.md"
PROGRAMS = {block.file: block.text for block in blocks_of(PAGE) if block.file}
NODE = shutil.which("node")

needs_node = pytest.mark.skipif(NODE is None, reason="needs Node")
pytestmark = pytest.mark.slow


def has_websocket() -> bool:
    if NODE is None:
        return False
    words = [NODE, "-e", "process.exit(typeof WebSocket === 'function' ? 0 : 1)"]
    return subprocess.run(words, check=False).returncode == 0


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextmanager
def running(folder: Path, name: str, port: int, usual: int) -> Iterator[list[str]]:
    """Run a program of the page; yield the lines that it prints."""
    path = folder / name
    path.write_text(PROGRAMS[name].replace(str(usual), str(port)))
    words = [sys.executable, "-u"] if name.endswith(".py") else [str(NODE)]
    program = subprocess.Popen([*words, str(path)], stdout=subprocess.PIPE, text=True)
    lines: list[str] = []
    reader = threading.Thread(target=lambda: lines.extend(program.stdout), daemon=True)
    reader.start()
    try:
        yield lines
    finally:
        program.kill()
        program.wait()
        reader.join(5)
        program.stdout.close()


def send_until(view: LiveView, done: Callable[[], object]) -> None:
    def step() -> object:
        view.show(state(0.5, [hand()]))
        view.on_event(FIST)
        return done()

    until(step, 60)


def test_python_behind_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "puppet.py").write_text(PROGRAMS["puppet.py"])
    lines = [LandmarkMessage.of(state(0.5, [hand()])).line, EventMessage(FIST).line]
    done = subprocess.run(
        [sys.executable, str(tmp_path / "puppet.py")],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        check=True,
    )
    bar, label = done.stdout.splitlines()
    assert (set(bar) <= {"#"}, label) == (True, "fist")


def test_python_udp(tmp_path: Path) -> None:
    port = free_port(socket.SOCK_DGRAM)
    sender = Sender(make_output(f"udp://127.0.0.1:{port}"))
    with running(tmp_path, "listen_udp.py", port, 5005) as lines:
        send_until(sender, lambda: {"landmarks 1\n", "end 0\n"} <= set(lines))
    sender.close()


@needs_node
def test_node_tcp(tmp_path: Path) -> None:
    port = free_port(socket.SOCK_STREAM)
    sender = Sender(make_output(f"tcp://127.0.0.1:{port}"))
    with running(tmp_path, "listen_tcp.mjs", port, 5006) as lines:
        send_until(sender, lambda: {"0.5 1\n", "fist\n"} <= set(lines))
    sender.close()


@pytest.mark.skipif(not has_websocket(), reason="needs Node 22 with WebSocket")
def test_websocket(tmp_path: Path) -> None:
    hub = Hub()
    server = PageServer(hub, Address("127.0.0.1", 0))
    with running(tmp_path, "listen.mjs", server.address.port, 8000) as lines:
        send_until(hub.channel, lambda: any("[" in line for line in lines))
    server.close()

"""Brokers of MQTT: as much of one as a publisher needs, and mosquitto where it is installed."""

import contextlib
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

MOSQUITTO = shutil.which("mosquitto", path=os.environ["PATH"] + os.pathsep + "/usr/sbin")
needs_mosquitto = pytest.mark.skipif(
    MOSQUITTO is None, reason="needs a broker: apt-get install mosquitto"
)


class Broker(threading.Thread):
    """MQTT 3.1.1 for one client at a time: it accepts, and answers what is published."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.got: list[tuple[str, bytes, bool]] = []
        """Topic, payload, and whether it is retained."""
        self.answers = True
        self.code = 0
        """The answer to who comes; 5: not with this password."""
        self.client: socket.socket | None = None
        self.start()

    def run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self.client, _ = self.listener.accept()
                with contextlib.suppress(OSError, IndexError), self.client:
                    self._serve(self.client)

    def close(self) -> None:
        self.listener.close()
        self.drop()

    def drop(self) -> None:
        """Lose the connection."""
        with contextlib.suppress(OSError, AttributeError):
            self.client.shutdown(socket.SHUT_RDWR)

    def _serve(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as stream:
            while head := stream.read(1):
                length, shift = 0, 0
                while True:
                    byte = stream.read(1)[0]
                    length, shift = length | (byte & 127) << shift, shift + 7
                    if byte < 128:
                        break
                self._take(head[0], stream.read(length), connection)

    def _take(self, head: int, body: bytes, connection: socket.socket) -> None:
        if head >> 4 == 1:
            connection.sendall(bytes([0x20, 2, 0, self.code]))
        elif head >> 4 == 3:
            size, qos = int.from_bytes(body[:2]), head >> 1 & 3
            payload = body[2 + size + (2 if qos else 0) :]
            self.got.append((body[2 : 2 + size].decode(), payload, bool(head & 1)))
            if self.answers and qos:
                connection.sendall(b"\x40\x02" + body[2 + size : 4 + size])
        elif head >> 4 == 8:
            connection.sendall(b"\x90\x03" + body[:2] + b"\0")
        elif head >> 4 == 12:
            connection.sendall(b"\xd0\0")


@contextmanager
def mosquitto(
    folder: Path, port: int = 0, key: str = "", certificate: Path | None = None
) -> Iterator[int]:
    """Run mosquitto on this computer alone; yield its port. Nothing survives its end.

    ``key`` is the password of anna; with a certificate, which holds its key, it is encrypted.
    """
    if not port:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
    lines = [f"listener {port} 127.0.0.1", f"allow_anonymous {'false' if key else 'true'}"]
    if key:
        users = folder / "users"
        words = [str(Path(str(MOSQUITTO)).parent / "mosquitto_passwd"), "-b", "-c", str(users)]
        tool = shutil.which("mosquitto_passwd") or words[0]
        subprocess.run([tool, *words[1:], "anna", key], check=True, capture_output=True)
        lines += [f"password_file {users}"]
    if certificate is not None:
        lines += [f"certfile {certificate}", f"keyfile {certificate}"]
    (folder / "mosquitto.conf").write_text("\n".join([*lines, "user root", ""]))
    broker = subprocess.Popen(
        [str(MOSQUITTO), "-c", str(folder / "mosquitto.conf")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert time.monotonic() < deadline
            assert broker.poll() is None
            time.sleep(0.05)
        yield port
    finally:
        broker.kill()
        broker.wait()

"""A camera of the network: an HTTP server that sends MJPEG, and misbehaves when it is asked to."""

import base64
import contextlib
import itertools
import socket
import struct
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np

USER, PASSWORD = "anna", "s3cret"


def jpeg(grey: int, size: tuple[int, int] = (64, 48)) -> bytes:
    picture = np.full((size[1], size[0], 3), grey, np.uint8)
    # A camera has noise; without it the feed takes the picture for frozen.
    picture[0, :8] = np.random.default_rng().integers(0, 255, (8, 3), np.uint8)
    return cv2.imencode(".jpg", picture)[1].tobytes()


class MjpegCamera:
    """Sends pictures at 50 a second until it is told to die; its port stays the same."""

    def __init__(self, *, secret: bool = False) -> None:
        self.grey = 100
        self.size = (64, 48)
        self.secret = secret
        self.picture = lambda: jpeg(self.grey, self.size)
        self.asked: list[str] = []
        """Paths that were requested."""
        self.port = 0
        self.start()

    def start(self) -> None:
        self.alive = True
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), _Handler)
        self._server.daemon_threads = True
        self._server.camera = self
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def die(self) -> None:
        """Close the port and all connections."""
        self.alive = False
        self._server.shutdown()
        self._server.server_close()

    def url(self, path: str = "stream", user: str = "") -> str:
        return f"http://{user}127.0.0.1:{self.port}/{path}"


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...

    def do_GET(self) -> None:
        camera = self.server.camera
        camera.asked.append(self.path)
        try:
            self._answer(camera)
        except OSError:
            self.close_connection = True

    def _answer(self, camera: MjpegCamera) -> None:
        expected = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if camera.secret and self.headers.get("Authorization") != expected:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="camera"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        behaviour: dict[str, Callable[[MjpegCamera], None]] = {
            "/stream": self._stream,
            "/still": self._still,
            "/circle": self._circle,
            "/headers": self._headers,
            "/page": self._page,
            "/hang": self._hang,
        }
        behaviour.get(self.path, lambda _: self.send_error(404))(camera)

    def _stream(self, camera: MjpegCamera) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        while camera.alive:
            self._part(camera.picture())
            time.sleep(0.02)

    def _part(self, body: bytes) -> None:
        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(body)}\r\n\r\n"
        self.wfile.write(head.encode() + body + b"\r\n")

    def _still(self, camera: MjpegCamera) -> None:
        body = jpeg(camera.grey)
        self.send_response(200)
        self.send_header("Content-Type", "image/jpeg")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _circle(self, camera: MjpegCamera) -> None:
        self.send_response(302)
        self.send_header("Location", "/circle")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _headers(self, camera: MjpegCamera) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while camera.alive:
            self.wfile.write(b"X-More: " + b"a" * 1000 + b"\r\n")

    def _page(self, camera: MjpegCamera) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>Welcome to your camera</html>")

    def _hang(self, camera: MjpegCamera) -> None:
        while camera.alive:
            time.sleep(0.05)


class RtspCamera(threading.Thread):
    """Serves one client after the other: JPEG over RTP (RFC 2435) within the RTSP connection."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.grey = 100
        self.authorized: list[str] = []
        """The credentials that clients sent."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.client: socket.socket | None = None
        self.start()

    def run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self.client, _ = self._listener.accept()
                with contextlib.suppress(OSError, StopIteration), self.client:
                    self._serve(self.client)

    def close(self) -> None:
        self._listener.close()
        self.drop()

    def drop(self) -> None:
        """Lose the connection."""
        with contextlib.suppress(OSError, AttributeError):
            self.client.shutdown(socket.SHUT_RDWR)

    def _serve(self, client: socket.socket) -> None:
        stream = client.makefile("rb")
        while True:
            head = list(iter(lambda: stream.readline().decode().strip(), ""))
            if not head:
                return
            fields = dict(line.split(": ", 1) for line in head[1:])
            method = head[0].split()[0]
            answer = f"RTSP/1.0 200 OK\r\nCSeq: {fields['CSeq']}\r\nSession: 1\r\n"
            body = ""
            if method == "DESCRIBE" and "Authorization" not in fields:
                answer = answer.replace("200 OK", "401 Unauthorized")
                answer += 'WWW-Authenticate: Basic realm="camera"\r\n'
            elif method == "DESCRIBE":
                self.authorized.append(fields["Authorization"])
                body = "v=0\r\ns=x\r\nm=video 0 RTP/AVP 26\r\na=control:1\r\n"
                answer += f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n"
            elif method == "SETUP":
                answer += "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
            client.sendall(f"{answer}\r\n{body}".encode())
            if method == "PLAY":
                for number in itertools.count():
                    client.sendall(_rtp(jpeg(self.grey, (64, 64)), number))
                    time.sleep(0.02)


def _rtp(picture: bytes, number: int) -> bytes:
    """Return a picture as one RTP packet with its quantization tables."""
    tables = b"".join(
        picture[place + 5 : place + 69]
        for place in range(len(picture))
        if picture[place : place + 4] == b"\xff\xdb\x00\x43"
    )
    scan = picture.index(b"\xff\xda")
    data = picture[scan + 2 + int.from_bytes(picture[scan + 2 : scan + 4]) : -2]
    header = bytes([0, 0, 0, 0, 1, 255, 8, 8, 0, 0]) + len(tables).to_bytes(2) + tables
    packet = struct.pack(">BBHII", 0x80, 0x80 | 26, number & 0xFFFF, number * 1800, 7)
    packet += header + data
    return b"$\0" + len(packet).to_bytes(2) + packet

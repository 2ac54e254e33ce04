"""Events sent to an MQTT broker."""

import json
import socket
import threading

import pytest
from action_stubs import Make, seen


class Broker(threading.Thread):
    """As much of MQTT 3.1.1 as one client needs: it accepts, and answers what is published."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.got: list[tuple[str, bytes]] = []
        self.answers = True
        self.code = 0
        """The answer to who comes; 5: not with this password."""

    def run(self) -> None:
        connection, _ = self.listener.accept()
        with connection, connection.makefile("rb") as stream:
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
            size = int.from_bytes(body[:2])
            self.got.append((body[2 : 2 + size].decode(), body[4 + size :]))
            if self.answers:
                connection.sendall(b"\x40\x02" + body[2 + size : 4 + size])


def test_publish(desk: Make) -> None:
    pytest.importorskip("paho.mqtt", reason="needs paho-mqtt: pip install 'handlore[mqtt]'")
    broker = Broker()
    broker.start()
    one = desk(
        f'[actions.fist]\nmqtt = "hands/{{label}}"\nbroker = "mqtt://127.0.0.1:{broker.port}"\n'
        "timeout = 2\ncooldown = 0\nwaiting = 1\n"
    )
    one.runner.submit(seen("fist"))
    assert one.wait(1) == [("done", "publish to hands/fist")]
    ((topic, body),) = broker.got
    assert (topic, json.loads(body)["label"]) == ("hands/fist", "fist")
    broker.answers = False
    one.runner.submit(seen("fist"))
    assert one.wait(2)[1] == ("failed", "the broker 127.0.0.1 did not answer")


def test_unreachable_broker(desk: Make) -> None:
    pytest.importorskip("paho.mqtt", reason="needs paho-mqtt: pip install 'handlore[mqtt]'")
    one = desk('[actions.fist]\nmqtt = "a"\nbroker = "mqtt://127.0.0.1:9"\ntimeout = 0.2')
    one.runner.submit(seen("fist"))
    assert one.wait(1) == [("failed", "no connection to the broker 127.0.0.1")]


def test_refusing_broker(desk: Make) -> None:
    pytest.importorskip("paho.mqtt", reason="needs paho-mqtt: pip install 'handlore[mqtt]'")
    broker = Broker()
    broker.code = 5
    broker.start()
    one = desk(
        f'[actions.fist]\nmqtt = "a"\nbroker = "mqtt://u:pw@127.0.0.1:{broker.port}"\ntimeout = 1.5'
    )
    one.runner.submit(seen("fist"))
    assert one.wait(1) == [("failed", "no connection to the broker 127.0.0.1: Not authorized")]

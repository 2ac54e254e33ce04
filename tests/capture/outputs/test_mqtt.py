"""Landmarks and events over MQTT."""

import json
import re
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from mqtt_stubs import Broker, mosquitto, needs_mosquitto
from output_stubs import FIST, hand, state, until

from handlore.capture.outputs import sender as sender_module
from handlore.capture.outputs.base import make_output
from handlore.capture.outputs.home_assistant import HomeAssistant
from handlore.capture.outputs.sender import Sender
from handlore.landmarks.errors import HandloreError

client_module = pytest.importorskip(
    "paho.mqtt.client", reason="needs paho-mqtt: pip install 'handlore[mqtt]'"
)


def test_topics() -> None:
    broker = Broker()
    sender = Sender(make_output(f"mqtt://127.0.0.1:{broker.port}/kitchen/hands"))
    try:
        sender.show(state(0.5, [hand()]))
        sender.on_event(FIST)
        until(lambda: len(broker.got) == 2)
        got = {topic: json.loads(body) for topic, body, _ in broker.got}
        assert got["kitchen/hands/landmarks"]["time"] == 0.5
        assert got["kitchen/hands/event"]["label"] == "fist"
        assert not any(retained for _, _, retained in broker.got)
    finally:
        sender.close()
        broker.close()


def test_topic_with_signs() -> None:
    """It is decoded as the user name is, and then checked."""
    broker = Broker()
    sender = Sender(make_output(f"mqtt://127.0.0.1:{broker.port}/my%20hands/a%2Fb"))
    try:
        sender.on_event(FIST)
        until(lambda: broker.got)
        assert broker.got[0][0] == "my hands/a/b/event"
    finally:
        sender.close()
        broker.close()
    for path in ("my/%23", "my/%2B/x", "my/+/x", "my/%00"):
        with pytest.raises(HandloreError, match=r"its topic contains \+, #"):
            make_output(f"mqtt://127.0.0.1/{path}")
        with pytest.raises(HandloreError, match=r"its discovery prefix contains \+, #"):
            HomeAssistant(f"mqtt://127.0.0.1/{path}", ["fist"])


def test_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlore.capture.outputs.mqtt.OPEN_SECONDS", 0.3)
    broker, said = Broker(), []
    broker.code = 5
    sender = Sender(make_output(f"mqtt://anna:s3cret@127.0.0.1:{broker.port}"), said.append)
    try:
        until(lambda: (sender.show(state()), said)[1])
        assert "Not authorized" in said[0]
        assert "s3cret" not in said[0]
    finally:
        sender.close()
        broker.close()


@pytest.mark.slow
@needs_mosquitto
def test_mosquitto(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a password; it is killed, and started again on the same port."""
    monkeypatch.setattr(sender_module, "STEADY_SECONDS", 0.05)
    monkeypatch.setattr(sender_module, "RETRY_SECONDS", 0.2)
    said: list[str] = []
    with mosquitto(tmp_path, key="s3cret") as port:
        sender = Sender(make_output(f"mqtt://anna:s3cret@127.0.0.1:{port}"), said.append)
        assert received(port, "handlore/landmarks", lambda: sender.show(state()))["width"] == 640
        assert received(port, "handlore/event", lambda: sender.on_event(FIST))["label"] == "fist"
        # On a busy machine the first connection may have taken two attempts.
        said.clear()
    until(lambda: (sender.show(state()), said)[1])
    assert said[0].startswith(f"mqtt://127.0.0.1:{port} does not receive")
    with mosquitto(tmp_path, port=port, key="s3cret"):
        until(lambda: (sender.show(state()), "receives now" in said[-1])[1])
        assert received(port, "handlore/event", lambda: sender.on_event(FIST))["label"] == "fist"
    sender.close()


@pytest.mark.slow
@needs_mosquitto
@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_encrypted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate that nobody knows is refused, with the reason; one that is known is not."""
    monkeypatch.setattr(sender_module, "RETRY_SECONDS", 0.2)
    certificate = tmp_path / "broker.pem"
    words = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    words += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(certificate)]
    made = subprocess.run(["openssl", "req", *words], capture_output=True, check=True, text=True)
    certificate.write_text(certificate.read_text() + made.stdout)
    said: list[str] = []
    with mosquitto(tmp_path, certificate=certificate) as port:
        address = f"mqtts://localhost:{port}"
        sender = Sender(make_output(address), said.append)
        until(lambda: (sender.show(state()), said)[1])
        sender.close()
        assert re.search(r"localhost: self.signed certificate", said[0])
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        sender = Sender(make_output(address), said.append)
        until(lambda: (sender.show(state()), sender._open)[1])
        sender.close()
    assert len(said) == 1


def received(port: int, topic: str, publish) -> dict:
    """Subscribe, publish until something arrives, and return it."""
    got: list[bytes] = []
    ready = threading.Event()
    client = client_module.Client(client_module.CallbackAPIVersion.VERSION2)
    client.username_pw_set("anna", "s3cret")
    client.on_message = lambda client, data, message: got.append(message.payload)
    client.on_subscribe = lambda *_: ready.set()
    client.connect("127.0.0.1", port)
    client.subscribe(topic)
    client.loop_start()
    try:
        assert ready.wait(20)
        until(lambda: (publish(), got)[1])
    finally:
        client.disconnect()
        client.loop_stop()
    return json.loads(got[0])

"""Home Assistant: what is announced, against its published keys, and brokers that come and go."""

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mqtt_stubs import Broker, mosquitto, needs_mosquitto
from output_stubs import FIST, state, until

from handlore.capture.outputs import sender as sender_module
from handlore.capture.outputs.home_assistant import HomeAssistant, _identifier
from handlore.capture.outputs.sender import Sender
from handlore.landmarks.errors import HandloreError

client_module = pytest.importorskip(
    "paho.mqtt.client", reason="needs paho-mqtt: pip install 'handlore[mqtt]'"
)

LABELS = ("fist", "open_palm", "none")

# Keys of messages: (those that are required, all).
# https://www.home-assistant.io/integrations/device_trigger.mqtt
TRIGGER = (
    {"automation_type", "topic", "type", "subtype", "device"},
    {
        *("automation_type", "topic", "type", "subtype", "device", "payload", "qos", "platform"),
        *("value_template", "origin"),
    },
)
# https://www.home-assistant.io/integrations/sensor.mqtt; `device` needs `unique_id`.
SENSOR = (
    {"state_topic", "unique_id", "device"},
    {
        *("availability", "availability_mode", "availability_template", "availability_topic"),
        *("default_entity_id", "device", "device_class", "enabled_by_default", "encoding"),
        *("entity_category", "entity_picture", "expire_after", "force_update", "group", "icon"),
        *("json_attributes_template", "json_attributes_topic", "last_reset_value_template"),
        *("name", "object_id", "options", "origin", "payload_available", "payload_not_available"),
        *("platform", "qos", "state_class", "state_topic", "suggested_display_precision"),
        *("unique_id", "unit_of_measurement", "value_template"),
    },
)
# The same pages: one of identifiers and connections is required.
DEVICE = (
    {"identifiers"},
    {
        *("configuration_url", "connections", "hw_version", "identifiers", "manufacturer"),
        *("model", "model_id", "name", "serial_number", "suggested_area", "sw_version"),
        "via_device",
    },
)
# https://www.home-assistant.io/integrations/mqtt#adding-information-about-the-origin
ORIGIN = ({"name"}, {"name", "sw_version", "support_url"})
# https://www.home-assistant.io/integrations/mqtt#discovery-topic
TOPIC = re.compile(r"homeassistant/(sensor|device_automation)/[A-Za-z0-9_-]+/[A-Za-z0-9_-]+/config")


def check_keys(found: dict[str, Any], keys: tuple[set[str], set[str]]) -> None:
    assert keys[0] <= set(found) <= keys[1]


def check_announced(configs: dict[str, dict[str, Any]], labels: set[str]) -> None:
    """Check the messages of a device against the published keys."""
    subtypes = set()
    for topic, config in configs.items():
        found = TOPIC.fullmatch(topic)
        assert found
        check_keys(config, SENSOR if found[1] == "sensor" else TRIGGER)
        check_keys(config["device"], DEVICE)
        check_keys(config["origin"], ORIGIN)
        if found[1] == "device_automation":
            assert config["automation_type"] == "trigger"
            subtypes.add(config["subtype"])
    assert subtypes == labels
    assert len({json.dumps(config["device"]) for config in configs.values()}) == 1
    assert len(configs) == 1 + len(labels)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender_module, "STEADY_SECONDS", 0.05)
    monkeypatch.setattr(sender_module, "RETRY_SECONDS", 0.02)


@pytest.fixture
def broker() -> Iterator[Broker]:
    made = Broker()
    yield made
    made.close()


@contextmanager
def sending(port: int, said: list[str] | None = None, **options: Any) -> Iterator[Sender]:
    labels = options.pop("labels", LABELS)
    output = HomeAssistant(f"mqtt://127.0.0.1:{port}", labels, **options)
    sender = Sender(output, (said if said is not None else []).append)
    try:
        yield sender
    finally:
        sender.close()


def online(got: list[tuple[str, bytes, bool]]) -> bool:
    return any(body == b"online" for _, body, _ in got)


def test_announcement(broker: Broker) -> None:
    with sending(broker.port, name="Kitchen"):
        until(lambda: online(broker.got))
    *announced, last, end = broker.got
    check_announced(
        {topic: json.loads(body) for topic, body, _ in announced}, {"fist", "open_palm"}
    )
    assert all(retained for _, _, retained in broker.got)
    assert last == ("handlore/Kitchen/status", b"online", True)
    assert end == ("handlore/Kitchen/status", b"offline", True)


def test_gesture(broker: Broker) -> None:
    with sending(broker.port, name="Kitchen") as sender:
        until(lambda: online(broker.got))
        before = len(broker.got)
        sender.on_event(FIST)
        sender.on_hold(replace(FIST, type="hold", primary=False))
        sender.show(state())  # landmarks are not sent
        until(lambda: len(broker.got) >= before + 2)
    (gesture, body, kept), trigger = broker.got[before : before + 2]
    assert (gesture, json.loads(body)["label"], kept) == ("handlore/Kitchen/gesture", "fist", False)
    assert trigger == ("handlore/Kitchen/trigger", b"fist", False)
    assert [topic for topic, _, _ in broker.got].count("handlore/Kitchen/trigger") == 1
    sensor, fist = (json.loads(body) for _, body, _ in broker.got[:2])
    assert (sensor["state_topic"], sensor["availability_topic"]) == (
        *("handlore/Kitchen/gesture", "handlore/Kitchen/status"),
    )
    assert (fist["topic"], fist["payload"]) == ("handlore/Kitchen/trigger", "fist")


def test_broker_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """It accepts connections and says nothing: one line, and the loop does not wait."""
    monkeypatch.setattr("handlore.capture.outputs.mqtt.OPEN_SECONDS", 0.1)
    said: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as hung:
        port = hung.getsockname()[1]
        with sending(port, said) as sender:
            until(lambda: (sender.show(state()), said)[1])
            for _ in range(100):
                sender.on_event(FIST)
                sender.show(state())
    assert said == [
        f"Home Assistant at mqtt://127.0.0.1:{port} does not receive (no connection to the broker"
        " 127.0.0.1); what comes meanwhile is dropped"
    ]


def test_name_of_this_computer(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "raspberrypi.local")
    with sending(broker.port):
        until(lambda: online(broker.got))
    topic, body, _ = broker.got[0]
    assert topic == "homeassistant/sensor/handlore_raspberrypi/gesture/config"
    assert json.loads(body)["device"]["name"] == "handlore raspberrypi"


@pytest.mark.parametrize("text", ["fist", "Fist", "fist!", "日本", "a b", "a/b", "+", "a_b"])
def test_identifiers(text: str) -> None:
    others = ["fist", "Fist", "fist!", "日本", "a b", "a/b", "+", "a_b"]
    others.remove(text)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", _identifier(text))
    assert _identifier(text) not in map(_identifier, others)


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("homeassistant.local", "expected mqtt://homeassistant.local or mqtts://"),
        ("s3cret@homeassistant.local", "is no address; expected mqtt://HOST or mqtts://HOST"),
        ("http://u:s3cret@h", "begins with http://; expected mqtt"),
        ("mqtt://u:s3cret@h/a+b", "prefix contains"),
    ],
)
def test_invalid_broker(address: str, why: str) -> None:
    with pytest.raises(HandloreError, match=why) as refused:
        HomeAssistant(address, LABELS)
    assert "s3cret" not in str(refused.value)


class Listener:
    """A client that keeps what is published, as Home Assistant does."""

    def __init__(self, port: int) -> None:
        self.got: list[tuple[str, bytes, bool]] = []
        ready = threading.Event()
        self.client = client_module.Client(client_module.CallbackAPIVersion.VERSION2)
        self.client.on_message = lambda client, data, message: self.got.append(
            (message.topic, message.payload, message.retain)
        )
        self.client.on_subscribe = lambda *_: ready.set()
        self.client.connect("127.0.0.1", port)
        self.client.subscribe("#", qos=1)
        self.client.loop_start()
        assert ready.wait(20)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def configs(self) -> dict[str, dict[str, Any]]:
        """Return what is announced and has not been removed."""
        last = {topic: body for topic, body, _ in self.got if topic.endswith("/config")}
        return {topic: json.loads(body) for topic, body in last.items() if body}

    def last(self, topic: str) -> str | None:
        return next((b.decode() for t, b, _ in reversed(self.got) if t == topic), None)


@pytest.mark.slow
@needs_mosquitto
class TestMosquitto:
    def test_discovery_gesture_and_end(self, tmp_path: Path) -> None:
        with mosquitto(tmp_path) as port:
            with sending(port, name="Kitchen") as sender:
                late = None
                until(lambda: sender._open)
                late = Listener(port)  # is told everything, for it is retained
                until(lambda: late.last("handlore/Kitchen/status") == "online")
                check_announced(late.configs(), {"fist", "open_palm"})
                assert all(retained for _, _, retained in late.got)
                sender.on_event(FIST)
                until(lambda: late.last("handlore/Kitchen/trigger") == "fist")
                assert json.loads(late.last("handlore/Kitchen/gesture"))["label"] == "fist"
            until(lambda: late.last("handlore/Kitchen/status") == "offline")
            late.close()

    def test_will(self, tmp_path: Path) -> None:
        """The connection breaks: the broker reports that the device is not available."""
        with mosquitto(tmp_path) as port:
            listener = Listener(port)
            with sending(port, name="Kitchen") as sender:
                until(lambda: listener.last("handlore/Kitchen/status") == "online")
                line = sender._output._broker._connection.client.socket()
                line.shutdown(socket.SHUT_RDWR)
                until(lambda: ("handlore/Kitchen/status", b"offline", False) in listener.got)
                # It comes back by itself.
                until(lambda: listener.last("handlore/Kitchen/status") == "online")
            listener.close()

    def test_broker_that_drops_and_returns(self, tmp_path: Path) -> None:
        """It has forgotten everything: everything is announced anew, with one line each."""
        said: list[str] = []
        with mosquitto(tmp_path) as port:
            sender = Sender(HomeAssistant(f"mqtt://127.0.0.1:{port}", LABELS), said.append)
            until(lambda: sender._open)
        until(lambda: (sender.show(state()), said)[1])
        time.sleep(0.3)
        with mosquitto(tmp_path, port=port):
            listener = Listener(port)
            until(lambda: (sender.show(state()), len(said) == 2)[1])
            until(lambda: len(listener.configs()) == 3)
            check_announced(listener.configs(), {"fist", "open_palm"})
            listener.close()
            sender.close()
        shown = f"Home Assistant at mqtt://127.0.0.1:{port}"
        assert said[0].startswith(f"{shown} does not receive (")
        assert said[1:] == [f"{shown} receives now"]

    def test_home_assistant_that_is_started(self, tmp_path: Path) -> None:
        with mosquitto(tmp_path) as port:
            listener = Listener(port)
            with sending(port, name="Kitchen"):
                until(lambda: listener.last("handlore/Kitchen/status") == "online")
                listener.got.clear()
                listener.client.publish("homeassistant/status", "online")
                until(lambda: listener.last("handlore/Kitchen/status") == "online")
                check_announced(listener.configs(), {"fist", "open_palm"})
            listener.close()

    def test_triggers_of_an_earlier_model_are_removed(self, tmp_path: Path) -> None:
        with mosquitto(tmp_path) as port:
            with sending(port, name="Kitchen", labels=("wave", "fist")) as sender:
                until(lambda: sender._open)
            listener = Listener(port)
            with sending(port, name="Kitchen"):
                until(
                    lambda: (
                        {c.get("subtype") for c in listener.configs().values()}
                        == {None, "fist", "open_palm"}
                    )
                )
            listener.close()

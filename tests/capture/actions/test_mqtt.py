"""Events sent to an MQTT broker."""

import json
import socket
import time

import pytest
from action_stubs import Make, seen
from mqtt_stubs import Broker


def test_publish(desk: Make) -> None:
    pytest.importorskip("paho.mqtt", reason="needs paho-mqtt: pip install 'handlore[mqtt]'")
    broker = Broker()
    one = desk(
        f'[actions.fist]\nmqtt = "hands/{{label}}"\nbroker = "mqtt://127.0.0.1:{broker.port}"\n'
        "timeout = 2\ncooldown = 0\nwaiting = 1\n"
    )
    one.runner.submit(seen("fist"))
    assert one.wait(1) == [("done", "publish to hands/fist")]
    ((topic, body, _),) = broker.got
    assert (topic, json.loads(body)["label"]) == ("hands/fist", "fist")
    broker.answers = False
    one.runner.submit(seen("fist"))
    assert one.wait(2)[1] == ("failed", "the broker 127.0.0.1 did not answer")


def test_payload(desk: Make) -> None:
    """What lamps and plugs understand, in place of the event."""
    pytest.importorskip("paho.mqtt", reason="needs paho-mqtt: pip install 'handlore[mqtt]'")
    broker = Broker()
    one = desk(
        '[actions.fist]\nmqtt = "plug/set"\npayload = \'{"on": "{label}", "p": {probability}}\'\n'
        f'broker = "mqtt://127.0.0.1:{broker.port}"\ntimeout = 2\n'
    )
    one.runner.submit(seen("fist"))
    text = '{"on": "fist", "p": 0.9700}'
    assert one.wait(1) == [("done", f"publish {text} to plug/set")]
    ((topic, body, _),) = broker.got
    assert (topic, body.decode() if isinstance(body, bytes) else body) == ("plug/set", text)


def test_unreachable_broker(desk: Make) -> None:
    pytest.importorskip("paho.mqtt", reason="needs paho-mqtt: pip install 'handlore[mqtt]'")
    one = desk('[actions.fist]\nmqtt = "a"\nbroker = "mqtt://127.0.0.1:9"\ntimeout = 0.2')
    one.runner.submit(seen("fist"))
    assert one.wait(1) == [
        ("failed", "no connection to the broker 127.0.0.1: Connection refused"),
    ]


def test_refusing_broker(desk: Make) -> None:
    pytest.importorskip("paho.mqtt", reason="needs paho-mqtt: pip install 'handlore[mqtt]'")
    broker = Broker()
    broker.code = 5
    one = desk(
        f'[actions.fist]\nmqtt = "a"\nbroker = "mqtt://u:pw@127.0.0.1:{broker.port}"\ntimeout = 1.5'
    )
    one.runner.submit(seen("fist"))
    assert one.wait(1) == [("failed", "no connection to the broker 127.0.0.1: Not authorized")]


def test_unreachable_broker_is_reported_at_once(desk: Make) -> None:
    """Its time limit of 60 s is for a broker that does not answer; the next call tries again."""
    pytest.importorskip("paho.mqtt", reason="needs paho-mqtt: pip install 'handlore[mqtt]'")
    one = desk(
        '[actions.fist]\nmqtt = "a"\nbroker = "mqtt://127.0.0.1:9"\ntimeout = 60\nwaiting = 1'
    )
    begun = time.monotonic()
    one.runner.submit(seen("fist"))
    one.runner.submit(seen("fist"))
    refused = ("failed", "no connection to the broker 127.0.0.1: Connection refused")
    assert one.wait(2) == [refused, refused]
    one.runner.close(0.0)
    assert time.monotonic() - begun < 5.0


def test_close_while_the_broker_does_not_answer(desk: Make) -> None:
    pytest.importorskip("paho.mqtt", reason="needs paho-mqtt: pip install 'handlore[mqtt]'")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        one = desk(f'[actions.fist]\nmqtt = "a"\nbroker = "mqtt://127.0.0.1:{port}"\ntimeout = 60')
        one.runner.submit(seen("fist"))
        connection, _ = silent.accept()
        begun = time.monotonic()
        one.runner.close(0.0)
        assert time.monotonic() - begun < 5.0
        connection.close()
    assert one.wait(1) == [("failed", "no connection to the broker 127.0.0.1")]

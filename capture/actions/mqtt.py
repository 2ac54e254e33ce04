"""``mqtt``: the event as JSON to a topic of an MQTT broker."""

import threading
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any, ClassVar, Self
from urllib.parse import unquote, urlsplit

from handlore.models.stream.events import Event

from .base import ACTIONS, ActionError, ActionKind, Table, as_text, check_placeholders, fill

_PORTS = {"mqtt": 1883, "mqtts": 8883}


@ACTIONS.register
class _MqttAction(ActionKind):
    """Publish the event to a topic of a broker, ``mqtt://user:password@host:port``.

    The connection is opened at the first event and kept; ``mqtts`` is encrypted. A message that
    cannot be sent immediately is dropped: a gesture must not switch the light minutes later. With
    ``retain`` the broker keeps the last message for later subscribers.
    """

    name: ClassVar[str] = "mqtt"

    def __init__(self, topic: str, broker: str, *, retain: bool, seconds: float) -> None:
        self._topic = topic
        self._broker = broker
        self._retain = retain
        self._seconds = seconds
        self._client: Any = None
        self._connected = threading.Event()
        self._refused = ""
        """Why the broker refused the connection, such as a wrong password."""

    @classmethod
    def read(cls, table: Table, labels: Sequence[str], seconds: float) -> Self:
        topic, broker = table.text("mqtt"), table.text("broker", "mqtt://localhost")
        check_placeholders(table, "mqtt", topic)
        topics = [fill(topic, {"label": label}) for label in labels] or [topic]
        if any(sign in one for one in topics for sign in "+#\0"):
            table.problem(
                "mqtt",
                f"the topic {topic!r} contains +, # or a zero byte once placeholders are replaced",
            )
        if problem := _problem(broker):
            table.problem("broker", f"broker is {problem}; expected mqtt://host or mqtts://host")
        return cls(topic, broker, retain=table.flag("retain"), seconds=seconds)

    def missing(self) -> str | None:
        if find_spec("paho") is None:
            return "paho-mqtt is not installed; `pip install 'handlore[mqtt]'`"
        return None

    def describe(self, event: Event) -> str:
        return f"publish to {fill(self._topic, as_text(event))}"

    def perform(self, event: Event) -> None:
        client = self._open()
        if not self._connected.wait(self._seconds):
            why = f": {self._refused}" if self._refused else ""
            raise ActionError(f"no connection to the broker {_host(self._broker)}{why}")
        topic = fill(self._topic, as_text(event))
        message = client.publish(topic, event.line(), qos=1, retain=self._retain)
        try:
            message.wait_for_publish(self._seconds)
        except (ValueError, RuntimeError) as error:
            raise ActionError(str(error)) from None
        if not message.is_published():
            # Otherwise it would be sent when the broker is back.
            self.cancel()
            raise ActionError(f"the broker {_host(self._broker)} did not answer")

    def cancel(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            client.loop_stop()
            self._connected.clear()

    def _open(self) -> Any:
        if self._client is None:
            from paho.mqtt.client import Client
            from paho.mqtt.enums import CallbackAPIVersion

            client = Client(CallbackAPIVersion.VERSION2)
            parts = urlsplit(self._broker)
            if parts.username:
                client.username_pw_set(unquote(parts.username), unquote(parts.password or ""))
            if parts.scheme == "mqtts":
                client.tls_set()
            client.on_connect = self._on_connect
            client.on_disconnect = lambda *_: self._connected.clear()
            client.connect_async(parts.hostname, parts.port or _PORTS[parts.scheme])
            client.loop_start()
            self._client = client
        return self._client

    def _on_connect(self, *given: Any) -> None:
        self._refused = str(given[3]) if given[3].is_failure else ""
        if not self._refused:
            self._connected.set()


def _problem(broker: str) -> str | None:
    """Return what is wrong with an address, without a password in it."""
    try:
        parts = urlsplit(broker)
        _ = parts.port
    except ValueError:
        return "not an address"
    if parts.scheme not in _PORTS:
        return f"of the scheme {parts.scheme!r}"
    return None if parts.hostname else "without a host"


def _host(broker: str) -> str:
    return urlsplit(broker).hostname or ""

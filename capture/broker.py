"""A connection to an MQTT broker, for actions, streams and Home Assistant."""

import sys
import threading
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from .addresses import RemoteAddress

MQTT_PORTS = {"mqtt": 1883, "mqtts": 8883}
_KEEP_ALIVE = 15
"""Seconds; a broker that hangs is noticed after one and a half times as long."""

Receive = Callable[[str, bytes], None]
"""Receives topic and payload of a message, in a thread of the connection."""


class BrokerError(Exception):
    """A broker is lost, or did not take a message; the message says why, in a few words."""


def missing_mqtt() -> str | None:
    """Return what is missing on this computer for MQTT, and what to do; None if nothing is."""
    if find_spec("paho") is None:
        return "paho-mqtt is not installed; `pip install 'handlore[mqtt]'`"
    return None


class Broker:
    """A connection that is opened by :meth:`open`, and again by itself after a loss.

    Parameters
    ----------
    address
        ``mqtt://user:password@host:port``; ``mqtts`` is encrypted.
    will
        A topic, and the text that the broker publishes there, retained, if the connection is lost.
    """

    def __init__(self, address: RemoteAddress, will: tuple[str, str] | None = None) -> None:
        self.host = address.host
        self._address = address
        self._will = will
        self._client: Any = None
        self._connected = threading.Event()
        self.n_connections = 0
        """How many times it has been connected: after a loss it connects again by itself."""
        self._refused = ""
        """Why there is no connection, such as a wrong password, or nobody there."""

    @property
    def connected(self) -> bool:
        """Whether it is connected now."""
        return self._connected.is_set()

    def open(self, seconds: float) -> None:
        """Connect, unless it is connected; wait at most so long, then raise BrokerError."""
        if self._client is None:
            self._client = self._start()
        if not self._connected.wait(seconds):
            why = f": {self._refused}" if self._refused else ""
            raise BrokerError(f"no connection to the broker {self.host}{why}")

    def publish(
        self, topic: str, text: str, seconds: float, *, qos: int = 1, retain: bool = False
    ) -> None:
        """Publish a text; BrokerError if the broker has not taken it after so many seconds.

        A message is not sent later: then the connection is closed, to be opened anew.
        """
        client = self._client
        if client is None or not self.connected:
            raise BrokerError(f"no connection to the broker {self.host}")
        message = client.publish(topic, text, qos=qos, retain=retain)
        try:
            message.wait_for_publish(seconds)
        except (ValueError, RuntimeError) as error:
            raise BrokerError(str(error)) from None
        if not message.is_published():
            self.close()
            raise BrokerError(f"the broker {self.host} did not answer")

    def subscribe(self, topic: str, receive: Receive) -> None:
        """Receive the messages of a topic, which may contain ``+`` and ``#``."""
        self._client.message_callback_add(
            topic, lambda client, data, message: receive(message.topic, message.payload)
        )
        self._client.subscribe(topic)

    def close(self) -> None:
        """Disconnect; it may be opened again."""
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            client.loop_stop()
            self._connected.clear()

    def _start(self) -> Any:
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        client = Client(CallbackAPIVersion.VERSION2)
        address = self._address
        if address.user:
            client.username_pw_set(address.user, address.password)
        if address.scheme == "mqtts":
            client.tls_set()
        if self._will is not None:
            client.will_set(*self._will, qos=1, retain=True)
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = lambda *_: self._connected.clear()
        client.connect_async(address.host, address.port, _KEEP_ALIVE)
        client.loop_start()
        return client

    def _on_connect(self, *given: Any) -> None:
        self._refused = str(given[3]) if given[3].is_failure else ""
        if not self._refused:
            self.n_connections += 1
            self._connected.set()

    def _on_connect_fail(self, *_: Any) -> None:
        # Called where the error is handled, and not told which one it is.
        error = sys.exc_info()[1]
        if isinstance(error, OSError):
            reason = error.strerror or str(error)
            self._refused = getattr(error, "verify_message", "") or reason

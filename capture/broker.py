"""A connection to an MQTT broker, for actions, streams and Home Assistant."""

import sys
import threading
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any
from urllib.parse import unquote

from handlore.landmarks.errors import HandloreError

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
        self._connection: _Connection | None = None
        self.n_connections = 0
        """How many times it has been connected: after a loss it connects again by itself."""

    @property
    def connected(self) -> bool:
        """Whether it is connected now."""
        connection = self._connection
        return connection is not None and connection.connected.is_set()

    def open(self, seconds: float) -> None:
        """Connect, unless it is connected; wait at most so long, then raise BrokerError.

        It is raised at once if there is no broker, if it refuses, and if :meth:`close` is called
        meanwhile.
        """
        if self.connected:
            return
        self.close()
        connection = self._connection = _Connection(self._address, self._will, self._count)
        connection.start()
        connection.answered.wait(seconds)
        if not connection.connected.is_set():
            connection.close()
            why = f": {connection.refused}" if connection.refused else ""
            raise BrokerError(f"no connection to the broker {self.host}{why}")

    def publish(
        self, topic: str, text: str, seconds: float, *, qos: int = 1, retain: bool = False
    ) -> None:
        """Publish a text; BrokerError if the broker has not taken it after so many seconds.

        A message is not sent later: then the connection is closed, to be opened anew.
        """
        client = self._connected_client()
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
        client = self._connected_client()
        client.message_callback_add(
            topic, lambda client, data, message: receive(message.topic, message.payload)
        )
        client.subscribe(topic)

    def close(self) -> None:
        """Disconnect; it may be opened again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _connected_client(self) -> Any:
        connection = self._connection
        if connection is None or not connection.connected.is_set():
            raise BrokerError(f"no connection to the broker {self.host}")
        return connection.client

    def _count(self) -> None:
        self.n_connections += 1


class _Connection:
    """A client of paho. What it calls back after its end changes nothing in the next one."""

    def __init__(
        self, address: RemoteAddress, will: tuple[str, str] | None, count: Callable[[], None]
    ) -> None:
        self.connected = threading.Event()
        self.answered = threading.Event()
        """It is connected, or will not be; :attr:`refused` says why."""
        self.refused = ""
        """Why there is no connection, such as a wrong password, or nobody there."""
        self._count = count
        self.client = self._client_for(address, will)

    def start(self) -> None:
        self.client.loop_start()

    def close(self) -> None:
        connected = self.connected.is_set()
        self.connected.clear()
        self.answered.set()
        self.client.disconnect()
        if connected:
            self.client.loop_stop()
        else:
            # It waits for the thread of the client, which sleeps between two attempts.
            threading.Thread(target=self.client.loop_stop, daemon=True).start()

    def _client_for(self, address: RemoteAddress, will: tuple[str, str] | None) -> Any:
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        client = Client(CallbackAPIVersion.VERSION2)
        if address.user:
            client.username_pw_set(address.user, address.password)
        if address.scheme == "mqtts":
            client.tls_set()
        if will is not None:
            client.will_set(*will, qos=1, retain=True)
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = lambda *_: self.connected.clear()
        client.connect_async(address.host, address.port, _KEEP_ALIVE)
        return client

    def _on_connect(self, *given: Any) -> None:
        self.refused = str(given[3]) if given[3].is_failure else ""
        if not self.refused:
            self._count()
            self.connected.set()
        self.answered.set()

    def _on_connect_fail(self, *_: Any) -> None:
        # Called where the error is handled, without it as an argument.
        error = sys.exc_info()[1]
        if isinstance(error, OSError):
            reason = error.strerror or str(error)
            self.refused = getattr(error, "verify_message", "") or reason
        self.answered.set()


def topic_of(what: str, address: RemoteAddress, default: str) -> str:
    """Return the topic that the path of an address names, or raise HandloreError.

    >>> address = RemoteAddress.parsed("--send", "mqtt://host/my%20hands", MQTT_PORTS)
    >>> topic_of("its topic", address, "handlore")
    'my hands'
    """
    topic = unquote(address.path.strip("/")) or default
    if any(sign in topic for sign in "+#\0"):
        raise HandloreError(f"{what} contains +, # or a zero byte")
    return topic

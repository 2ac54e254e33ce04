"""Home Assistant finds handlore by itself, as a device of its MQTT integration.

The topics and keys are those of MQTT discovery, https://www.home-assistant.io/integrations/mqtt,
https://www.home-assistant.io/integrations/device_trigger.mqtt and
https://www.home-assistant.io/integrations/sensor.mqtt.
"""

import json
import re
import socket
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from handlore import __version__
from handlore.datasets.dataset import NONE_LABEL
from handlore.landmarks.errors import HandloreError, OptionError

from ..addresses import RemoteAddress
from ..broker import MQTT_PORTS, Broker, missing_mqtt, topic_of
from .base import EventMessage, Message, OutputError
from .mqtt import BrokerOutput

_PREFIX = "homeassistant"
_ONLINE, _OFFLINE = "online", "offline"


class HomeAssistant(BrokerOutput):
    """A device with a sensor for the last gesture and a trigger for each label.

    Everything is announced at each connection, and when Home Assistant has been started: a broker
    may have lost what it was to keep. Triggers of labels that the device no longer has are
    removed.

    Parameters
    ----------
    broker
        ``mqtt://user:password@host:port``, or ``mqtts://``; a path is the discovery prefix of Home
        Assistant, if it is not ``homeassistant``.
    labels
        The labels of the models.
    name
        The name of the device; default: that of this computer.

    Raises
    ------
    HandloreError
        If the address is invalid, or paho-mqtt is missing.
    """

    takes_frames = False

    def __init__(self, broker: str, labels: Sequence[str], name: str = "") -> None:
        try:
            address = RemoteAddress.parsed("--home-assistant", broker, MQTT_PORTS)
            self._prefix = topic_of("--home-assistant: its discovery prefix", address, _PREFIX)
        except HandloreError as error:
            raise OptionError(str(error)) from error
        if missing := missing_mqtt():
            raise HandloreError(missing)
        self.shown = f"Home Assistant at {address.shown}"
        computer = socket.gethostname().partition(".")[0] or "computer"
        self._id = f"handlore_{_identifier(name or computer)}"
        self._topic = f"handlore/{_identifier(name or computer)}"
        shown = name or f"handlore {computer}"
        self._configs = self._discovery(shown, [one for one in labels if one != NONE_LABEL])
        self._broker = Broker(address, will=(f"{self._topic}/status", _OFFLINE))
        self._announced = 0
        """The number of the connection in which it was announced."""
        self._restarted = False
        """Whether Home Assistant has been started since the last announcement."""
        self._stale: set[str] = set()
        """Topics of triggers that the device no longer has."""

    def open(self) -> None:
        """Connect, and announce the device."""
        super().open()
        self.check()

    def check(self) -> None:
        """Announce the device in a new connection, or to a Home Assistant that was started."""
        super().check()
        if self._announced != self._broker.n_connections:
            self._announced = self._broker.n_connections
            self._stale.clear()
            self._broker.subscribe(f"{self._prefix}/status", self._on_status)
            own = f"{self._prefix}/device_automation/{self._id}/+/config"
            self._broker.subscribe(own, self._on_config)
            self._restarted = True
        if self._restarted:
            self._announce()
        while self._stale:
            self._publish(self._stale.pop(), "", retain=True)

    def send(self, message: Message) -> None:
        """Set the sensor and fire the trigger of a gesture."""
        # One trigger for each gesture: that a pose is still held is none.
        if isinstance(message, EventMessage) and message.event.primary:
            self._publish(f"{self._topic}/gesture", message.line)
            self._publish(f"{self._topic}/trigger", message.event.label)

    def close(self) -> None:
        """Report that the device is not available, and disconnect."""
        try:
            self._publish(f"{self._topic}/status", _OFFLINE, retain=True)
        except OutputError:
            pass  # the broker does it by itself: that is the will
        finally:
            super().close()

    def _announce(self) -> None:
        self._restarted = False
        for topic, config in self._configs.items():
            self._publish(topic, json.dumps(config), retain=True)
        self._publish(f"{self._topic}/status", _ONLINE, retain=True)

    def _on_status(self, topic: str, payload: bytes) -> None:
        self._restarted |= payload == _ONLINE.encode()

    def _on_config(self, topic: str, payload: bytes) -> None:
        if payload and topic not in self._configs:
            self._stale.add(topic)

    def _discovery(self, name: str, labels: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        """Return what is published to which topic for the sensor and the triggers."""
        shared = {
            "device": {
                "identifiers": [self._id],
                "name": name,
                "manufacturer": "handlore",
                "model": "Hand gestures",
                "sw_version": __version__,
            },
            "origin": {"name": "handlore", "sw_version": __version__},
        }
        sensor = {
            "name": "Gesture",
            "unique_id": f"{self._id}_gesture",
            "state_topic": f"{self._topic}/gesture",
            "value_template": "{{ value_json.label }}",
            "json_attributes_topic": f"{self._topic}/gesture",
            "availability_topic": f"{self._topic}/status",
            "force_update": True,
            "icon": "mdi:hand-wave",
        }
        trigger = {
            "automation_type": "trigger",
            "type": "gesture",
            "topic": f"{self._topic}/trigger",
        }
        triggers = {
            f"{self._prefix}/device_automation/{self._id}/{_identifier(label)}/config": {
                **trigger,
                "subtype": label,
                "payload": label,
                **shared,
            }
            for label in labels
        }
        return {f"{self._prefix}/sensor/{self._id}/gesture/config": sensor | shared, **triggers}


def _identifier(text: str) -> str:
    """Return text of letters, digits, ``_`` and ``-``, different for different texts."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "_", text).strip("_")
    # "fist!" is not "fist".
    return plain if plain == text else f"{plain}_{zlib.crc32(text.encode()):08x}".strip("_")

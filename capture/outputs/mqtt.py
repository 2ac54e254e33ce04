"""``mqtt://HOST/TOPIC``: landmarks to TOPIC/landmarks and events to TOPIC/event of a broker."""

from typing import Any, ClassVar, Self

from handlore.landmarks.errors import HandloreError

from ..addresses import RemoteAddress
from ..broker import MQTT_PORTS, Broker, BrokerError, missing_mqtt, topic_of
from .base import (
    OPEN_SECONDS,
    OUTPUTS,
    SEND_SECONDS,
    EventMessage,
    Message,
    Output,
    OutputError,
    OutputKind,
)

_TOPIC = "handlore"


class BrokerOutput(Output):
    """What outputs through a broker share."""

    _broker: Broker

    def open(self) -> None:
        """Connect."""
        try:
            self._broker.open(OPEN_SECONDS)
        except BrokerError as error:
            raise OutputError(str(error)) from error

    def check(self) -> None:
        """Raise OutputError if the connection is lost."""
        if not self._broker.connected:
            raise OutputError("the connection was lost")

    def close(self) -> None:
        """Disconnect."""
        self._broker.close()

    def _publish(self, topic: str, text: str, **options: Any) -> None:
        try:
            self._broker.publish(topic, text, SEND_SECONDS, **options)
        except BrokerError as error:
            raise OutputError(str(error)) from error


@OUTPUTS.register
class _Mqtt(BrokerOutput, OutputKind):
    """Publishes JSON: landmarks at most once, events at least once."""

    name: ClassVar[str] = "mqtt"
    port: ClassVar[int] = MQTT_PORTS["mqtt"]

    def __init__(self, address: RemoteAddress) -> None:
        self.shown = address.shown
        self._topic = topic_of(f"the receiver {address.shown}: its topic", address, _TOPIC)
        self._broker = Broker(address)

    @classmethod
    def of(cls, address: RemoteAddress) -> Self:
        if missing := missing_mqtt():
            raise HandloreError(missing)
        return cls(address)

    def send(self, message: Message) -> None:
        is_event = isinstance(message, EventMessage)
        topic = f"{self._topic}/{'event' if is_event else 'landmarks'}"
        self._publish(topic, message.line, qos=int(is_event))


@OUTPUTS.register
class _EncryptedMqtt(_Mqtt):
    """The same over TLS."""

    name: ClassVar[str] = "mqtts"
    port: ClassVar[int] = MQTT_PORTS["mqtts"]

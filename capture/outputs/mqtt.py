"""``mqtt://HOST/TOPIC``: landmarks to TOPIC/landmarks and events to TOPIC/event of a broker."""

from typing import ClassVar, Self

from handlore.landmarks.errors import HandloreError

from ..addresses import RemoteAddress
from ..broker import MQTT_PORTS, Broker, BrokerError, missing_mqtt, topic_of
from .base import (
    OPEN_SECONDS,
    OUTPUTS,
    SEND_SECONDS,
    EventMessage,
    Message,
    OutputError,
    OutputKind,
)

_TOPIC = "handlore"


@OUTPUTS.register
class _Mqtt(OutputKind):
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

    def open(self) -> None:
        try:
            self._broker.open(OPEN_SECONDS)
        except BrokerError as error:
            raise OutputError(str(error)) from error

    def check(self) -> None:
        if not self._broker.connected:
            raise OutputError("the connection was lost")

    def send(self, message: Message) -> None:
        is_event = isinstance(message, EventMessage)
        topic = f"{self._topic}/{'event' if is_event else 'landmarks'}"
        try:
            self._broker.publish(topic, message.line, SEND_SECONDS, qos=int(is_event))
        except BrokerError as error:
            raise OutputError(str(error)) from error

    def close(self) -> None:
        self._broker.close()


@OUTPUTS.register
class _EncryptedMqtt(_Mqtt):
    """The same over TLS."""

    name: ClassVar[str] = "mqtts"
    port: ClassVar[int] = MQTT_PORTS["mqtts"]

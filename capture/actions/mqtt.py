"""``mqtt``: the event as JSON to a topic of an MQTT broker."""

from collections.abc import Sequence
from typing import ClassVar, Self

from handlore.landmarks.errors import HandloreError
from handlore.models.stream.events import Event

from ..addresses import RemoteAddress
from ..broker import MQTT_PORTS, Broker, BrokerError, missing_mqtt
from .base import ACTIONS, ActionError, ActionKind, Table, as_text, fill, fill_json


@ACTIONS.register
class _MqttAction(ActionKind):
    """Publish the event, or a payload, to a topic of a broker, ``mqtt://user:password@host:port``.

    The connection is opened at the first event and kept; ``mqtts`` is encrypted. A message that
    cannot be sent immediately is dropped: a gesture must not switch the light minutes later. With
    ``retain`` the broker keeps the last message for later subscribers.
    """

    name: ClassVar[str] = "mqtt"

    def __init__(
        self, topic: str, payload: str, broker: RemoteAddress, *, retain: bool, seconds: float
    ) -> None:
        self._topic = topic
        self._payload = payload
        self._broker = Broker(broker)
        self._retain = retain
        self._seconds = seconds

    @classmethod
    def read(cls, table: Table, labels: Sequence[str], seconds: float) -> Self:
        topic, broker = table.text("mqtt"), table.text("broker", "mqtt://localhost")
        payload = table.text("payload")
        for key, text in (("mqtt", topic), ("payload", payload)):
            table.check_placeholders(key, text)
        topics = [fill(topic, {"label": label}) for label in labels] or [topic]
        if any(sign in one for one in topics for sign in "+#\0"):
            table.problem(
                "mqtt",
                f"the topic {topic!r} contains +, # or a zero byte once placeholders are replaced",
            )
        try:
            address = RemoteAddress.parsed("broker", broker, MQTT_PORTS)
        except HandloreError as error:
            table.problem("broker", str(error))
            address = RemoteAddress("mqtt", "localhost", MQTT_PORTS["mqtt"], "")
        return cls(topic, payload, address, retain=table.flag("retain"), seconds=seconds)

    def missing(self) -> str | None:
        return missing_mqtt()

    def describe(self, event: Event) -> str:
        what = f"{fill_json(self._payload, event)} " if self._payload else ""
        return f"publish {what}to {fill(self._topic, as_text(event))}"

    def perform(self, event: Event) -> None:
        topic = fill(self._topic, as_text(event))
        try:
            self._broker.open(self._seconds)
            text = fill_json(self._payload, event) or event.line()
            self._broker.publish(topic, text, self._seconds, retain=self._retain)
        except BrokerError as error:
            raise ActionError(str(error)) from None

    def cancel(self) -> None:
        self._broker.close()

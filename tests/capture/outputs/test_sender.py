"""Receivers that hang, flood, vanish and return: the recognition never waits for them."""

import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from output_stubs import FIST, hand, state, until

from handlore.capture.outputs import sender as sender_module
from handlore.capture.outputs import sockets
from handlore.capture.outputs.base import (
    OUTPUTS,
    EventMessage,
    Message,
    Output,
    OutputError,
    make_output,
)
from handlore.capture.outputs.sender import MOST_EVENTS, Sender
from handlore.landmarks.errors import HandloreError

Open = Callable[..., Sender]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender_module, "STEADY_SECONDS", 0.05)
    monkeypatch.setattr(sender_module, "RETRY_SECONDS", 0.02)
    monkeypatch.setattr(sockets, "SEND_SECONDS", 0.1)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def send(said: list[str]) -> Iterator[Open]:
    """Open a sender to an output or an address."""
    made: list[Sender] = []

    def begin(output: Output | str, **options: float) -> Sender:
        if isinstance(output, str):
            output = make_output(output)
        made.append(Sender(output, said.append, **options))
        return made[-1]

    yield begin
    for one in made:
        one.close()


class Slow(Output):
    """Takes one message at a time, when it is let; fails when it is told to."""

    shown = "slow://here"

    def __init__(self) -> None:
        self.got: list[Message] = []
        self.free = threading.Semaphore(0)
        self.waiting = threading.Event()
        self.fault = ""

    def send(self, message: Message) -> None:
        if self.fault:
            raise OutputError(self.fault)
        self.waiting.set()
        self.free.acquire(timeout=10)
        self.got.append(message)


def test_newest_landmarks_and_events_in_order(send: Open) -> None:
    output = Slow()
    sender = send(output)
    sender.show(state(0.0))
    assert output.waiting.wait(10)
    began = time.perf_counter()
    for number in range(1, 1000):
        sender.show(state(number / 30))
    for _ in range(3):
        sender.on_event(FIST)
    assert time.perf_counter() - began < 1.0
    output.free.release(5)
    until(lambda: len(output.got) == 5)
    assert [isinstance(one, EventMessage) for one in output.got] == [False, True, True, True, False]
    assert output.got[-1].seconds == 999 / 30


def test_events_do_not_pile_up(send: Open) -> None:
    output = Slow()
    sender = send(output)
    sender.on_event(FIST)
    assert output.waiting.wait(10)
    for _ in range(10 * MOST_EVENTS):
        sender.on_event(FIST)
    output.free.release(1000)
    sender.close()
    assert len(output.got) == 1 + MOST_EVENTS


def test_one_line_when_it_is_lost_and_one_when_it_returns(send: Open, said: list[str]) -> None:
    output = Slow()
    output.free.release(1000)
    sender = send(output)
    output.fault = "unplugged"

    def lines(n: int) -> bool:
        sender.show(state(0.0))
        return len(said) == n

    until(lambda: lines(1))
    for _ in range(20):
        sender.on_event(FIST)
        sender.show(state(0.0))
        time.sleep(0.005)
    output.fault = ""
    until(lambda: lines(2))
    assert said == [
        "slow://here does not receive (unplugged); what comes meanwhile is dropped",
        "slow://here receives now",
    ]


def test_fault_of_an_output(send: Open, said: list[str]) -> None:
    class Broken(Slow):
        def send(self, message: Message) -> None:
            raise KeyError("oops")

    sender = send(Broken())
    sender.on_event(FIST)
    until(lambda: (sender.show(state()), said)[1])
    assert "KeyError: 'oops'" in said[0]


class TestTcp:
    def test_lines(self, send: Open) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            sender = send(f"tcp://127.0.0.1:{listener.getsockname()[1]}")
            sender.show(state(0.5, [hand()]))
            connection, _ = listener.accept()
            with connection, connection.makefile() as lines:
                assert json.loads(lines.readline())["time"] == 0.5
                sender.on_event(FIST)
                assert json.loads(lines.readline())["label"] == "fist"

    def test_dies_and_returns(self, send: Open, said: list[str]) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        sender = send(f"tcp://127.0.0.1:{port}")
        listener.accept()[0].close()
        listener.close()
        until(lambda: (sender.show(state()), said)[1])
        assert re.match(rf"tcp://127.0.0.1:{port} does not receive \(.+\); what", said[0])
        with socket.create_server(("127.0.0.1", port)) as again:
            connection, _ = again.accept()
            until(lambda: (sender.show(state()), len(said) == 2)[1])
            assert said[1] == f"tcp://127.0.0.1:{port} receives now"
            connection.close()

    def test_hangs(self, send: Open, said: list[str]) -> None:
        """It accepts and never reads: it is disconnected, and frames go on at their rate."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sender = send(f"tcp://127.0.0.1:{listener.getsockname()[1]}")
            hands, longest = [hand(), hand(0.1)], 0.0
            deadline = time.monotonic() + 20
            while not said and time.monotonic() < deadline:
                began = time.perf_counter()
                sender.show(state(0.0, hands))
                longest = max(longest, time.perf_counter() - began)
                time.sleep(0.0005)
            assert "it takes no data" in said[0]
            assert longest < 0.5

    def test_floods(self, send: Open) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            sender = send(f"tcp://127.0.0.1:{listener.getsockname()[1]}")
            connection, _ = listener.accept()
            connection.setblocking(False)
            with connection:
                for _ in range(2000):
                    try:
                        connection.send(b"x" * 65536)
                    except BlockingIOError:
                        break
                sender.on_event(FIST)
                connection.settimeout(10)
                assert b'"fist"' in connection.recv(4096)


def test_udp(send: Open) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(10)
        sender = send(f"udp://127.0.0.1:{receiver.getsockname()[1]}")
        sender.show(state(0.5, [hand(), hand(0.1)]))
        message = json.loads(receiver.recv(65536))
        assert (message["time"], [one["hand"] for one in message["hands"]]) == (
            *(0.5, ["right", "left"]),
        )


def test_udp_without_a_receiver(send: Open, said: list[str]) -> None:
    """Nobody can know whether a datagram arrives."""
    sender = send("udp://127.0.0.1:9")
    for _ in range(20):
        sender.on_event(FIST)
        time.sleep(0.002)
    sender.close()
    assert said == []


@pytest.mark.parametrize(
    ("address", "why"),
    [
        (
            "nothing",
            "the receiver is no address; expected mqtt://HOST or mqtts://HOST or osc://HOST",
        ),
        ("ftp://u:secret@h", "the receiver begins with ftp://; expected"),
        ("udp://h", "the receiver udp://h names no port; expected HOST:PORT"),
        ("tcp://:80", "names no host"),
        ("udp://h:70000", "is no valid address: the port is not 1 to 65535"),
        ("udp://h:0", "the port is not 1 to 65535"),
        ("tcp://h:http", "the port is not 1 to 65535"),
        ("mqtt://u:secret@h:99999", "the port is not 1 to 65535"),
        ("mqtt://u:secret/x@h", "with special characters of the user name and password"),
        ("udp://u:secret@h:5", "the receiver udp://h:5: udp knows no user name and password"),
        ("osc://u@h:5", "osc knows no user name"),
        ("tcp://:secret@h:5", "tcp knows no user name"),
        ("mqtt://u:secret@h/a/#", "is no valid address"),
        ("mqtt://u:secret@h/a/+/b", "its topic contains"),
    ],
)
def test_invalid_address(address: str, why: str) -> None:
    with pytest.raises(HandloreError, match=why) as refused:
        make_output(address)
    assert "secret" not in str(refused.value)


def test_every_output_has_an_example_in_the_error() -> None:
    assert {"udp", "tcp", "osc", "mqtt", "mqtts"} <= set(OUTPUTS)

"""Addresses, host names and tokens of the page."""

import socket

import pytest

from handlore.capture.serve.guard import (
    GUESS_SECONDS,
    MOST_GUESSES,
    Address,
    Guard,
    GuessBrake,
    read_token,
)
from handlore.landmarks.errors import HandloreError

HERE = Address("127.0.0.1", 0)


EVERYWHERE = "0.0.0.0"  # noqa: S104, nothing is served there


def test_known_names() -> None:
    guard = Guard.of(Address(EVERYWHERE, 8000))
    assert guard.knows("192.168.0.7:8000")
    assert guard.knows("[fe80::1]:8000")
    assert guard.knows(f"{socket.gethostname()}:8000")
    assert guard.knows(f"{socket.gethostname().upper()}.local:8000")
    assert not guard.knows("evil.example:8000")


def test_loopback_address() -> None:
    guard = Guard.of(Address("127.0.0.2", 8000))
    assert guard.knows("127.0.0.2:8000")
    assert not guard.knows("127.0.0.3:8000")


def test_generated_token() -> None:
    one, other = (Guard.of(Address(EVERYWHERE, 8000)) for _ in range(2))
    assert len(one.token) >= 24
    assert one.token != other.token
    assert Guard.of(HERE).token == ""
    mine = "my-own-token"
    assert Guard.of(Address(EVERYWHERE, 8000), mine).token == mine


@pytest.mark.parametrize(
    "token", ["", "short", "with space", "semi;colon", "ümlaut-token", "a&b=cdefg"]
)
def test_invalid_token(token: str) -> None:
    with pytest.raises(HandloreError, match="--token"):
        Guard.of(HERE, token)


@pytest.mark.parametrize("text", ["", "here", "127.0.0.1:", "h:-1", "h:²"])
def test_invalid_address(text: str) -> None:
    with pytest.raises(HandloreError, match=r"expected a port or host:port such as 127\.0\.0\.1:8"):
        Address.parsed(text)


@pytest.mark.parametrize("text", ["99999", "127.0.0.1:65536", pytest.param("9" * 5000, id="long")])
def test_port_that_is_too_large(text: str) -> None:
    with pytest.raises(HandloreError, match="a port is at most 65535"):
        Address.parsed(text)


@pytest.mark.parametrize(
    ("text", "host", "local"),
    [
        ("127.0.0.1:8000", "127.0.0.1", True),
        ("8000", "127.0.0.1", True),
        ("[::1]:8000", "::1", True),
        ("localhost:8000", "localhost", True),
        ("0.0.0.0:8000", EVERYWHERE, False),
        ("pi.lan:8000", "pi.lan", False),
    ],
)
def test_addresses(text: str, host: str, local: bool) -> None:
    address = Address.parsed(text)
    assert (address.host, address.port, address.local) == (host, 8000, local)


def test_guesses_are_forgotten() -> None:
    now = [0.0]
    brake = GuessBrake(lambda: now[0])
    for k in range(MOST_GUESSES):
        assert not brake.slows("a")
        brake.note("a", [f"guess {k}"])
    assert brake.slows("a")
    assert not brake.slows("b")
    now[0] = GUESS_SECONDS + 1
    assert not brake.slows("a")


def test_many_clients_guess_no_faster() -> None:
    brake = GuessBrake(lambda: 0.0)
    for k in range(1000):
        brake.note(f"client {k}", [f"guess {k}"])
    assert brake.slows("another")


def test_token_of_a_file(tmp_path) -> None:
    (tmp_path / "token").write_text("my-own-token\nmore\n")
    assert read_token(tmp_path / "token") == "my-own-token"
    (tmp_path / "token").write_bytes(b"\xff\n")
    for file, why in ((tmp_path, "is not a file"), (tmp_path / "token", "holds no token")):
        with pytest.raises(HandloreError, match=why):
            read_token(file)

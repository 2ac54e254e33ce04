"""Open Sound Control, received by python-osc."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from output_stubs import hand, state, until

from handlore.capture.outputs.base import make_output
from handlore.capture.outputs.osc import _osc_message
from handlore.capture.outputs.sender import Sender
from handlore.models.stream.events import Event

dispatcher = pytest.importorskip("pythonosc.dispatcher", reason="needs python-osc")
osc_server = pytest.importorskip("pythonosc.osc_server")
osc_message_module = pytest.importorskip("pythonosc.osc_message")


@pytest.fixture
def got() -> dict[str, tuple]:
    return {}


@pytest.fixture
def sender(got: dict[str, tuple]) -> Iterator[Sender]:
    paths = dispatcher.Dispatcher()
    paths.set_default_handler(lambda address, *values: got.__setitem__(address, values))
    server = osc_server.BlockingOSCUDPServer(("127.0.0.1", 0), paths)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    made = Sender(make_output(f"osc://127.0.0.1:{server.server_address[1]}"))
    yield made
    made.close()
    server.shutdown()
    server.server_close()


def test_two_hands(sender: Sender, got: dict[str, tuple]) -> None:
    right, left = hand(0.9, 1), hand(0.1, 2)
    sender.show(state(0.0, [right, left]))
    until(lambda: len(got) == 5)
    width, height, n, *values = got["/hands/arr"]
    assert (width, height, n) == (640, 480, 2)
    hands = np.array(values).reshape(2, 64)
    np.testing.assert_allclose(hands[:, 0], 0.8, atol=1e-6)
    points = hands[:, 1:].reshape(2, 21, 3)
    np.testing.assert_allclose(points[0, :, :2], right.image[:, :2] * 640, rtol=1e-5)
    np.testing.assert_allclose(points[1, :, :2], left.image[:, :2] * 640, rtol=1e-5)
    np.testing.assert_allclose(got["/rx"], right.image[:, 0], rtol=1e-5)
    np.testing.assert_allclose(got["/ry"], right.image[:, 1] * 640 / 480, rtol=1e-5)
    np.testing.assert_allclose(got["/lx"], left.image[:, 0], rtol=1e-5)
    np.testing.assert_allclose(got["/ly"], left.image[:, 1] * 640 / 480, rtol=1e-5)


def test_no_hand(sender: Sender, got: dict[str, tuple]) -> None:
    sender.show(state())
    until(lambda: got)
    assert got == {"/hands/arr": (640, 480, 0)}


def test_event(sender: Sender, got: dict[str, tuple]) -> None:
    sender.on_event(Event("daumen_hoch_ä", 1.0, 1.25, 0.5, None))
    until(lambda: got)
    assert got == {"/handlore/event": ("daumen_hoch_ä", "", 0.5, 1.0, 1.25, "end")}


@pytest.mark.parametrize("text", ["", "a", "abc", "abcd", "ä", "a\0b"])
def test_padding(text: str) -> None:
    message = _osc_message("/a", text, 7, 0.25, text)
    assert len(message) % 4 == 0
    read = osc_message_module.OscMessage(message)
    assert (read.address, read.params) == (
        "/a",
        [text.replace("\0", ""), 7, 0.25, text.replace("\0", "")],
    )

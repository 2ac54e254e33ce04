"""``--landmarks``: readers of stdout that hang, leave, or take everything."""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from output_stubs import FIST, hand, state, until

from handlore.capture.outputs import sender as sender_module
from handlore.capture.outputs import stdout
from handlore.capture.outputs.stdout import LandmarkPrinter


class Pipe:
    """A pipe in the place of stdout."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch
        reading, writing = os.pipe()
        self.reader, self.stdout = os.fdopen(reading, "rb"), os.fdopen(writing, "w")

    def printer(self, **options: bool) -> LandmarkPrinter:
        self._patch.setattr(sys, "stdout", self.stdout)
        return LandmarkPrinter(**options)

    def next(self) -> dict[str, Any]:
        return json.loads(self.reader.readline())


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipe]:
    monkeypatch.setattr(sender_module, "STEADY_SECONDS", 0.05)
    monkeypatch.setattr(sender_module, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr(stdout, "SEND_SECONDS", 0.1)
    made = Pipe(monkeypatch)
    yield made
    made.reader.close()
    made.stdout.close()


def test_camera(pipe: Pipe) -> None:
    printer = pipe.printer()
    printer.show(state(0.5, [hand()]))
    assert pipe.next()["time"] == 0.5
    printer.on_event(FIST)
    assert pipe.next() == FIST.detailed()
    printer.close()


def test_reader_that_hangs_and_returns(pipe: Pipe, capsys: pytest.CaptureFixture[str]) -> None:
    """Recognition goes on; there is one line, and another one when lines are read again."""
    printer, hands = pipe.printer(), [hand(), hand(0.1)]
    said, longest = "", 0.0
    deadline = time.monotonic() + 20
    while "does not receive" not in said and time.monotonic() < deadline:
        began = time.perf_counter()
        printer.show(state(0.0, hands))
        longest = max(longest, time.perf_counter() - began)
        time.sleep(0.0005)
        said += capsys.readouterr().err
    assert said.splitlines() == [
        "stdout does not receive (nobody reads it); what comes meanwhile is dropped"
    ]
    assert longest < 0.5
    for _ in range(8):
        pipe.next()
    until(lambda: (printer.show(state()), capsys.readouterr().err == "stdout receives now\n")[1])
    while pipe.next()["hands"]:
        pass
    printer.close()


@pytest.mark.parametrize("every", [True, False])
def test_reader_that_leaves(every: bool, pipe: Pipe) -> None:
    printer = pipe.printer(every=every)
    pipe.reader.close()
    with pytest.raises(BrokenPipeError):
        until(lambda: printer.show(state()))


def test_file_is_written_completely(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "out").open("w") as out:
        monkeypatch.setattr(sys, "stdout", out)
        printer = LandmarkPrinter(every=True, max_fps=10)
        for number in range(90):
            printer.show(state(number / 30))
        printer.close()
    times = [json.loads(line)["time"] for line in (tmp_path / "out").read_text().splitlines()]
    assert times == [round(k / 10, 3) for k in range(30)]


def test_closed_stdout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    printer = LandmarkPrinter(every=True)
    printer.show(state())
    printer.on_event(FIST)
    printer.close()

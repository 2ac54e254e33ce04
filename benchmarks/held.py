"""What held poses cost, and how often the mouse clicks: by pinches, and where nobody pinches.

``python benchmarks/held.py IPN``: the folder of clips of IPN Hand, or the dataset that
``handlore convert`` makes of it. In it people point with one finger and lower their hand, and click
in the air: nobody pinches. They zoom out by bringing the tips of thumb, index and middle finger
together: a pinch in each clip. Without it, the cost alone.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import handlore
from handlore.capture.actions import mouse
from handlore.capture.actions.file import load_model_actions, preset_file
from handlore.capture.actions.gate import ActionGate
from handlore.models.ready import KNOWN_MODELS, LIVE_MODELS

ROUNDS, FRAMES, FPS = 7, 900, 30
NO_PINCH = ("point_one_finger", "click_one_finger", "double_click_one")
PINCH = "zoom_out"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ipn", type=Path, nargs="?")
    parser.add_argument("--every", type=int, default=1, help="use every so many-th clip")
    options = parser.parse_args()
    for name, settings in (
        ("one event for each gesture", {}),
        ("--hold-events 0.5", {"hold_interval": 0.5}),
        ("with an action that follows the hand", {"hold_interval": 0.0, "follow_hands": True}),
    ):
        print(f"{cost(settings):.3f} ms a frame, {name}")
    if options.ipn:
        # Whatever programs there are.
        mouse._pointer = lambda: Desktop  # type: ignore[assignment, return-value]
        for label in NO_PINCH:
            false_presses(label, list(videos(options.ipn, label))[:: options.every])
        pinches(list(videos(options.ipn, PINCH))[:: options.every])


def cost(settings: dict[str, Any]) -> float:
    """Return the milliseconds of processor time for a frame, the best of some rounds."""
    models, _ = handlore.load_models(LIVE_MODELS)
    data = handlore.load_dataset(KNOWN_MODELS["everyday"].examples)
    seen = ~np.isnan(data.image[:, 0, 0, 0])
    shown = [np.flatnonzero((data.samples.label == one) & seen)[0] for one in ("fist", "ok", "one")]
    best = np.inf
    for _ in range(ROUNDS):
        recogniser = handlore.Recogniser(models, handlore.RecogniserSettings(**settings))
        began = time.process_time()
        for n in range(FRAMES):
            at = shown[n // (3 * FPS) % len(shown)]
            recogniser.feed(n / FPS, data.image[at], data.world[at], data.handedness[at])
        best = min(best, (time.process_time() - began) / FRAMES)
    return 1000 * best


def videos(ipn: Path, label: str) -> Iterator[handlore.LandmarkDataset]:
    """Yield the clips of a label as landmarks."""
    if ipn.is_file():
        data = handlore.load_dataset(ipn)
        yield from (
            data.select(np.array([at])) for at in np.flatnonzero(data.samples.label == label)
        )
        return
    for clip in sorted(ipn.glob(f"{label}/*.mp4")):
        with handlore.open_detector(handlore.DetectorOptions(video=True)) as detector:
            yield handlore.track_video(clip, detector)


class Desktop:
    """A pointer that counts."""

    presses = 0

    def __init__(self, seconds: float) -> None:
        del seconds

    def move(self, right: int, down: int) -> None:
        """Do nothing."""

    def press(self, *, pressed: bool) -> None:
        """Count it."""
        Desktop.presses += pressed

    def close(self) -> None:
        """Do nothing."""


def false_presses(label: str, clips: list[handlore.LandmarkDataset]) -> None:
    """Print how often the button of the preset ``mouse`` is pressed while the hand moves it."""
    models, _ = handlore.load_models(["everyday"])
    Desktop.presses, seconds = 0, 0.0
    for video in clips:
        actions = load_model_actions(preset_file("mouse"), models, check_computer=False)
        gate, followed = ActionGate(actions), set()
        settings = actions.settings(handlore.RecogniserSettings())
        for event in handlore.recognise(models, video, settings):
            for call in gate.calls(event):
                if call.action.kind.follows and not call.refused:
                    call.action.kind.perform(call.event)
                    followed.add(call.event.end)
        seconds += len(followed) / FPS
    rate = 60 * Desktop.presses / seconds
    print(f"{label}: {Desktop.presses} presses in {seconds:.0f} s, {rate:.1f} a minute; no pinch")


def pinches(clips: list[handlore.LandmarkDataset]) -> None:
    """Print in how many clips the button is pressed, as if each began with the pose of a mouse."""
    models, _ = handlore.load_models(["everyday"])
    found, presses = 0, 0
    for video in clips:
        actions = load_model_actions(preset_file("mouse"), models, check_computer=False)
        (kind,) = [one.kind for one in actions.actions if one.kind.follows]
        Desktop.presses = 0
        settings = actions.settings(handlore.RecogniserSettings())
        for event in handlore.recognise(models, video, settings):
            if event.type == "hand":
                kind.perform(event)
        found, presses = found + bool(Desktop.presses), presses + Desktop.presses
    print(f"{PINCH}: pressed in {found} of {len(clips)} clips with a pinch each, {presses} presses")


if __name__ == "__main__":
    main()

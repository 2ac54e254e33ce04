"""What held poses cost, and how often the mouse clicks although nobody pinches.

``python benchmarks/held.py IPN_FOLDER``: the clips of IPN Hand in which people point with one
finger and lower their hand; none of them pinches. Without a folder, the cost alone.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import handlore
from handlore.capture.actions.base import ActionKind
from handlore.capture.actions.file import load_model_actions, preset_file
from handlore.capture.actions.gate import ActionGate
from handlore.capture.actions.mouse import POINTERS
from handlore.models.ready import KNOWN_MODELS, LIVE_MODELS

ROUNDS, FRAMES, FPS = 7, 900, 30


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
        clicks(sorted(options.ipn.glob("point_one_finger/*.mp4"))[:: options.every])


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


def clicks(clips: list[Path]) -> None:
    """Print how often the button of the preset ``mouse`` is pressed."""
    # As where no desktop is running, and ydotool moves the pointer.
    POINTERS["xdotool"] = POINTERS["ydotool"] = Desktop
    models, _ = handlore.load_models(["everyday"])
    seconds = 0.0
    for clip in clips:
        actions = load_model_actions(preset_file("mouse"), models)
        with handlore.open_detector(handlore.DetectorOptions(video=True)) as detector:
            video = handlore.track_video(clip, detector)
        gate, followed = ActionGate(actions), set()
        settings = actions.settings(handlore.RecogniserSettings())
        for event in handlore.recognise(models, video, settings):
            for call in gate.calls(event):
                kind: ActionKind = call.action.kind
                if kind.follows and not call.refused:
                    kind.perform(call.event)
                    followed.add(call.event.end)
        seconds += len(followed) / FPS
        print(f"{clip.name}: {Desktop.presses} presses so far", file=sys.stderr)
    print(f"{Desktop.presses} presses in {seconds:.0f} s in which {len(clips)} clips move it")


if __name__ == "__main__":
    main()

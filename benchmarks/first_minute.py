"""What the model that `handlore demo` leaves makes of real hands, before anything is recorded.

It is asked about photos of the classes that it shares with two data sets: the hand is found as
``predict`` finds it, and a hand that is not found is an error. ``emitted``: the share for
which ``live`` would emit the right event (probability at least 0.5); ``none``: of photos of people
who show no gesture, for how many it would emit any.

Run it with ``python benchmarks/first_minute.py [poses.onnx]``; without a model it makes the demo.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from data import data_folder

from handlore.datasets.conversion.convert import convert
from handlore.datasets.sources import make_source
from handlore.landmarks.detector import DetectorOptions
from handlore.landmarks.nativelog import quiet_native_log
from handlore.landmarks.opening import open_detector
from handlore.models.files import load_model
from handlore.models.model import PoseModel
from handlore.models.stream.settings import RecogniserSettings

SHARED = {
    "sign_digits": {
        "1": "point", "2": "victory", "4": "four", "5": "open_palm", "6": "three", "9": "ok",
    },
    "hagrid_sample": {"call": "call", "four": "four", "rock": "rock", "none": "none"},
}  # fmt: skip
"""For each data set the demo's pose for each of its labels."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, nargs="?")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = options.model or _demo(Path(folder))
        model = load_model(path)
    if not isinstance(model, PoseModel):
        sys.exit(f"{path} is no model of poses")
    for name, poses in SHARED.items():
        _ask(model, name, poses)


def _demo(out: Path) -> Path:
    subprocess.run([sys.executable, "-m", "handlore", "demo", "--out", out], check=True,
                   stdout=subprocess.DEVNULL)  # fmt: skip
    return out / "poses.onnx"


def _ask(model: PoseModel, name: str, poses: dict[str, str]) -> None:
    options = DetectorOptions()
    with quiet_native_log(), open_detector(options) as detector:
        found = convert(make_source("images", {}), data_folder() / name, detector).dataset
    least = RecogniserSettings().threshold
    right = emitted = asked = 0
    for label, pose in poses.items():
        own = found.select(found.samples.label == label)
        rows = own.select(own.has_hand)
        if not rows.n_samples:
            continue
        sure = model.predict_proba(model.encoder.encode_samples(rows))
        best = [model.labels[code] for code in sure.argmax(axis=1)]
        over = sure.max(axis=1) >= least
        if pose == "none":
            print(f"{name} {label}: {int(over.sum())} of {own.n_samples} would emit a pose")
            continue
        hits = [answer == pose for answer in best]
        right, asked = right + sum(hits), asked + own.n_samples
        emitted += sum(hit and sure for hit, sure in zip(hits, over, strict=True))
        print(f"{name} {label} ({pose}): {sum(hits)} of {own.n_samples}")
    print(f"{name}: {right} of {asked} right ({right / asked:.3f}), emitted {emitted / asked:.3f}")


if __name__ == "__main__":
    main()

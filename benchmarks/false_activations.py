"""How often everyday poses are seen in webcam video in which nobody makes one.

``python benchmarks/false_activations.py ipn.npz hagrid.npz``, made by ``handlore convert`` (IPN
Hand with ``--none no_gesture``): its `none` clips (hands that rest, move, touch a face, type) go
through the recogniser, with a model of four fifths of the crops of HaGRID. Beside the false
activations an hour stands the share of the other crops that are found when each is held for a
second: what a sensitivity costs.
"""

import argparse
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

import handlore
from handlore.datasets.dataset import NONE_LABEL
from handlore.models.stream.settings import SENSITIVITIES, RecogniserSettings


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ipn", type=Path)
    parser.add_argument("hagrid", type=Path)
    options = parser.parse_args()
    clips, crops = handlore.load_dataset(options.ipn), handlore.load_dataset(options.hagrid)
    nothing = clips.select(clips.samples.label == NONE_LABEL)
    hours = _seconds(nothing) / 3600
    out = np.random.default_rng(0).permutation(crops.n_samples) % 5 == 0
    shown = crops.select(out & (crops.samples.label != NONE_LABEL))
    print(f"{nothing.n_samples} clips, {60 * hours:.1f} minutes; {shown.n_samples} crops")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "everyday.onnx")
        handlore.train(crops.select(~out), path)
        model = handlore.load_model(path, "pose")
        handlore.save_dataset(nothing, Path(folder, "nothing.npz"))
        handlore.save_dataset(shown, Path(folder, "shown.npz"))
        for name in SENSITIVITIES:
            settings = RecogniserSettings.of_sensitivity(name)
            false = handlore.replay([model], [Path(folder, "nothing.npz")], settings).logs
            seen = Counter(event.label for log in false for event in log.events)
            logs = handlore.replay([model], [Path(folder, "shown.npz")], settings).logs
            pairs = zip(logs, shown.samples.label, strict=True)
            found = np.mean([label in [one.label for one in log.events] for log, label in pairs])
            print(f"{name:<8}{seen.total() / hours:8.0f} an hour{found:8.3f} found   {dict(seen)}")


def _seconds(clips):
    """Return how long the clips are together, in seconds."""
    starts, ends = clips.offsets[:-1], clips.offsets[1:] - 1
    return float((clips.time[ends] - clips.time[starts]).sum())


if __name__ == "__main__":
    main()

"""`handlore convert` of video clips against a bare tracking loop of OpenCV and MediaPipe.

    python benchmarks/convert_clips.py FOLDER [--clips 70] [--turns 2]

Both read the same clips of FOLDER, spread over its folders of labels, and take turns. Processor
time is that of the whole command with all its processes; the loop is one process.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from handlore.landmarks.weights import require_bundle

LOOP = """
import json, sys, cv2, mediapipe
vision = mediapipe.tasks.vision
n = found = 0
for path in sys.argv[2:]:
    base = mediapipe.tasks.BaseOptions(model_asset_path=sys.argv[1])
    mode = vision.RunningMode.VIDEO
    options = vision.HandLandmarkerOptions(base, running_mode=mode)
    video = cv2.VideoCapture(path)
    rate = video.get(cv2.CAP_PROP_FPS) or 30
    with vision.HandLandmarker.create_from_options(options) as landmarker:
        for number in range(10**9):
            is_read, frame = video.read()
            if not is_read:
                break
            pixels = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
            picture = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=pixels)
            hands = landmarker.detect_for_video(picture, int(1000 * number / rate)).hand_landmarks
            n, found = n + 1, found + bool(hands)
print(json.dumps([n, found]))
"""
"""What people write; each clip is a video of its own."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--clips", type=int, default=70)
    parser.add_argument("--turns", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        clips = linked(options.folder, Path(home) / "clips", options.clips)
        bundle = str(require_bundle("full").path)
        for _ in range(options.turns):
            (n, found), *loop = timed([sys.executable, "-c", LOOP, bundle, *map(str, clips)])
            out = Path(home) / "out.npz"
            words = ["convert", str(Path(home) / "clips"), str(out), "--json"]
            summary, *own = timed([sys.executable, "-m", "handlore", *words])
            out.unlink()
            print(
                f"loop: {n} frames, {found} with a hand, {loop[0]:.1f} s, {loop[1]:.1f} s of the"
                f" processor; convert: {summary['n_frames']} frames,"
                f" {summary['n_frames_with_hand']} with a hand, {own[0]:.1f} s, {own[1]:.1f} s of"
                f" the processor: {own[0] / loop[0]:.2f} and {own[1] / loop[1]:.2f} times the loop",
                flush=True,
            )


def linked(folder: Path, home: Path, n: int) -> list[Path]:
    """Link about n clips, as many of each label, and return the links."""
    labels = sorted(path for path in folder.iterdir() if path.is_dir())
    links = []
    for label in labels:
        clips = sorted(path for path in label.iterdir() if path.is_file())
        (home / label.name).mkdir(parents=True)
        for clip in clips[:: max(1, len(clips) * len(labels) // n)]:
            links.append(home / label.name / clip.name)
            links[-1].symlink_to(clip.resolve())
    return links


def timed(words: list[str]) -> tuple[object, float, float]:
    """Run a command; return what it printed, its seconds, and those of the processor."""
    began, used = time.perf_counter(), _used()
    quiet = {"GLOG_minloglevel": "3", "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        words, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=os.environ | quiet
    )
    return json.loads(done.stdout), time.perf_counter() - began, _used() - used


def _used() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()

"""Draws the pictures of README and docs from rendered hands: ``make pictures``."""

import tempfile
from pathlib import Path

import cv2
import numpy as np

from handlore.capture.review import Review
from handlore.capture.views.review import _draw_review
from handlore.classifiers.evaluation.scores import fit_samples
from handlore.classifiers.factory import make_estimator
from handlore.classifiers.training import save_model
from handlore.datasets.conversion.convert import convert
from handlore.datasets.dataset import Header, LandmarkDataset, Samples
from handlore.datasets.loading import load_recordings
from handlore.datasets.recorded import load_recording
from handlore.datasets.recordings import RecordingFolder
from handlore.datasets.rendered import Person, Scene, render_movement, render_pose, write_pictures
from handlore.datasets.sources import make_source
from handlore.landmarks.hands import Hand
from handlore.landmarks.nativelog import quiet_native_log
from handlore.landmarks.opening import open_detector
from handlore.models.card import ModelCard
from handlore.models.encoders import PoseEncoder
from handlore.models.files import load_model
from handlore.report.contactsheet import contact_sheet_png, photo_sheet_png, tiles_of

PICTURES = Path(__file__).parent / "pictures"
SHOWN = ("open_palm", "fist", "point", "victory", "rock", "ok")
POINTS_OF_VIEW = ((-20, 8, -14), (12, 0, 10), (18, 6, 24), (-8, 10, -32), (0, 0, 16), (-16, 4, 4))
"""Yaw, pitch and roll of each hand shown, in degrees."""


def draw_hands() -> None:
    with quiet_native_log(), open_detector() as detector, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_pictures(folder, n_people=6, per_pose=4)
        dataset = convert(make_source("images", {}), folder, detector).dataset
        fitted = fit_samples(make_estimator("forest"), dataset, PoseEncoder())
        save_model(fitted, ModelCard((), "forest"), folder / "poses.onnx")
        model = load_model(folder / "poses.onnx", "pose")
        pictures, hands, captions = [], [], []
        for number, (pose, view) in enumerate(zip(SHOWN, POINTS_OF_VIEW, strict=True)):
            # People beyond those that the model has seen.
            hand = ("right", "left")[number % 2]
            yaw, pitch, roll = view
            scene = Scene(hand=hand, yaw=yaw, pitch=pitch, roll=roll, y=0.55, seed=number)
            drawn = render_pose(pose, Person.random(100 + number), scene, size=(320, 320))
            found = detector.detect(drawn.pixels)
            said = model.predict_hands(found[:1])
            pictures.append(drawn.pixels)
            hands.append(found[0].image)
            captions.append(f"{said.label}  {100 * said.probability:.0f} %")
        (PICTURES / "hands.png").write_bytes(photo_sheet_png(pictures, hands, captions))


def recorded(label: str, seed: int, *, lost: int = 0) -> LandmarkDataset:
    """Return a recording of a rendered hand; in the last ``lost`` frames it is not seen."""
    rng = np.random.default_rng([seed, 7])
    scene = Scene(
        x=rng.uniform(0.4, 0.6),
        y=rng.uniform(0.45, 0.6),
        size=rng.uniform(0.16, 0.24),
        roll=rng.uniform(-12, 12),
        yaw=rng.uniform(-12, 12),
        tempo=rng.uniform(0.8, 1.2),
        looseness=4.0,
        seed=seed,
    )
    moments = list(render_movement(label, Person.random(3), scene, size=(32, 24)))
    hands = [[Hand(shown.image, shown.world, shown.handedness)] for _, shown in moments]
    return LandmarkDataset.of_hands(
        [*hands[: len(hands) - lost], *[[None]] * lost],
        Samples.make([label], group=["anna"], session=["monday"]),
        time=[seconds for seconds, _ in moments],
        offsets=[0, len(moments)],
        header=Header(kind="sequence", options={"camera": "0"}),
    )


def draw_recordings() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = RecordingFolder.open(Path(name) / "my_gestures")
        for number in range(6):
            for label in ("swipe_left", "swipe_right", "grab", "circle"):
                lost = 9 if (number, label) == (3, "grab") else 0
                folder.keep(recorded(label, 10 * number + len(label), lost=lost))
        # One that was recorded under the wrong label.
        folder.relabel(folder.entries()[17].path, "swipe_left")
        tiles = [one for kept in load_recordings(folder.root).recordings for one in tiles_of(kept)]
        sheet = contact_sheet_png(tiles, "my_gestures")
        (PICTURES / "contact-sheet.png").write_bytes(sheet)
        state = Review.of(folder.entries(), 0.0)
        drawn = _draw_review(state, load_recording(folder.root, state.entry.path), 0.7)
        cv2.imwrite(str(PICTURES / "review.png"), drawn.pixels[..., ::-1])


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    draw_hands()
    draw_recordings()


if __name__ == "__main__":
    main()

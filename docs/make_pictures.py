"""Draws the pictures of the README from rendered hands: ``make pictures``."""

import tempfile
from pathlib import Path

from handlore.classifiers.base import make_estimator
from handlore.classifiers.encoding import PoseEncoder
from handlore.classifiers.evaluation import fit_samples
from handlore.datasets.convert import convert
from handlore.datasets.rendered import Person, Scene, render_pose, write_pictures
from handlore.datasets.sources import make_source
from handlore.landmarks.detector import open_detector
from handlore.landmarks.nativelog import quiet_native_log
from handlore.models.card import ModelCard
from handlore.models.loading import load_model
from handlore.models.storage import save_model
from handlore.report.figures import hands_png

PICTURES = Path(__file__).parent / "pictures"
SHOWN = ("open_palm", "fist", "point", "victory", "rock", "ok")
POINTS_OF_VIEW = ((-20, 8, -14), (12, 0, 10), (18, -6, 24), (-8, 10, -32), (0, 0, 16), (-16, 4, 4))
"""Yaw, pitch and roll of each hand shown, in degrees."""


def main() -> None:
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
        PICTURES.mkdir(exist_ok=True)
        (PICTURES / "hands.png").write_bytes(hands_png(pictures, hands, captions))


if __name__ == "__main__":
    main()

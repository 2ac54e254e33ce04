"""The files of a report."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from movement_stubs import hand_shape, movements, two_handed
from report_stubs import findings_of

from handlore.classifiers.typical import median_hand
from handlore.datasets.dataset import Header, LandmarkDataset, Samples
from handlore.landmarks.geometry import canonicalize, mirror, rotate
from handlore.report.drawing import Drawing
from handlore.report.findings import hands_by_label
from handlore.report.writing import FIGURES, _data_plots, _report_files


def test_every_figure_is_a_picture() -> None:
    files = _report_files(findings_of(4))
    assert set(files) == {*FIGURES, "report.html"}
    for name in FIGURES:
        picture = cv2.imdecode(np.frombuffer(files[name], np.uint8), 1)
        assert min(picture.shape[:2]) > 100, name
        assert len(np.unique(picture)) > 20, f"{name} is empty"


def test_a_huge_drawing_fits_into_memory() -> None:
    picture = cv2.imdecode(np.frombuffer(Drawing(30_000, 600).png(), np.uint8), 1)
    assert picture.shape[:2] == (120, 6000)


def poses(hands: np.ndarray, side: np.ndarray, labels: list[str]) -> LandmarkDataset:
    n = len(hands)
    sides = side.astype(np.float32)[:, None]
    return LandmarkDataset(
        hands[:, None].astype(np.float32), hands[:, None].astype(np.float32), sides, sides.copy(),
        np.zeros((n, 1), np.int8), np.zeros(n), np.arange(n + 1), Samples.make(labels), Header(),
    )  # fmt: skip


def typical_hands(dataset: LandmarkDataset) -> dict[str, np.ndarray]:
    return {label: median_hand(hands) for label, hands in hands_by_label(dataset).items()}


def test_the_mean_hand_has_no_place_size_side_or_rotation_of_its_own() -> None:
    shape, n = hand_shape(), 40
    rng, left = np.random.default_rng(0), np.arange(n) % 3 == 0
    made = np.stack([mirror(shape) if flip else shape for flip in left])
    # A left hand that leans to the left is, as a right hand, one that leans to the right.
    lean = np.where(left, -1, 1) * (90 + rng.normal(0, 5, n))
    made = rotate(made, lean) * rng.uniform(0.5, 2, (n, 1, 1)) + rng.uniform(0, 1, (n, 1, 3))
    mean = typical_hands(poses(made, np.where(left, 0.1, 0.9), ["a"] * n))["a"]
    assert mean.shape == (1, 1, 21, 3)
    np.testing.assert_allclose(mean[0, 0], rotate(canonicalize(shape), 90), atol=0.1)


def test_thumbs_up_and_thumbs_down_stay_two_things() -> None:
    made = np.repeat(hand_shape()[None], 10, axis=0)
    made[5:] = rotate(made[5:], 180)
    found = typical_hands(poses(made, np.ones(10), ["up"] * 5 + ["down"] * 5))
    np.testing.assert_allclose(found["down"][0, 0], rotate(found["up"][0, 0], 180), atol=1e-4)


def test_the_mean_of_swipes_goes_the_way_of_the_label() -> None:
    found = typical_hands(movements(n_people=3, labels=("left", "right")))
    ends = {label: hand[-1, 0, 0, 0] for label, hand in found.items()}
    assert ends["left"] < -1 < 1 < ends["right"]


def test_a_hand_that_is_never_there_is_not_drawn() -> None:
    for mean in typical_hands(two_handed(movements(n_people=2))).values():
        assert np.isnan(mean[:, 0]).all()
        assert not np.isnan(mean[:, 1]).any()


def without_hands(data: LandmarkDataset) -> LandmarkDataset:
    nothing = {name: np.full_like(getattr(data, name), np.nan)
               for name in ("image", "world", "handedness", "score")}  # fmt: skip
    return replace(data, **nothing, stage=np.full_like(data.stage, -1))


def without_z(data: LandmarkDataset) -> LandmarkDataset:
    return replace(data, image=np.where([True, True, False], data.image, np.nan).astype(np.float32))


@pytest.mark.parametrize("change", [lambda d: d, two_handed, without_hands, without_z])
@pytest.mark.parametrize("kind", ["poses", "movements"])
@pytest.mark.filterwarnings("error")
def test_whatever_there_is_can_be_drawn(
    kind: str, change: Callable[[LandmarkDataset], LandmarkDataset]
) -> None:
    made = movements(n_people=2, each=1, labels=("left", "right"))
    if kind == "poses":
        made = replace(made, offsets=np.arange(made.n_frames + 1), time=np.zeros(made.n_frames),
                       samples=Samples.make(["$x_1$", "<b>"] * (made.n_frames // 2)
                                            + ["odd"] * (made.n_frames % 2)),
                       header=Header())  # fmt: skip
    files = _data_plots(change(made), "title")
    hands = {"poses": "hands.png", "movements": "paths.png"}[kind]
    assert (hands in files) == (change is not without_hands)
    assert {"labels.png", "yield.png", "contact-sheet.png"} <= set(files)
    for picture in files.values():
        assert cv2.imdecode(np.frombuffer(picture, np.uint8), 1).shape[0] > 60


def font_of_one_character(path: Path, character: str) -> Path:
    """Write a font that has a filled square for one character."""
    builders = pytest.importorskip("fontTools.fontBuilder")
    pen = pytest.importorskip("fontTools.pens.ttGlyphPen").TTGlyphPen(None)
    pen.moveTo((0, 0))
    for corner in ((0, 800), (800, 800), (800, 0)):
        pen.lineTo(corner)
    pen.closePath()
    square = pen.glyph()
    made = builders.FontBuilder(1000, isTTF=True)
    made.setupGlyphOrder([".notdef", "square"])
    made.setupCharacterMap({ord(character): "square"})
    made.setupGlyf({".notdef": square, "square": square})
    made.setupHorizontalMetrics({".notdef": (900, 0), "square": (900, 0)})
    made.setupHorizontalHeader(ascent=800, descent=-200)
    made.setupNameTable({"familyName": "One Character", "styleName": "Regular"})
    made.setupOS2()
    made.setupPost()
    made.save(path)
    return path


def test_a_script_is_drawn_by_an_installed_font_that_has_it(monkeypatch, tmp_path: Path) -> None:
    from matplotlib.font_manager import fontManager

    data = poses(np.repeat(hand_shape()[None], 4, axis=0), np.ones(4), ["a", "a", "\u624b", "b"])
    monkeypatch.setattr(fontManager, "ttflist", list(fontManager.ttflist))
    monkeypatch.setattr(
        "handlore.report.drawing.FONTS", ("DejaVu Sans", "One Character", "Not Installed")
    )
    boxes = _data_plots(data, "d")
    fontManager.addfont(font_of_one_character(tmp_path / "one.ttf", "\u624b"))
    drawn = _data_plots(data, "d")
    assert all(drawn[name] != boxes[name] for name in ("labels.png", "yield.png", "hands.png"))

"""A review in a real window, with real keys."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from capture_desk import Desk, wait_for
from recording_stubs import rendered

from handlore.capture.views.review import TITLE
from handlore.datasets.recordings import RecordingFolder


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(tmp_path / "log.txt")
    yield opened
    opened.close()


def painted(picture: np.ndarray) -> np.ndarray | None:
    """Return a picture unless the window is still empty."""
    return picture if len(np.unique(picture.reshape(-1, 3), axis=0)) > 50 else None


@pytest.mark.slow
def test_keys(tmp_path: Path, desk: Desk, artefacts: Path) -> None:
    folder = RecordingFolder.open(tmp_path / "gestures")
    for number, label in enumerate(("swipe_left", "circle", "swipe_left")):
        folder.keep(rendered(label, seed=number))

    def there(*names: str) -> None:
        wait_for(lambda: all((folder.root / name).is_file() for name in names), str(names))

    desk.start(folder.root, begun=TITLE, command=("recordings", "review"))
    desk.press("u")
    there("discarded/swipe_left/0001.npz")
    desk.press("k", "n", "1")
    there("swipe_left/0001.npz", "swipe_left/0002.npz")
    desk.press("n", "plus", "u", "p", "Return")
    there("up/0003.npz")
    picture = wait_for(
        lambda: [seen] if (seen := painted(desk.look())) is not None else [], "something is drawn"
    )[0]
    cv2.imwrite(str(artefacts / "review-window.png"), picture[..., ::-1])
    desk.press("q")
    assert desk.end() == 0
    assert folder.counts() == {"swipe_left": 2, "up": 1}

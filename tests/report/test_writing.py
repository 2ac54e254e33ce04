"""The files of a report."""

import cv2
import numpy as np
from report_stubs import findings_of

from handlore.report.drawing import Drawing, png
from handlore.report.writing import FIGURES, _report_files


def test_every_figure_is_a_picture() -> None:
    files = _report_files(findings_of(4))
    assert set(files) == {*FIGURES, "report.html"}
    for name in FIGURES:
        picture = cv2.imdecode(np.frombuffer(files[name], np.uint8), 1)
        assert min(picture.shape[:2]) > 100, name
        assert len(np.unique(picture)) > 20, f"{name} is empty"


def test_a_huge_drawing_fits_into_memory() -> None:
    picture = cv2.imdecode(np.frombuffer(png(Drawing(30_000, 600)), np.uint8), 1)
    assert picture.shape[:2] == (120, 6000)

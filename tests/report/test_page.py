"""The page and what is drawn on it: any text, any number of labels, names of sources."""

import cv2
import numpy as np
import pytest
from report_stubs import EVIL, Outline

from handlore.classifiers.evaluation.scores import Predictions, Scores
from handlore.demo import _error_section
from handlore.report.charts import confusion_chart
from handlore.report.contactsheet import photo_sheet_png
from handlore.report.findings import _short_names
from handlore.report.page import page


@pytest.mark.parametrize(
    ("sources", "names"),
    [
        (["a/b/x.png", "a/c/x.png"], ["b", "c"]),
        (["a/b/1.png", "a/b/2.png"], ["1", "2"]),
        (["a/b/1.png", "a/b/1.jpg"], ["1.png", "1.jpg"]),
        (["a/x/x", "a/x/x"], ["x", "x"]),
        (["a/b"], ["b"]),
        (["a.png", "a/a.png", ""], ["a.png", "a/a.png", ""]),
        (["a\\b.png", "a\\c.png"], ["b", "c"]),
        (["of a long name the end.png"], ["… name the end"]),
        ([], []),
    ],
)
def test_names_lose_what_all_share(sources: list[str], names: list[str]) -> None:
    assert _short_names(sources) == names


def answers(truth: list[str], said: list[str]) -> Predictions:
    n = len(truth)
    return Predictions(
        np.array(truth), np.array(said), np.ones(n, np.float32), np.zeros(n, bool), np.arange(n)
    )


def test_errors_are_named_and_there_is_no_table_where_there_are_none() -> None:
    wrong = Scores.of(answers(["a", "a", "b"], ["a", "b", "b"]))
    assert "<td>a</td><td>b</td><td>1</td>" in str(_error_section(wrong))
    assert _error_section(Scores.of(answers(["a", "b"], ["a", "b"]))) is None


@pytest.mark.parametrize("text", [EVIL, "$body", "50 % & more", "$"])
def test_any_text_can_be_a_title(text: str) -> None:
    outline = Outline(page(text, []))
    assert outline.text.count(text) == 2  # <title> and <h1>
    assert "script" not in outline.tags


@pytest.mark.parametrize(
    "labels", [["a"], ["$x_1$", "$_$", "a_b$", "\\frac"], [f"l{i}" for i in range(60)]]
)
def test_confusion_matrix_is_a_picture_whatever_the_labels(labels: list[str]) -> None:
    """matplotlib reads text between dollar signs as mathematics."""
    drawn = confusion_chart(Scores.of(answers(labels * 2, labels + labels[::-1])))
    picture = cv2.imdecode(np.frombuffer(drawn.png(), np.uint8), 1)
    np.testing.assert_allclose(picture.shape[:2], (2 * drawn.height, 2 * drawn.width), atol=1)


def test_hands_are_drawn_with_and_without_landmarks() -> None:
    picture = np.full((60, 80, 3), 200, np.uint8)
    hand = np.random.default_rng(0).uniform(0.2, 0.6, (21, 3)).astype(np.float32)
    one = photo_sheet_png([picture], [hand], ["a"])
    none = photo_sheet_png([picture], [None], ["a"])
    many = photo_sheet_png([picture] * 7, [hand, None] * 3 + [hand], list("abcdef$"))
    assert len({one, none, many}) == 3
    assert all(png.startswith(b"\x89PNG") for png in (one, none, many))

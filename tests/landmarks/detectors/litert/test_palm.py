import numpy as np
import pytest

from handlore.landmarks.detectors.litert.palm import _anchors, _decode, _merge


def test_the_anchors_lie_in_the_middle_of_their_cells():
    centres = _anchors()
    assert centres.shape == (2016, 2)
    np.testing.assert_allclose(centres[[0, 1]], 4 / 192)
    np.testing.assert_allclose(centres[2], (12 / 192, 4 / 192), rtol=1e-6)
    np.testing.assert_allclose(centres[-1], 184 / 192)
    assert len(np.unique(centres, axis=0)) == 24**2 + 12**2


def test_decoding_finds_the_box_about_its_anchor():
    boxes, scores = np.zeros((2016, 18), np.float32), np.full(2016, -1000, np.float32)
    boxes[5, :6] = 19.2, -19.2, 38.4, 19.2, 96, 0
    scores[5], scores[9] = 2.0, 1.0
    probabilities, points = _decode(boxes, scores, 0.5)
    assert probabilities == pytest.approx(1 / (1 + np.exp([-2, -1])))
    x, y = _anchors()[5]
    np.testing.assert_allclose(points[0, 0], (x + 0.1 - 0.1, y - 0.1 - 0.05), atol=1e-6)
    np.testing.assert_allclose(points[0, 1], (x + 0.1 + 0.1, y - 0.1 + 0.05), atol=1e-6)
    np.testing.assert_allclose(points[0, 2], (x + 0.5, y), atol=1e-6)


def test_merging_averages_what_overlaps_and_keeps_the_rest():
    def guess(x):
        return np.array([(x, 0), (x + 1, 1)] + [(x, x)] * 7, np.float32)

    points = np.stack([guess(0.0), guess(5.0), guess(0.2)])
    palms = _merge(np.array([0.9, 0.8, 0.6], np.float32), points)
    assert [score for score, _ in palms] == pytest.approx([0.9, 0.8])
    np.testing.assert_allclose(palms[0][1], guess(0.2 * 0.6 / 1.5), atol=1e-6)
    np.testing.assert_allclose(palms[1][1], guess(5.0), atol=1e-6)
    assert _merge(np.zeros(0, np.float32), np.zeros((0, 9, 2), np.float32)) == []

import numpy as np
import pytest

from handlore.landmarks.stages import STAGES


@pytest.mark.parametrize(
    ("size", "longest"), [((28, 28), 256), ((100, 50), 256), ((400, 300), 400), ((4000, 3000), 640)]
)
def test_padding_scales_to_a_medium_size_and_repeats_the_borders(size, longest):
    width, height = size
    picture = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    made = next(STAGES[1].transforms(picture)).pixels
    assert max(made.shape[:2]) == pytest.approx(1.5 * longest, abs=2)
    margin = round(made.shape[1] / 6)
    edge = made[:, margin : margin + 1]
    np.testing.assert_array_equal(made[:, :margin], np.repeat(edge, margin, axis=1))

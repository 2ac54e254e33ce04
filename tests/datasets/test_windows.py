import numpy as np
import pytest
from recording_stubs import stream

from handlore.datasets.windows import cut_windows


def test_windows_cover_the_stream_to_its_end() -> None:
    recording = stream(10.0)
    windows = cut_windows(recording, 2.0)
    np.testing.assert_array_equal(windows.image[:31], recording.image[:31], err_msg="the first")
    np.testing.assert_array_equal(
        windows.image[windows.offsets[-2] :], recording.image[-31:], err_msg="the last 2 s"
    )
    assert windows.n_samples == 9


@pytest.mark.parametrize("seconds", [0.01, 0.5, 1.7, 30.0])
def test_any_window_can_be_cut(seconds: float) -> None:
    recording = stream(3.0)
    windows = cut_windows(recording, seconds)
    lasting = [np.ptp(windows.time[a:b]) for a, b in zip(windows.offsets, windows.offsets[1:],
                                                         strict=False)]  # fmt: skip
    assert max(lasting) <= seconds + 1e-6

"""The tones of a session."""

import io
import wave

import numpy as np
import pytest

from handlore.capture.recording import sound


@pytest.mark.parametrize("cue", sound.TONES)
def test_tones(cue: str):
    with wave.open(io.BytesIO(sound.tone(cue))) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
        assert file.getnframes() / file.getframerate() < 0.5
    assert abs(int(samples[0])) < 200
    assert abs(int(samples[-1])) < 200
    assert np.abs(samples).max() > 5000

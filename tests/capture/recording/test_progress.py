"""A key that is held down or pressed twice."""

from handlore.capture.recording.progress import _KeyHold


class TestHold:
    def test_pressed_twice(self):
        hold = _KeyHold(0.0)
        assert not hold.over(2.0)
        hold.press(2.0)
        assert (hold.over(2.1), hold.over(2.2)) == (False, True)

    def test_held(self):
        hold = _KeyHold(0.0)
        for press in range(30):  # half a second, then every 33 ms
            hold.press(0.5 + press / 30)
            assert not hold.over(0.5 + press / 30)
        assert (hold.over(1.7), hold.over(1.8)) == (False, True)

"""What a live run puts onto the page."""

from pathlib import Path

from live_stubs import EMPTY, FIST, PALM, Stage, frames

from handlore.capture.serve.server import Hub
from handlore.capture.views.live import PageView

TWO = frames(EMPTY, 0, 1) + frames(FIST, 1, 2) + frames(EMPTY, 2, 3) + frames(PALM, 3, 4)


def test_page(tmp_path: Path) -> None:
    hub = Hub()
    text = '[actions.fist]\nsay = "well"\n'
    Stage(TWO, PageView(hub), actions=text, folder=tmp_path).run()
    (_, state), log = hub.updates(0, 0, 0.0)
    assert sorted(line["text"] for _, line in log) == ["fist", "fist (say): done", "open_palm"]
    assert state["problem"] is None
    # Nobody looks: no picture was left there, none will be made.
    assert hub.jpeg(0, 0.0) is None

"""A short tone for each cue of a session, played by a program of the system."""

import math
import shutil
import struct
import subprocess
import sys
import wave
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from threading import Thread

RATE = 16_000
TONES = {"count": (660, 0.09), "go": (990, 0.22), "end": (520, 0.16), "flag": (220, 0.35)}
"""Hertz and seconds of each cue."""

_PLAYERS = (("pw-play",), ("paplay",), ("aplay", "-q"), ("afplay",))
"""Programs that play a WAV file, on Linux and macOS."""


class Sound:
    """Plays cues in its own thread; without a player the terminal's bell rings.

    Parameters
    ----------
    quiet
        Whether nothing is played.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._cues: SimpleQueue[str | None] = SimpleQueue()
        self._quiet = quiet
        self._thread = Thread(target=self._work, name="handlore-sound", daemon=True)
        self._thread.start()

    def cue(self, what: str) -> None:
        """Queue a cue."""
        self._cues.put(what)

    def close(self) -> None:
        """Stop the thread."""
        self._cues.put(None)
        self._thread.join(1.0)

    def _work(self) -> None:
        with TemporaryDirectory(prefix="handlore-") as folder:
            play = (lambda cue: None) if self._quiet else _player(Path(folder))
            while (cue := self._cues.get()) is not None:
                play(cue)


def tone(cue: str) -> bytes:
    """Return the tone of a cue as a WAV file."""
    hertz, seconds = TONES[cue]
    n = round(RATE * seconds)
    # Faded in and out, or it clicks.
    loud = [min(1.0, k / 160, (n - k) / 800) for k in range(n)]
    samples = [round(9000 * loud[k] * math.sin(2 * math.pi * hertz * k / RATE)) for k in range(n)]
    file = BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(struct.pack(f"<{n}h", *samples))
    return file.getvalue()


def _player(folder: Path) -> Callable[[str], None]:
    if sys.platform == "win32":
        import winsound

        return lambda cue: winsound.PlaySound(tone(cue), winsound.SND_MEMORY)
    for command in _PLAYERS:
        if shutil.which(command[0]):
            for cue in TONES:
                (folder / cue).write_bytes(tone(cue))
            return lambda cue: _play([*command, str(folder / cue)])
    return lambda cue: _bell()


def _play(command: Sequence[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, timeout=3, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return
    if done.returncode:
        _bell()


def _bell() -> None:
    if sys.stderr is not None and sys.stderr.isatty():
        sys.stderr.write("\a")
        sys.stderr.flush()

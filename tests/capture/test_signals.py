"""Signals end a session once, and do not disturb what is put away."""

import signal
from collections.abc import Sequence

import pytest

from handlore.capture.signals import CLEANUP_SECONDS, ending_on_signals

TERM, INT = signal.SIGTERM, signal.SIGINT


def session(
    first: signal.Signals,
    then: Sequence[signal.Signals],
    put_away: list[str],
    *,
    later: float = 0.0,
) -> None:
    """End by one signal; while all is put away, others come so many seconds later."""
    now = [0.0]
    with ending_on_signals(lambda: now[0]):
        try:
            signal.raise_signal(first)
        finally:
            now[0] = later
            for again in then:
                signal.raise_signal(again)
            put_away.append("all")


@pytest.mark.parametrize(("first", "error"), [(TERM, SystemExit), (INT, KeyboardInterrupt)])
def test_second_signal_is_ignored(first: signal.Signals, error: type[BaseException]) -> None:
    before = [signal.getsignal(one) for one in (TERM, INT)]
    put_away: list[str] = []
    with pytest.raises(error) as ended:
        session(first, (INT, TERM, INT), put_away)
    assert put_away == ["all"]
    assert ended.value.args in ((143,), ())
    assert [signal.getsignal(one) for one in (TERM, INT)] == before


def test_signal_after_a_long_cleanup() -> None:
    put_away: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        session(TERM, (INT,), put_away, later=CLEANUP_SECONDS)
    assert put_away == []


def test_ignored_sigint() -> None:
    before = signal.signal(INT, signal.SIG_IGN)
    try:
        with ending_on_signals():
            signal.raise_signal(INT)
    finally:
        signal.signal(INT, before)

"""A session: keys and frames in, effects out."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlore.capture.keys import choosing
from handlore.capture.recording.options import SessionOptions
from handlore.capture.recording.progress import Announce, Begin, Cue, Do, Effect, End
from handlore.capture.recording.session import Session, State
from handlore.landmarks.errors import HandloreError

FPS = 10.0


class Played:
    """A session that is shown frames at ten a second."""

    def __init__(self, **options) -> None:
        labels = options.pop("labels", ("left", "right"))
        options = {"seconds": 1.0, "countdown": 0.5} | options
        self.session = Session(labels, SessionOptions(**options))
        self.number = 0
        self.effects: list[Effect] = []

    @property
    def now(self) -> float:
        return self.number / FPS

    def show(self, n: int, hand: bool = True) -> "Played":
        for _ in range(n):
            self.number += 1
            self.effects += self.session.frame(hand, self.now)
        return self

    def press(self, *keys: str) -> "Played":
        for key in keys:
            self.effects += self.session.key(key, self.now)
        return self

    def count(self, kind: type[Effect] | Do) -> int:
        return sum(kind in (effect, type(effect)) for effect in self.effects)

    def last(self, kind: type[Effect]) -> Effect:
        return [effect for effect in self.effects if isinstance(effect, kind)][-1]

    @property
    def said(self) -> str:
        return " | ".join(effect.text for effect in self.effects if isinstance(effect, Announce))

    @property
    def state(self) -> State:
        return self.session.state


def test_whole_recording():
    played = Played()
    assert played.press("r").state is State.COUNTDOWN
    assert played.show(4).state is State.COUNTDOWN
    assert played.show(1).state is State.RECORDING
    assert played.last(Begin) == Begin("left", "sequence")
    played.show(10)
    assert played.state is State.REVIEW
    assert played.count(Do.ADD_FRAME) == 10, "one second at ten frames a second"
    assert played.last(End) == End(0, 10, 1.0, ())
    assert played.show(19).state is State.REVIEW
    assert played.count(Do.KEEP) == 0, "nothing is kept before the review is over"
    assert played.show(1).state is State.IDLE
    assert (played.count(Do.KEEP), played.count(Do.DISCARD)) == (1, 0)


@pytest.mark.parametrize("key", ["r", " ", "R"])
def test_the_key_again_stops_early(key: str):
    played = Played().press(key).show(5).show(6).press(key)
    assert played.state is State.REVIEW
    assert played.last(End) == End(0, 7, 1.0, ())


def test_frames_set_the_length():
    played = Played(seconds=0, frames=7, countdown=0).press("r").show(20)
    assert played.last(End) == End(0, 7, 1.0, ())
    assert played.count(Do.ADD_FRAME) == 7


def test_longest_recording():
    played = Played(seconds=0, countdown=0, longest=30).press("r").show(290)
    assert played.state is State.RECORDING
    assert played.show(20).state is State.REVIEW
    assert played.last(End).last == 300


def test_hand_gone_is_trimmed():
    played = Played(seconds=0, hand_gone=True, countdown=0).press("r")
    played.show(4, hand=False).show(8).show(2, hand=False).show(3).show(5, hand=False)
    assert played.state is State.RECORDING, "half a second without a hand may be a blink"
    assert played.show(1, hand=False).state is State.REVIEW
    assert played.last(End) == End(4, 17, 11 / 13, ())


def test_hand_gone_without_a_hand():
    played = Played(seconds=0, hand_gone=True, countdown=0, longest=3).press("r")
    played.show(40, hand=False)
    assert played.last(End).flags == ("no hand in 100 % of the frames",)
    assert played.session.flagged


def test_missing_hand_is_flagged():
    played = Played(countdown=0).press("r").show(8).show(2, hand=False).show(1)
    assert not played.session.flagged
    played = Played(countdown=0).press("r").show(7).show(3, hand=False).show(1)
    assert played.session.flagged
    assert "no hand in 30 % of the frames: k keeps it, u discards it" in played.said
    assert played.show(1000).state is State.REVIEW, "it waits for somebody to decide"
    assert played.press("r").state is State.REVIEW, "and does not make room for the next one"
    assert played.press("k").state is State.IDLE
    assert played.count(Do.KEEP) == 1


def test_discard_a_flagged_recording():
    played = Played(countdown=0).press("r").show(11, hand=False).press("u")
    assert (played.count(Do.KEEP), played.count(Do.DISCARD), played.state) == (0, 1, State.IDLE)


def test_few_frames_are_flagged():
    played = Played(countdown=0).press("r").show(2).press("r")
    assert played.last(End).flags == ("only 2 frames",)


def test_no_frames():
    played = Played(countdown=0, seconds=0, hand_gone=False).press("s").show(1, hand=False)
    played.press("s").show(10, hand=False)
    assert played.state is State.IDLE
    assert (played.count(End), played.count(Do.DISCARD)) == (0, 1)
    assert "no hand was detected, nothing is kept" in played.said


def test_stream_of_none():
    played = Played(countdown=0, frames=0).press("0", "r").show(1200, hand=False)
    assert played.state is State.RECORDING, "minutes, whatever the length of gestures"
    played.press("r")
    assert played.last(Begin) == Begin("none", "sequence")
    assert played.last(End) == End(0, 1200, 0.0, ())
    assert played.show(20).count(Do.KEEP) == 1
    assert Played(countdown=0).press("0", "r").show(6001).state is State.REVIEW


class TestUndo:
    def test_in_review(self):
        played = Played(countdown=0).press("r").show(11).press("u")
        assert (played.count(Do.DISCARD), played.count(Do.UNDO), played.count(Do.KEEP)) == (1, 0, 0)

    def test_when_idle(self):
        played = Played(countdown=0).press("r").show(40).press("u")
        assert (played.count(Do.KEEP), played.count(Do.UNDO)) == (1, 1)

    def test_while_recording(self):
        played = Played(countdown=0).press("r").show(5).press("u")
        assert (played.state, played.count(Do.DISCARD), played.count(End)) == (State.IDLE, 1, 0)

    @pytest.mark.parametrize("key", ["u", "r", " ", "b"])
    def test_in_the_countdown_it_stops(self, key: str):
        played = Played().press("r").show(2).press(key).show(10)
        assert (played.state, played.count(Begin)) == (State.IDLE, 0)


class TestReview:
    def test_keeping_at_once(self):
        played = Played(countdown=0).press("r").show(12).press("k")
        assert (played.state, played.count(Do.KEEP)) == (State.IDLE, 1)

    def test_next_recording_keeps_the_previous(self):
        played = Played().press("r").show(17).press("r")
        assert (played.state, played.count(Do.KEEP)) == (State.COUNTDOWN, 1)

    def test_none_at_all(self):
        played = Played(countdown=0, review=0).press("r").show(11)
        assert (played.state, played.count(Do.KEEP)) == (State.IDLE, 1)

    def test_k_when_idle_retries(self):
        assert Played().press("k").effects == [Do.RETRY]


class TestBurst:
    def test_burst(self):
        played = Played(burst=3, pause=1.0).press("b").show(5)
        assert played.state is State.RECORDING
        assert played.show(10).state is State.COUNTDOWN, "the pause"
        assert played.count(Do.KEEP) == 1
        assert played.show(9).state is State.COUNTDOWN
        assert played.show(1).state is State.RECORDING
        played.show(200)
        assert (played.count(Begin), played.count(Do.KEEP), played.state) == (3, 3, State.IDLE)

    def test_flagged_recording_pauses_it(self):
        played = Played(burst=3, countdown=0).press("b").show(11, hand=False).show(50)
        assert (played.session.flagged, played.count(Begin)) == (True, 1)
        played.press("u").show(200)
        assert (played.count(Begin), played.count(Do.KEEP)) == (3, 2)

    def test_undo_in_the_pause(self):
        played = Played(burst=2, countdown=0).press("b").show(12).press("u").show(200)
        assert (played.count(Do.UNDO), played.count(Do.KEEP)) == (1, 3)

    def test_ends_with_b(self):
        played = Played(burst=9, countdown=0).press("b").show(5).press("b").show(200)
        assert played.count(Do.KEEP) == 1

    def test_early_stop(self):
        played = Played(burst=2, countdown=0).press("b").show(7).press("r").show(200)
        assert played.count(Do.KEEP) == 2


class TestPoses:
    def test_press_twice(self):
        played = Played(sample_every=0.2).press("2", "s").show(11).press("s").show(3)
        assert played.last(Begin) == Begin("right", "pose")
        assert played.state is State.REVIEW
        assert played.last(End).last == 6, "every second frame"

    def test_sampled_while_held(self):
        played = Played(sample_every=0.0).press("s").show(5)
        for _ in range(20):  # the keyboard repeats after half a second
            played.press("s").show(1)
        assert played.state is State.RECORDING
        played.show(4)
        assert played.state is State.REVIEW
        assert played.last(End).flags == ()

    def test_frames_without_a_hand(self):
        played = Played(sample_every=0.0).press("s").show(6).show(4, hand=False).press("s")
        played.show(2)
        assert played.count(Do.ADD_FRAME) == 6 + 1
        assert played.last(End).flags == ("no hand in 36 % of the frames",)

    def test_one_sample_is_enough(self):
        played = Played(sample_every=10.0).press("s").show(3).press("s").show(3)
        assert played.last(End) == End(0, 1, 1.0, ())


class TestLabels:
    def test_choice(self):
        session = Played().session
        for key, label in (
            ("2", "right"),
            ("1", "left"),
            ("0", "none"),
            ("n", "left"),
            ("p", "none"),
            ("p", "right"),
        ):
            session.key(key, 0.0)
            assert session.labels.current == label

    def test_unknown_digit(self):
        assert "no label has the key 7" in Played().press("7").said

    def test_typed_while_it_runs(self):
        played = Played().press("+", *"wavx", "backspace", "e", " ", "2", "enter")
        assert played.session.labels.names == ["left", "right", "wave 2", "none"]
        assert played.session.labels.current == "wave 2"
        assert played.effects == [], "keys that are typed do nothing else"

    def test_more_than_ten(self):
        played = Played(labels=tuple(f"l{k}" for k in range(25)))
        played.press(*"n" * 24)
        assert played.session.labels.current == "l24"

    @pytest.mark.parametrize(
        ("typed", "why"),
        [
            ("left", "already a label"),
            ("", "empty"),
            ("unsorted", "training leaves it out"),
            ("a/b", "slash"),
            ("x" * 65, "65 char"),
        ],
    )
    def test_invalid_label(self, typed: str, why: str):
        played = Played().press("+", *typed, "enter")
        assert why in played.said
        assert played.session.labels.names == ["left", "right", "none"]

    @pytest.mark.parametrize(
        ("typed", "label"), [("LEFT", "left"), ("None", "none"), ("cafe\u0301", "Café")]
    )
    def test_existing_label_in_another_case(self, typed: str, label: str):
        played = Played(labels=("right", "left", "Café")).press("+", *typed, "enter")
        assert played.session.labels.current == label
        assert f"{label} is already a label; it is chosen" in played.said
        assert len(played.session.labels.names) == 4

    def test_accents(self):
        played = Played().press("+", *"cafe\u0301", "enter")
        assert played.session.labels.current == "caf\u00e9"

    def test_given_up(self):
        assert Played().press("+", "x", "esc").session.labels.names == ["left", "right", "none"]

    def test_not_while_recording(self):
        played = Played(countdown=0).press("r").show(3).press("+", "q")
        assert "stop the recording before" in played.said
        assert played.session.typed is None

    def test_label_of_a_running_recording(self):
        played = Played(countdown=0).press("r").show(3).press("2").show(10)
        assert played.session.recording.label == "left"
        assert played.press("r").show(1).last(Begin).label == "right"

    @pytest.mark.parametrize(
        "labels", [("a", "a"), ("a", "A"), ("None",), ("",), ("a\tb",), ("unsorted",)]
    )
    def test_invalid_labels(self, labels: tuple[str, ...]):
        with pytest.raises(HandloreError, match="label"):
            Session(labels, SessionOptions())


class TestTheEnd:
    @pytest.mark.parametrize("key", ["q", "esc"])
    def test_drops_what_is_under_way(self, key: str):
        played = Played(countdown=0).press("r").show(3).press(key)
        assert (played.count(Do.DISCARD), played.count(Do.QUIT)) == (1, 1)
        assert played.session.is_unfinished

    @pytest.mark.parametrize("way", ["q", "close", "interrupt"])
    def test_keeps_a_stream_of_none(self, way: str):
        played = Played(countdown=0).press("0", "r").show(150)
        if way == "interrupt":
            played.effects += played.session.interrupt(played.now)
        else:
            played.press(way)
        assert played.last(End) == End(0, 150, 1.0, ())
        assert played.effects[-2:] == [Do.KEEP, Do.QUIT]
        assert not played.session.is_unfinished

    def test_drops_a_short_stream(self):
        assert Played(countdown=0).press("0", "r").show(11).press("q").count(Do.KEEP) == 1
        for frames in (0, 9):
            played = Played(countdown=0).press("0", "r").show(frames).press("q")
            assert (played.count(Do.KEEP), played.count(Do.QUIT)) == (0, 1)
        assert played.session.is_unfinished

    def test_a_signal(self):
        """A gesture is not complete; what waits for a decision can be restored."""
        under_way, flagged = Played(countdown=0).press("r"), Played(countdown=0).press("r")
        assert under_way.show(5).session.interrupt(under_way.now)[0] is Do.DISCARD
        flagged.show(11, hand=False)
        assert flagged.session.interrupt(flagged.now) == [Do.KEEP, Do.UNDO, Do.QUIT]

    def test_keeps_the_reviewed_recording(self):
        played = Played(countdown=0).press("r").show(11).press("q")
        assert played.effects[-2:] == [Do.KEEP, Do.QUIT]

    def test_asks_about_flagged_recordings(self):
        played = Played(countdown=0).press("r").show(11, hand=False).press("q")
        assert played.count(Do.QUIT) == 0
        assert "k keeps the recording" in played.said
        assert (
            Played(countdown=0).press("r").show(11, hand=False).press("q", "k").count(Do.QUIT) == 0
        )
        assert played.press("q").effects[-1] == Do.QUIT
        assert (played.count(Do.KEEP), played.count(Do.DISCARD)) == (0, 1)

    def test_asks_about_unsaved_recordings(self):
        played = Played(countdown=0)
        played.session.unsaved = 3
        played.press("q")
        assert played.count(Do.QUIT) == 0
        assert "3 recordings are not written: k tries again" in played.said
        assert played.press("k").count(Do.RETRY) == 1
        assert played.press("q").count(Do.QUIT) == 0, "another key resets the question"
        assert played.press("q").effects[-1] == Do.QUIT

    def test_after_the_last_frame(self):
        played = Played(countdown=0, seconds=0).press("r").show(8).press("close")
        assert played.effects[-2:] == [Do.KEEP, Do.QUIT]
        played = Played(countdown=0, seconds=0).press("r").show(8, hand=False).press("close")
        assert played.effects[-3:] == [Do.KEEP, Do.UNDO, Do.QUIT], "it can be restored"


class TestALostCamera:
    def test_during_a_recording(self):
        played = Played(countdown=0).press("r").show(7)
        played.effects += played.session.lost(0.8)
        assert played.last(End) == End(0, 7, 1.0, ("the camera was lost",))
        assert played.session.flagged
        assert played.press("k").count(Do.KEEP) == 1

    def test_stops_the_countdown(self):
        played = Played().press("b").show(1)
        played.effects += played.session.lost(0.2)
        assert played.show(20).count(Begin) == 0

    def test_lets_the_review_go_on(self):
        played = Played(countdown=0).press("r").show(11)
        played.effects += played.session.lost(played.now + 5)
        assert played.count(Do.KEEP) == 1


def test_one_hears_the_countdown():
    played = Played(countdown=3.0).press("r").show(30)
    heard = [effect.what for effect in played.effects if isinstance(effect, Cue)]
    assert heard == ["count", "count", "count", "go"]


def test_mirror_and_help():
    session = Played().press("m", "h").session
    assert (session.mirrored, session.help) == (False, True)


def test_full_screen():
    assert Played().press("f").session.full_screen
    assert not Played().press("f", "f11").session.full_screen
    typing = Played().press("+", "f").session
    assert (typing.typed, typing.full_screen) == ("f", False)


def test_click_on_a_label():
    session = Played().press(choosing("right")).session
    assert session.labels.current == "right"
    assert Played().press(choosing("gone")).session.labels.current == "left"
    typing = Played().press("+", choosing("right")).session
    assert (typing.typed, typing.labels.current) == ("", "left")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"frames": 3, "seconds": 1.0}, "--frames and --seconds contradict"),
        ({"hand_gone": True, "seconds": 1.0}, "--until hand-gone contradict"),
        ({"countdown": -1.0}, "--countdown is -1"),
        ({"review": float("nan")}, "--review is nan"),
        ({"burst": 0}, "--burst is 0"),
        ({"most_missing": 1.5}, "--missing is 1.5"),
        ({"seconds": 61.0}, "at most 60 seconds"),
    ],
)
def test_impossible_options(options: dict, why: str):
    with pytest.raises(HandloreError, match=why):
        SessionOptions(**options)


KEYS = [*"r kubsmhnpq+012x", "esc", "enter", "backspace", "close"]


MOMENTS = st.lists(
    st.one_of(
        st.sampled_from(KEYS),
        st.tuples(
            st.sampled_from(["frame", "tick", "lost", "interrupt"]),
            st.booleans(),
            st.floats(0, 1.5),
        ),
    ),
    max_size=200,
)


OPTIONS = st.builds(
    SessionOptions,
    seconds=st.sampled_from([0.0, 0.5]),
    countdown=st.sampled_from([0.0, 1.0]),
    review=st.sampled_from([0.0, 2.0]),
    burst=st.sampled_from([1, 3]),
    pause=st.sampled_from([0.0, 1.0]),
    sample_every=st.sampled_from([0.0, 0.2]),
    longest=st.just(5.0),
    longest_stream=st.just(5.0),
)


RECORDING = (Do.ADD_FRAME, Do.KEEP, Do.DISCARD)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([(), ("a",), ("a", "b")]), OPTIONS, MOMENTS)
def test_any_keys(labels: tuple, options: SessionOptions, moments: list):
    """Begin, frames, an end, and one decision: in this order, and no flagged one kept unasked."""
    session, now, expected, taken, flagged = Session(labels, options), 0.0, {Begin}, 0, False
    for moment in moments:
        before, was_typing = session.state, session.typed is not None
        if isinstance(moment, str):
            effects = session.key(moment, now)
        else:
            what, hand, passed = moment
            now += passed
            effects = session.frame(hand, now) if what == "frame" else getattr(session, what)(now)
        for effect, after in pairwise([*effects, None]):
            if not (isinstance(effect, Begin | End) or effect in RECORDING):
                continue
            assert (effect if isinstance(effect, Do) else type(effect)) in expected
            match effect:
                case Begin():
                    expected, taken = {Do.ADD_FRAME, End, Do.DISCARD}, 0
                case Do.ADD_FRAME:
                    taken += 1
                case End(first, last, share, flags):
                    assert 0 <= first < last <= taken
                    assert 0 <= share <= 1
                    expected, flagged = {Do.KEEP, Do.DISCARD}, bool(flags)
                case Do.KEEP:
                    assert not flagged or moment == "k" or after is Do.UNDO
                    expected = {Begin}
                case Do.DISCARD:
                    ended = Do.KEEP in expected
                    assert not ended or flagged or moment == "u"
                    expected = {Begin}
        assert (session.state in (State.RECORDING, State.REVIEW)) == (expected != {Begin})
        assert (session.recording is None) == (expected == {Begin})
        if was_typing and isinstance(moment, str) and moment != "close":
            assert session.state is before
        if Do.QUIT in effects:
            assert session.state is State.IDLE
            break

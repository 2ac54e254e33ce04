"""Which detector is opened, and what is said where none can be."""

import platform

import pytest

from handlore.landmarks.detector import DetectorOptions
from handlore.landmarks.detectors import mediapipe
from handlore.landmarks.detectors.litert import detector as litert
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.opening import choose_detector, detector_problems, open_detector


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Pretend to be another computer: its system, processor flags and installed packages."""

    def be(system="Linux", arch="x86_64", flags="", installed=("mediapipe", "ai_edge_litert")):
        cpu_info = tmp_path / "cpuinfo"
        cpu_info.write_text(f"processor : 0\nFeatures : {flags}\n")
        monkeypatch.setattr(platform, "system", lambda: system)
        monkeypatch.setattr(platform, "machine", lambda: arch)
        monkeypatch.setattr(mediapipe, "CPU_INFO", cpu_info)
        for module in (mediapipe, litert):
            monkeypatch.setattr(
                module, "find_spec", lambda name: object() if name in installed else None
            )

    return be


def test_a_laptop_takes_mediapipe_for_pictures_and_litert_for_video(machine):
    machine()
    assert choose_detector().name == "mediapipe"
    assert choose_detector(video=True).name == "litert"


@pytest.mark.parametrize("flags", ["fp asimd evtstrm crc32", "fp asimd atomics"])
def test_arm_linux_takes_litert_whatever_its_processor(machine, flags):
    machine(arch="aarch64", flags=flags)
    assert choose_detector().name == "litert"
    assert choose_detector(video=True).name == "litert"


def test_mediapipe_is_refused_where_it_would_kill_the_process(machine):
    machine(arch="aarch64", flags="fp asimd evtstrm")
    with pytest.raises(HandloreError, match=r"lacks the `atomics` .*use --detector litert"):
        choose_detector("mediapipe")


def test_a_word_within_another_word_is_no_processor_flag(machine):
    machine(arch="aarch64", flags="fp noatomics")
    assert detector_problems()["mediapipe"] is not None


def test_mediapipe_may_be_asked_for_on_a_processor_that_can_run_it(machine):
    machine(arch="aarch64", flags="fp asimd atomics")
    assert choose_detector("mediapipe").name == "mediapipe"


def test_without_mediapipe_litert_takes_its_place(machine):
    machine(installed=("ai_edge_litert",))
    assert choose_detector().name == "litert"
    with pytest.raises(HandloreError, match="mediapipe cannot run here: it is not installed; `pip"):
        choose_detector("mediapipe")


def test_with_neither_the_message_names_both_and_the_remedy(machine):
    machine(installed=())
    with pytest.raises(HandloreError, match=r"mediapipe: it is not .*litert: it is not .*`pip"):
        choose_detector()


def test_an_unknown_detector_lists_the_known_ones():
    with pytest.raises(
        HandloreError, match=r"unknown detector 'yolo'\. Known: auto, litert, mediapipe"
    ):
        choose_detector("yolo")


@pytest.mark.parametrize(
    ("options", "match"),
    [({"max_hands": 3}, "1 or 2 hands"), ({"detector": "magic"}, "Known: auto, .*mediapipe")],
)
def test_options_that_make_no_sense_are_refused(options, match):
    with pytest.raises(HandloreError, match=match):
        open_detector(DetectorOptions(**options))


def test_the_bundle_named_in_the_options_is_the_one_used(tmp_path):
    with pytest.raises(HandloreError, match=r"missing\.task.* is not a file"):
        open_detector(DetectorOptions(bundle=tmp_path / "missing.task"))

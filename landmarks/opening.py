"""Choosing and opening a hand detector."""

from dataclasses import dataclass, replace
from typing import cast

from .chosen import ChosenHandDetector, HandChoice
from .detector import DetectorInfo, DetectorOptions, HandDetector, Talk
from .detectors import DETECTORS
from .errors import HandloreError
from .registry import unknown_name


@dataclass(frozen=True)
class DetectorChoice:
    """The detector that is used, and why."""

    name: str
    reason: str


def choose_detector(wanted: str = "auto", *, video: bool = False) -> DetectorChoice:
    """Choose a detector: the best one under ``auto``, else the one of :data:`DETECTORS` wanted.

    In ``video`` it matters where a lost hand is looked for and when the palm detector runs, which
    can be controlled in ``litert`` only; and a video has to give the same landmarks as a camera.
    If none can run here, HandloreError says why and what to do.
    """
    if wanted != "auto":
        if wanted not in DETECTORS:
            raise unknown_name("detector", wanted, ["auto", *DETECTORS])
        problem = DETECTORS[wanted].problem()
        if problem:
            raise HandloreError(f"the detector {wanted} cannot run here: {problem}")
        return DetectorChoice(wanted, "it was asked for")
    ranks = {name: kind.preference(video=video) for name, kind in DETECTORS.entries().items()}
    names = sorted((name for name in ranks if ranks[name][0] > 0), key=lambda name: -ranks[name][0])
    problems = detector_problems()
    for name in names:
        if problems[name] is None:
            reason = ranks[name][1] if name == names[0] else f"{names[0]} cannot run here"
            return DetectorChoice(name, reason)
    causes = "; ".join(f"{name}: {problems[name]}" for name in names)
    raise HandloreError(f"no hand detector can run here ({causes})")


def detector_problems() -> dict[str, str | None]:
    """Return for each detector why it cannot run on this computer; None where it can."""
    return {name: kind.problem() for name, kind in DETECTORS.entries().items()}


def open_detector(
    options: DetectorOptions | None = None, *, talk: Talk | None = None
) -> HandDetector:
    """Open the detector that the options ask for, fetching its networks if need be.

    Parameters
    ----------
    options
        Default: one hand, full landmarks, the best detector for this machine.
    talk
        Receives a line when the networks have to be fetched.

    Raises
    ------
    HandloreError
        If the detector cannot run here, or its networks are not to be had.

    Examples
    --------
    >>> pixels, _ = handlore.read_picture("photo.png")
    >>> with handlore.open_detector() as detector:
    ...     [hand.side for hand in detector.detect(pixels)]
    ['right']
    """
    options = options or DetectorOptions()
    choice = choose_detector(options.detector, video=options.video)
    if not options.hand:
        return DETECTORS[choice.name].open(options, talk)
    both = replace(options, hand="", max_hands=2)
    return ChosenHandDetector(
        DETECTORS[choice.name].open(both, talk), cast(HandChoice, options.hand)
    )


def detector_info(
    options: DetectorOptions | None = None, *, talk: Talk | None = None
) -> DetectorInfo:
    """Say which detector :func:`open_detector` would open, at the price of reading its bundle.

    A process that only hands out work to others needs no networks in memory.
    """
    options = options or DetectorOptions()
    choice = choose_detector(options.detector, video=options.video)
    return DETECTORS[choice.name].described(options, talk)

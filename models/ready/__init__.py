"""The models that come with handlore, by name.

Each has three files beside this one: ``NAME.onnx``, the model; ``NAME.npz``, some of the landmarks
that it was trained on, for ``train --base``; and ``NAME.md``, its card. ``make models`` makes all
of them (:mod:`handlore.classifiers.recipes`).
"""

from dataclasses import dataclass
from pathlib import Path

from handlore.datasets.dataset import NONE_LABEL
from handlore.datasets.kinds import READY_MODEL, Kind
from handlore.landmarks.errors import nearest, shell_line, unknown_name
from handlore.landmarks.files import as_path, no_file, similar_files

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class ReadyModel:
    """A model that comes with handlore, or can be made from a known data set."""

    name: str
    kind: Kind
    summary: str
    gestures: tuple[str, ...]
    """Its labels, without ``none``."""
    data: str
    """What it is trained on, and who made that."""
    licence: str
    """Of the model and of the landmarks beside it."""
    weaknesses: tuple[str, ...]
    has_none: bool = True
    """Whether it has learnt ``none``."""
    shipped: bool = True
    """Whether it comes with handlore; else only ``handlore models build`` makes it."""
    n_samples: int = 0
    """Pictures or clips that it is trained on; 0: not known."""

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels of the model, sorted."""
        return tuple(sorted([*self.gestures, *([NONE_LABEL] if self.has_none else [])]))

    @property
    def path(self) -> Path:
        """The model file."""
        return _FOLDER / f"{self.name}.onnx"

    @property
    def examples(self) -> Path:
        """Landmarks that it was trained on, a dataset."""
        return self.path.with_suffix(".npz")

    @property
    def card(self) -> Path:
        """Its data, licence, scores and weaknesses, as Markdown."""
        return self.path.with_suffix(".md")


_LETTERS = tuple("abcdefghijklmnopqrstuvwxyz")

KNOWN_MODELS: dict[str, ReadyModel] = {
    one.name: one
    for one in (
        ReadyModel(
            "everyday",
            "pose",
            "everyday hand signs, for one hand",
            (
                *("call", "dislike", "fist", "like", "mute", "ok", "one", "palm", "peace", "rock"),
                *("stop", "stop_inverted"),
            ),
            "10,647 hands of thousands of people from HaGRID (Kapitanov et al. 2024,"
            " https://github.com/hukenovs/hagrid)",
            "CC BY-SA 4.0, in HaGRID's variant",
            (
                "the people in the photos are not named, so some may be in training and test",
                "the photos show a hand in front of a webcam or phone, mostly upright and indoors",
                "other signs of one or two fingers may be confused with `one` and `peace`",
                "palm, stop and stop_inverted differ by closed fingers and direction only",
            ),
            n_samples=10_647,
        ),
        ReadyModel(
            "movements",
            "sequence",
            "swipes, zooms and clicks in the air, for one hand",
            (
                *("swipe_left", "swipe_right", "swipe_up", "swipe_down", "zoom_in", "zoom_out"),
                *("click", "double_click", "open_twice"),
            ),
            "886 clips of 16 people from IPN Hand (Benitez-Garcia et al. 2020,"
            " https://gibranbenitez.github.io/IPN_Hand/)",
            "CC BY 4.0",
            (
                "clicks and zooms are small movements: they need a hand near the camera",
                "the people sat in front of a laptop; other distances and angles are untested",
                "left and right are the person's own: reversed in a picture that is not mirrored",
            ),
            n_samples=886,
        ),
        ReadyModel(
            "digits",
            "pose",
            "the digits 0 to 9 of (Turkish) sign language, for one hand",
            tuple("0123456789"),
            "2,060 photos of 218 pupils from Sign Language Digits (Ankara Ayranci Anadolu High"
            " School, https://github.com/ardamavi/Sign-Language-Digits-Dataset)",
            "Apache-2.0",
            (
                "it has not learnt `none`: other hands are rejected by their novelty score alone",
                "which photos show one pupil is unknown, so people are in training and test",
                "other sign languages have other digits",
            ),
            has_none=False,
            n_samples=2_060,
        ),
        ReadyModel(
            "asl-letters",
            "pose",
            "the letters of the American fingerspelling alphabet, as still hands",
            _LETTERS,
            "the letters of the Massey University Gesture Dataset 2012 (Barczak et al. 2011)",
            "for research only, as its data are",
            (
                "j and z are movements, here their last hand shape",
                "three hands in front of black: other data sets are recognised much worse",
            ),
            has_none=False,
            shipped=False,
        ),
    )
}
"""All models that have a recipe, by name."""

READY_MODELS = {name: one for name, one in KNOWN_MODELS.items() if one.shipped}
"""Those that come with handlore."""

LIVE_MODELS = tuple(READY_MODEL.values())
"""What live recognition uses unless models are named."""


def is_ready(model: object) -> bool:
    """Return whether a text is the name of a model that comes with handlore; paths are none."""
    return isinstance(model, str) and model in READY_MODELS


def model_path(model: str | Path) -> Path:
    """Return the file of a model: a name means one that comes with handlore, or else a path.

    >>> model_path("everyday").name, str(model_path("./everyday"))
    ('everyday.onnx', 'everyday')
    """
    path = as_path(model, "a model file, or the name of a model that comes with handlore")
    return READY_MODELS[str(model)].path if is_ready(model) else path


def known_model(name: str) -> ReadyModel:
    """Return a model by name; HandloreError lists the names if there is none."""
    if name not in KNOWN_MODELS:
        raise unknown_name("ready-made model", name, KNOWN_MODELS)
    return KNOWN_MODELS[name]


def no_model(path: Path, ending: str = ".onnx") -> str:
    """Say that there is no model file, and which name or file may have been meant."""
    if path.name != str(path) or path.suffix:
        return no_file(path, ending)
    there = f"there is no file {path}"
    if path.name in KNOWN_MODELS:
        build = shell_line("handlore", "models", "build", path, "DATA", "--out", f"{path}.onnx")
        return f"{there}; `{build}` makes one"
    ready, beside = nearest(path.name, READY_MODELS), similar_files(path, ending)
    known = [f"{ready}, which comes with handlore"] if ready else []
    if known or beside:
        return f"{there}; did you mean {', or '.join([*known, *([beside] if beside else [])])}?"
    return f"{there}; handlore comes with: {', '.join(READY_MODELS)}"

"""What names of folders mean that name no gesture: splits, containers, people, sessions, clips.

And why labels that were read from folders may not be what anybody meant, and what may be meant.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from ..dataset import listed
from ..files import spread

SPLITS = {
    **dict.fromkeys(("train", "training", "trainset", "trainingset"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "validate", "dev", "valset"), "val"),
    **dict.fromkeys(("test", "testing", "testset", "eval", "evaluation"), "test"),
}
"""Names of folders that set the split, in small letters."""


def split_in(name: str) -> str:
    """Return the split that a word of a name means, X_train; empty if none or several do."""
    splits = {SPLITS[word] for word in re.split(r"[\W\d_]+", name.lower()) if word in SPLITS}
    return splits.pop() if len(splits) == 1 else ""


_IN_FOLDERS = """
image images img imgs picture pictures pic pics photo photos video videos vid vids clip clips data
dataset datasets frame frames raw rgb color colour sample samples file files input inputs all
archive media original originals processed preprocessed cropped resized content gesture gestures
hand hands sign signs alphabet alphabets dynamic static export recordings sequence sequences
recording release new folder set split splits class classes category categories action actions jpg
jpeg png avi gif
"""
_CONTAINERS = frozenset(_IN_FOLDERS.split())
"""Words that say what is in a folder, and name no gesture."""

_FROM_CAMERAS = "mvi dsc dscn dscf gopr win pxl screenshot whatsapp mov cimg pict"
_CAMERAS = frozenset(_FROM_CAMERAS.split())
"""What cameras and phones put before the number of a file."""

_ALSO_SIGNS = frozenset(
    ("photo", "picture", "video", "clip", "hand", "sign", "action", "color", "colour", "new", "all")
)
"""Containers that gestures and signs are named after, too."""

_IN_PROJECTS = """
docs doc assets screenshots results result output outputs figures plots demo demos examples logs log
src code notebooks templates public misc tmp temp backup model models
"""
_BESIDE_DATA = frozenset(_IN_PROJECTS.split())
"""What is beside the data in a project."""

_BESIDE_PICTURES = """
mask masks depth ir infrared annotation annotations labels segmentation segmentations flow skeleton
skeletons keypoints groundtruth gt thermal
"""
_MODALITIES = frozenset(_BESIDE_PICTURES.split())
"""Other views of the same pictures, which are left out where the pictures are beside them."""

_PEOPLE = (
    "subject|subj|sub|sbj|person|pers|user|usr|signer|participant|volunteer|actor|performer|people"
    "|human|individual|speaker|student|member|tester|contributor|hand|donor|p|s|u|id"
)
_SESSIONS = (
    "session|sess|ses|day|take|round|trial|scene|set|batch|camera|cam|view|env|environment"
    "|lighting|part|run|repetition|rep|illumination|location|room"
)
_CLIPS = "seq|sequence|clip|video|vid|sample|instance|frames?|rgb|img|image|file|example|rec|v"


class Pattern(Enum):
    """Kinds of names with a number."""

    PERSON = re.compile(rf"((?:{_PEOPLE})[ _-]?\d+[a-z]?)(?:[_-][a-z]*\d+)?", re.IGNORECASE)
    SESSION = re.compile(
        rf"(?:{_SESSIONS})[ _-]?\d+[a-z]?|\d{{4}}(?:[-_]\d\d){{2}}.*", re.IGNORECASE
    )
    CLIP = re.compile(
        rf"(?:{_CLIPS})[ _-]?\d+|.*\d{{6,}}.*|\d{{4,}}|\d+(?:[_-]\d+)+|[0-9a-f-]{{16,}}",
        re.IGNORECASE,
    )
    NUMBER = re.compile(r"\d+")
    SPLIT = re.compile("|".join(SPLITS), re.IGNORECASE)

    def covers(self, names: Collection[str]) -> bool:
        """Say whether all names are of this kind, and there is one."""
        return bool(names) and all(self.value.fullmatch(name) for name in names)


WHO_AND_WHEN = (Pattern.PERSON, Pattern.SESSION)

_MEANINGS = {
    Pattern.PERSON: "people",
    Pattern.SESSION: "sessions",
    Pattern.CLIP: "numbers of recordings",
}
"""What labels look like if all of them are of a kind; numbers may be gestures."""


def letters(name: str) -> str:
    """Return the letters and digits of a name, in small letters."""
    return "".join(char for char in name.casefold() if char.isalnum())


def _words(name: str) -> list[str]:
    """Return the words in a name, in small letters, without numbers."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return [word.lower() for word in re.split(r"[\W\d_]+", apart) if word]


def is_container(name: str, around: Collection[str] = ()) -> bool:
    """Say whether a name says what is in a folder: images, new_data, or repeats one around it.

    Names with numbers are one of many: class_01, gesture_2.
    """
    found = set(_words(name))
    same = len(letters(name)) > 3 and letters(name) in around
    numbered = any(char.isdigit() for char in name)
    return same or (bool(found) and not numbered and found <= _CONTAINERS)


def is_modality(name: str) -> bool:
    """Say whether a name is that of another view of pictures: masks, depth_images."""
    found = set(_words(name))
    return bool(found & _MODALITIES) and found <= _MODALITIES | _CONTAINERS


def _names_no_gesture(name: str, around: Collection[str] = ()) -> bool:
    """Say whether a name is that of a split or a container, or says that it is a data set."""
    found = set(_words(name))
    return (
        name.lower() in SPLITS
        or is_container(name, around)
        or is_modality(name)
        or bool(found & {"dataset", "datasets"})
        or (bool(found) and found <= _BESIDE_DATA)
        or (bool(found) and found <= _CAMERAS)
        or _split_of(name)[0] != ""
    )


def are_padded(names: Collection[str]) -> bool:
    """Say whether all names are numbers, written with noughts before them: 00, 01."""
    return Pattern.NUMBER.covers(names) and any(n.startswith("0") and len(n) > 1 for n in names)


def _people_in(names: Collection[str]) -> bool:
    """Say whether all names have a person at the same place among their words: p01_wave."""
    parts = [re.split(r"[_ .-]+", name) for name in names]
    ends = [({one[k] for one in parts if len(one) > 1}, k) for k in (0, -1)]
    whole = all(len(one) > 1 for one in parts)
    return whole and any(len(who) > 1 and Pattern.PERSON.covers(who) for who, _ in ends)


def _is_also_a_word(name: str) -> bool:
    """Say whether a name of containers may be that of a sign among many others: photo, video."""
    return set(_words(name)) <= _ALSO_SIGNS


def splits_in(names: Collection[str]) -> dict[str, str]:
    """Return the names that are splits, and which: train, test_images, asl_train beside asl_test.

    A word beside the split's must be the same in all of them, or it belongs to a gesture.
    """
    read = {name: _split_of(name) for name in names}
    rests = Counter(rest for split, rest in read.values() if split)
    alone = len(names) == 1
    bare = any(split and not rest for split, rest in read.values())
    leading = {name for name in names if bare and _words(name)[:1] and _words(name)[0] in SPLITS}
    plain = {letters(name) for name, (split, _) in read.items() if not split}
    splits = {
        name: split
        for name, (split, rest) in read.items()
        if split
        and (not rest or alone or name in leading or rests[rest] > 1 or letters(rest) in plain)
    }
    tested = {letters(read[name][1]) for name, split in splits.items() if split != "train"}
    # rps beside rps-test-set is for training.
    return splits | {name: "train" for name in names if letters(name) in tested - {""}}


_PREFIX = re.compile(r"(train_val|train|val|test)[_-](?=\w)")


def without_split(name: str) -> tuple[str, str]:
    """Return the split that a name begins with, and the rest: train_val_call is call."""
    match = _PREFIX.match(name)
    return (SPLITS[match[1].split("_")[0]], name[match.end() :]) if match else ("", name)


def _split_of(name: str) -> tuple[str, str]:
    """Return the split in a name, and the other words that are no container's."""
    found = _words(name)
    splits = {SPLITS[word] for word in found if word in SPLITS}
    rest = [word for word in found if word not in SPLITS and word not in _CONTAINERS]
    return (splits.pop(), " ".join(rest)) if len(splits) == 1 else ("", "")


_MANY = 50
"""So many labels are a vocabulary, in which train, test, picture and video are signs."""


def why_unclear(labels: Iterable[str], root: str = "") -> str:
    """Say why labels that were read from folders may not be what anybody meant."""
    found = sorted(set(labels))
    if not found:
        return "no folder names a gesture"
    if len(found) == 1:
        return f"everything would get one label, {found[0]}"
    odd = [name for name in found if _names_no_gesture(name, {letters(root)})]
    plain = [name for name in odd if not _is_also_a_word(name)]
    if len(found) < _MANY and (plain or 4 * len(odd) > len(found)):
        return f"{listed(plain or odd)} would become labels"
    repeated = _numbered_alike(found) or spelled_alike(found)
    if repeated and len(found) < _MANY:
        return f"{listed(repeated)} would become different labels"
    if _people_in(found):
        return f"the labels would be {listed(found)}, in which people are named"
    if are_padded(found):
        return f"the labels would be {listed(found)}, which look like numbers of people or clips"
    for kind, what in _MEANINGS.items():
        if kind.covers(found):
            return f"the labels would be {listed(found)}, which look like {what}"
    return ""


def spelled_alike(labels: Iterable[str]) -> list[str]:
    """Return words that differ only in capitals and signs: Thumbs_up and thumbs up, OK and ok.

    Letters may, a and A, and so may numbers, 1-2 and 12.
    """
    same = defaultdict(list)
    for label in labels:
        same[re.sub(r"[ _-]", "", label.casefold())].append(label)
    words = (found for key, found in same.items() if len(key) > 1 and not key.isdigit())
    return [one for found in words if len(found) > 1 for one in found]


def _numbered_alike(labels: Sequence[str]) -> list[str]:
    """Return labels that differ only in their number, where others have other words."""
    stems = defaultdict(list)
    for label in labels:
        stems[re.sub(r"[ _-]*\(?\d+\)?$", "", label)].append(label)
    alike = [label for same in stems.values() if len(same) > 1 for label in same]
    counted = len(stems) > 1 and "" not in stems and 2 * len(stems) <= len(labels) + 1
    return alike if counted else []


_MOST = 5000

_STEM = r"(?P<label>[^/]+?)[ _-]*\d*(?:\.\w+)?$"
"""The name of the file, without the number at its end."""

_PERSON_AND_LABEL = (
    r"(?:^|/)(?P<group>[A-Za-z]+\d+)[ _-](?P<label>[^/]+?)[ _-]*\d*(?:\.\w+)?$",
    r"(?:^|/)(?P<label>[^/]+?)[ _-](?P<group>[A-Za-z]+\d+)(?:[ _-]\d+)?(?:\.\w+)?$",
)
"""The person before or behind the label."""

_WORD = r"(?:^|/)(?P<label>[^\W_]+)[^/]*$"
"""The first word of the file's name."""


@dataclass(frozen=True)
class LabelReading:
    """One way to read the labels of a folder, as the options that ask for it."""

    options: Mapping[str, str]
    labels: Sequence[str]


def likely_readings(files: Sequence[str]) -> list[LabelReading]:
    """Return the two likeliest ways to read labels from paths, the best first.

    Each level of folders that (nearly) all files have is one, the name of the file another, and
    one label for everything the last. Of many files a sample is looked at.
    """
    files = spread(files, _MOST)
    named = [pattern for pattern in _PERSON_AND_LABEL if _people(files, pattern)]
    patterns = [_level(files, depth) for depth in range(_depth(files))] + [*named, _STEM]
    found = [(pattern, _labels(files, pattern)) for pattern in patterns]
    ranked = sorted(found, key=lambda one: -_worth(one[1], len(files)))
    readings = [
        LabelReading({"name_pattern": pattern}, labels)
        for pattern, labels in ranked
        if _worth(labels, len(files)) > 0
        and not (pattern == _STEM and Pattern.NUMBER.covers(labels))
    ]
    one = next((labels[0] for _, labels in found if len(labels) == 1), "NAME")
    word = LabelReading({"name_pattern": _WORD}, _labels(files, _WORD))
    return [*readings, LabelReading({"label": one}, [one]), word][:2]


def _depth(files: Sequence[str]) -> int:
    depths = sorted(len(file.split("/")) - 1 for file in files)
    return depths[len(depths) // 10] if depths else 0


def _level(files: Sequence[str], depth: int) -> str:
    """Return the pattern of a level of folders; people above it become the group."""
    levels = [
        {parts[level] for file in files if len(parts := file.split("/")) > depth + 1}
        for level in range(depth)
    ]
    group = next((k for k, names in enumerate(levels) if Pattern.PERSON.covers(names)), -1)
    above = ("(?P<group>[^/]+)/" if level == group else "[^/]+/" for level in range(depth))
    return f"^{''.join(above)}(?P<label>[^/]+)/"


def _labels(files: Sequence[str], pattern: str) -> list[str]:
    matches = (re.search(pattern, file) for file in files)
    return sorted({match["label"] for match in matches if match})


def _people(files: Sequence[str], pattern: str) -> bool:
    """Say whether a pattern finds people in all names."""
    matches = [re.search(pattern, file) for file in files]
    found = {match["group"] for match in matches if match}
    return all(matches) and len(found) > 1 and Pattern.PERSON.covers(found)


def _worth(labels: Sequence[str], n_files: int) -> float:
    """Return how likely labels are: few, and named like gestures; 0 = they cannot be labels."""
    if len(labels) < 2:
        return 0.0
    odd = sum(_names_no_gesture(label) for label in labels) / len(labels)
    index = any(kind.covers(labels) for kind in _MEANINGS) or _people_in(labels)
    each = 2 * len(labels) > n_files > 2
    return 2.0 - odd - 0.5 * index - 0.6 * each

"""What the folders and the name of a file say: label, person, session, and train or test."""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any
from unicodedata import normalize

from handlore.landmarks.errors import counted

from ..dataset import listed
from . import words
from .words import SPLITS, Pattern, why_unclear

_ORDER = re.compile(r"(\d+)(?:[_-]+|\.\s*|\s+-\s+)(?=\D)")
_IN_NAME = re.compile(r"(?:[ _-]*(?:test|\d+|\(\d+\)))+$", re.IGNORECASE)


@dataclass(frozen=True)
class _Place:
    """What the folders of a file say about it."""

    label: str = ""
    group: str = ""
    session: str = ""
    split: str = ""


@dataclass
class _File:
    """A file on the way down through its folders."""

    name: str
    rest: list[str]
    """The folders that nothing is known of yet."""

    place: _Place
    left_out: bool = False


class _Folders:
    """Labels, people, sessions and splits in the folders of a source's files.

    Folders are read from the top, all files at once, because only folders side by side show what
    they are: splits, people, gestures, or nothing but a wrapper.

    Parameters
    ----------
    files
        The files relative to the source's folder, with forward slashes.
    root
        The name of the source's folder.
    """

    def __init__(self, files: Sequence[str], root: str = "") -> None:
        self._around = {words.letters(root)}
        """Names of the folders around all others; repeated inside, they are no labels."""
        self.notes: list[str] = []
        """What was decided."""
        found = [_File(file, file.split("/")[:-1], _Place()) for file in files]
        deep = [one for one in found if one.rest]
        while self._step_over(_open(deep)) or _people_above(_open(deep)):
            pass
        level = _open(deep)
        self.doubt = _two_readings(level)
        """Why the labels may not be what anybody meant; nothing where that is clear."""
        in_splits = {one.name for one in level if one.place.split}
        self._label(level)
        self._leave_out_beside(level, in_splits)
        self.doubt = self.doubt or _nothing_in_common(level)
        self._leave_out_foreign(deep)
        self._read_names([one for one in deep if not (one.place.label or one.left_out)], level)
        self._places = {one.name: one.place for one in found}
        self.left_out = {one.name for one in found if one.left_out}
        """Files that belong to nothing: masks beside pictures, unlabelled pictures for tests."""

    def place(self, file: str) -> _Place:
        """Return what the folders of a file say; without a label if there is none."""
        return self._places[file]

    def _step_over(self, files: Sequence[_File]) -> bool:
        """Take one folder off the files where it is a split, a container or the only one."""
        names = {one.rest[0] for one in files}
        splits = words.splits_in(names)
        chosen = {
            name for name in names if name in splits or words.is_container(name, self._around)
        }
        chosen |= _hold_their_siblings(files) | self._copies(names, files)
        chosen |= {name for name in names if words.is_modality(name)} if chosen else set()
        if _is_wrapper(names, files) and not chosen:
            chosen = names
            self._around |= {words.letters(name) for name in names}
            self.notes.append(f"the folder {next(iter(names))} around all others is not a label")
        if any(one.rest[0] not in chosen and len(one.rest) == 1 for one in files):
            # Beside folders of gestures these may be gestures, too, if files are directly in them.
            chosen -= {one.rest[0] for one in files if len(one.rest) == 1}
        pictures = {name for name in chosen if not words.is_modality(name)}
        taken = [_take(one, splits, pictures) for one in files if one.rest[0] in chosen]
        return any(taken)

    def _copies(self, names: set[str], files: Sequence[_File]) -> set[str]:
        """Return the names of a data set that is there twice: leapGestRecog, leapgestrecog."""
        letters = {words.letters(name) for name in names}
        short = any(len(name) < 4 for name in letters)
        if len(names) < 2 or len(letters) > 1 or short or any(len(f.rest) < 2 for f in files):
            return set()
        self._around |= letters
        return names

    def _label(self, level: Sequence[_File]) -> None:
        names = {one.rest[0] for one in level}
        if names and all(words.without_split(name)[0] for name in names):
            for one in level:
                split, one.rest[0] = words.without_split(one.rest[0])
                one.place = replace(one.place, split=one.place.split or split)
        plain = _without_order({one.rest[0] for one in level})
        if plain:
            was, now = min(plain.items())
            self.notes.append(
                f"numbers before names of folders are not part of the label, such as {was}: {now}"
            )
        for one in level:
            name = one.rest.pop(0)
            one.place = replace(one.place, label=plain.get(name, name))
            _read_below(one)

    def _leave_out_beside(self, level: Sequence[_File], in_splits: set[str]) -> None:
        """Leave out what is beside the splits and is no label in them: docs, assets."""
        trained = {f.place.label for f in level if f.name in in_splits and f.place.split == "train"}
        beside = [one for one in level if one.name not in in_splits]
        foreign = {one.place.label for one in beside}
        if len(trained) < 2 or not foreign or foreign & trained:
            return
        self.notes.append(
            f"folders beside those of the splits are left out: {listed(sorted(foreign))}"
        )
        for one in beside:
            one.place, one.left_out = _Place(), True

    def _leave_out_foreign(self, files: Sequence[_File]) -> None:
        """Take back labels of tests that nothing is trained with: their folders are no labels."""
        by_split = defaultdict(set)
        for one in files:
            by_split[one.place.split].add(one.place.label)
        trained = by_split["train"] - {""}
        for split in ("test", "val"):
            foreign = by_split[split] - {""}
            if len(trained) > 1 and len(foreign) == 1 and not foreign & trained:
                for one in files:
                    if one.place.split == split:
                        one.place = replace(one.place, label="")

    def _read_names(self, files: Sequence[_File], level: Sequence[_File]) -> None:
        """Read labels in the names of test pictures, A_test.jpg; leave out what has none."""
        known = {one.place.label for one in level if one.place.split == "train"} - {""}
        tested = (one.name for one in files if one.place.split in ("val", "test"))
        labels = {name: _label_in_name(name, known) for name in tested}
        readable = bool(labels) and all(labels.values())
        if readable and known:
            first = min(labels)
            self.notes.append(
                f"labels of {counted(len(labels), 'file')} are read from names, such as {first}:"
                f" {labels[first]}"
            )
        for one in files:
            label = labels.get(one.name, "") if readable else ""
            one.place = replace(one.place, label=label)
            one.left_out = not label and bool(known)


def _open(files: Sequence[_File]) -> list[_File]:
    return [one for one in files if one.rest and not one.left_out]


def _is_wrapper(names: set[str], files: Sequence[_File]) -> bool:
    """Say whether all files are in one folder that holds nothing but folders of gestures."""
    if len(names) != 1 or any(len(one.rest) < 2 for one in files):
        return False
    below = {one.rest[1] for one in files}
    if any(kind.covers(names) for kind in words.WHO_AND_WHEN):
        return False
    if Pattern.SPLIT.covers(below) or all(len(one.rest) > 2 for one in files):
        return True
    if Pattern.NUMBER.covers(below):
        return len(below) > 4 or any(int(name) == 0 for name in below)
    return not any(kind.covers(below) for kind in Pattern)


def _hold_their_siblings(files: Sequence[_File]) -> set[str]:
    """Return the folders that hold nothing but folders named as the ones beside them."""
    inside = defaultdict(set)
    for one in files:
        inside[one.rest[0]].add(one.rest[1] if len(one.rest) > 1 else "")
    return {name for name, below in inside.items() if len(below) > 1 and below < set(inside)}


def _take(one: _File, splits: Mapping[str, str], pictures: set[str]) -> bool:
    """Take a folder off a file; nothing happens if it contradicts its split."""
    name = one.rest[0]
    split = splits.get(name, one.place.split)
    if one.place.split not in ("", split):
        return False
    one.rest.pop(0)
    one.place = replace(one.place, split=split)
    one.left_out = name not in pictures
    return True


def _people_above(files: Sequence[_File]) -> bool:
    """Take a folder off that names the person or the session, where labels are below it."""
    if not files or any(len(one.rest) < 2 for one in files):
        return False
    names, below = {one.rest[0] for one in files}, {_next(one) for one in files}
    if Pattern.PERSON.covers(names) or _are_numbered_people(names, below):
        column = "group"
    elif Pattern.SESSION.covers(names):
        column = "session"
    else:
        return False
    if any(getattr(one.place, column) for one in files):
        return False
    for one in files:
        one.place = replace(one.place, **{column: one.rest.pop(0)})
    return True


def _next(one: _File) -> str:
    """Return the folder below the first one of a file, splits in between passed over."""
    below = one.rest[1:]
    while len(below) > 1 and below[0].lower() in SPLITS:
        below = below[1:]
    return below[0]


def _are_numbered_people(names: set[str], below: set[str]) -> bool:
    """Say whether folders 00, 01, 02 are people: folders of gestures are below them."""
    kinds = (Pattern.PERSON, Pattern.SESSION, Pattern.SPLIT)
    padded = words.are_padded(names)
    if any(kind.covers(below) for kind in kinds):
        return False
    return padded and (not Pattern.NUMBER.covers(below) or words.are_padded(below))


def _two_readings(level: Sequence[_File]) -> str:
    """Say what is in doubt where many folders hold folders of the same names."""
    inside = defaultdict(set)
    for one in level:
        if len(one.rest) > 1:
            inside[_next(one)].add(one.rest[0])
    shared = sorted(name for name, above in inside.items() if len(above) > 1)
    above = sorted({one.rest[0] for one in level})
    numbers = all(re.fullmatch(r"\d+", name) for name in (*shared, *above))
    known = numbers or not any(kind.covers(shared) for kind in Pattern)
    if len(shared) < 2 or Pattern.SPLIT.covers(shared) or not known:
        return _themes(level)
    return f"{listed(above)} hold the same folders, {listed(shared)}: either may be the labels"


def _themes(level: Sequence[_File]) -> str:
    """Say what is in doubt where folders hold nothing but other folders: letters/A, digits/1."""
    inside = defaultdict(set)
    for one in level:
        inside[one.rest[0]].add(_next(one) if len(one.rest) > 1 else "")
    mixed = any("" in below for below in inside.values())
    known = [kind for kind in Pattern if not (mixed and kind is Pattern.NUMBER)]
    themes = [
        name
        for name, below in inside.items()
        if len(below) > 1 and "" not in below and not any(k.covers(below) for k in known)
    ]
    if not themes or len(inside) < 2:
        return ""
    below = sorted(set().union(*(inside[name] for name in themes)))
    return f"below {listed(sorted(themes))} are folders, {listed(below)}: either may be the labels"


def _nothing_in_common(files: Sequence[_File]) -> str:
    """Say what is in doubt where what is tested was never trained."""
    labels = defaultdict(set)
    for one in files:
        labels[one.place.split].add(one.place.label)
    trained, tested = labels["train"], labels["test"] or labels["val"]
    if len(trained) < 2 or len(tested) < 2 or trained & tested:
        return ""
    return (
        f"folders for training, {listed(sorted(trained))}, and for tests, {listed(sorted(tested))},"
        " have no label in common"
    )


def _without_order(names: set[str]) -> dict[str, str]:
    """Return names without the numbers that only order them: 01_palm, 02_l; or nothing."""
    matches = [(name, _ORDER.match(name)) for name in names]
    plain = {name: name[match.end() :] for name, match in matches if match}
    numbers = {int(match[1]) for _, match in matches if match}
    short = {name.casefold() for name in plain.values()}
    fits = len(names) > 1 and len(plain) == len(names) == len(short) == len(numbers)
    return plain if fits else {}


def _read_below(one: _File) -> None:
    """Read the split, person and session in the folders below the label."""
    for name in one.rest:
        if name.lower() in SPLITS and not one.place.split:
            one.place = replace(one.place, split=SPLITS[name.lower()])
        for kind, column in ((Pattern.PERSON, "group"), (Pattern.SESSION, "session")):
            match = kind.value.fullmatch(name)
            if match and not getattr(one.place, column):
                who = match[1] if kind is Pattern.PERSON else name
                one.place = replace(one.place, **{column: who})


def _label_in_name(file: str, known: set[str]) -> str:
    """Return the known label that a name begins with, before numbers and the word test."""
    stem = PurePosixPath(file).stem
    bare = _IN_NAME.sub("", stem)
    if stem.isdigit() or (bare.isdigit() and "test" not in stem.lower()):
        return ""  # picture 7 need not show a seven
    by_case = {label.casefold(): label for label in known}
    return next((by_case[n.casefold()] for n in (stem, bare) if n.casefold() in by_case), "")


@dataclass(frozen=True)
class FileFacts:
    """What is known of the files of a source."""

    of: Mapping[str, dict[str, Any]]
    """By file label, group and so on; files without a label are not in it."""

    notes: Sequence[str] = ()
    doubt: str = ""
    """Why the labels may not be what anybody meant."""

    @classmethod
    def read(
        cls,
        files: Sequence[str],
        root: str,
        named: Callable[[str], dict[str, str] | None],
        *,
        has_label: bool = False,
        label_of_stem: Callable[[str], str] | None = None,
    ) -> "FileFacts":
        """Read label, person and so on of files.

        Parameters
        ----------
        files
            The files relative to the source's folder.
        root
            The name of that folder.
        named
            Returns what the person has asked to read from a path; None leaves the file out.
        has_label
            Whether that contains the label: then folders are not searched for it, and nothing about
            the labels is in doubt.
        label_of_stem
            Reads the label from the name of a file that is in no folder with a label.
        """
        asked = {file: columns for file in files if (columns := named(file)) is not None}
        # A folder in place of the label, so that those above it are read as people and splits.
        inner = {file: _with_folder(file) if has_label else file for file in asked}
        folders = _Folders(list(inner.values()), root)
        of: dict[str, dict[str, Any]] = {}
        for file, own in asked.items():
            place = folders.place(inner[file])
            label = place.label
            if label_of_stem and not label and inner[file] not in folders.left_out:
                label = label_of_stem(PurePosixPath(file).stem)
            columns = vars(place) | {"label": label} | own
            columns["label"] = normalize("NFC", columns["label"]).strip()
            if columns["label"]:
                of[file] = columns
        if has_label or not files:
            return cls(of, [])
        labels = [columns["label"] for columns in of.values()]
        doubt = (of and folders.doubt) or why_unclear(labels, root)
        return cls(of, folders.notes, doubt)


def _with_folder(file: str) -> str:
    folder, slash, name = file.rpartition("/")
    return f"{folder}{slash}?/{name}"

"""Tables of hand landmarks: CSV, Parquet, JSON, arrays of numpy, pickled lists of numbers."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

from handlore.landmarks.errors import HandloreError, InvalidDataError, OptionError

from ..files import MAX_LISTED, SAMPLED, files_of, is_picture, is_video, readable
from ..layouts.words import SPLITS, split_in
from ..tables import arrays, parquet, posefile, records, text
from ..tables.assembly import assemble
from ..tables.names import role_of
from ..tables.parts import TableOptions, TablePart
from ..tables.rows import RawTable, Reader
from ..tables.units import NAMED, TABLE_ASPECT_HELP, UNITS_HELP
from ._landmarks import FRAME_RATE_HELP, BadItem, LandmarkSource, require_aspect, require_frame_rate
from .base import SOURCES, Item, LandmarkClip, Listing, option
from .keypoint_csv import is_keypoint_table
from .mp_holistic import is_frame_name, is_numbered_frame

_READERS: dict[str, Reader] = {
    **text.READERS,
    **records.READERS,
    **arrays.READERS,
    **parquet.READERS,
    **posefile.READERS,
}
"""By the ending of the file."""


@SOURCES.register
@dataclass(frozen=True)
class _LandmarkTable(LandmarkSource):
    """Tables of landmarks: a row a frame, whatever its columns are called.

    CSV and TSV (any usual separator), JSON and JSON lines (records, or results of MediaPipe's hand
    landmarkers), .npy and .npz (X and y, or a file a clip in a folder per label), Parquet (the
    extra `parquet`; also Kaggle's sets of signs), pickled lists of numbers (nothing is executed),
    .pose files in a folder per label, and what `handlore export` writes.

    Columns are found by their names (x0, 0_x, WRIST_x, landmark_0_x, x_right_hand_0, ...), else by
    their number: 42 or 63 for one hand, 84 or 126 for two, 225, 258 or 1662 with the body before
    the hands. The label is a column called label, class, gesture, sign, ..., else the first or last
    one, else the folder. person, split, sequence, frame, time, hand and width, height of the
    picture are used too. Rows of one sequence are a movement, other rows are poses.

    Units are found out: shares of the picture, pixels, from the wrist, divided by the largest,
    metres. For shares the aspect of the pictures must be known: --aspect. Zeros mean that no hand
    was found.
    """

    name = "landmark-table"
    layout = (
        "*.csv, .tsv, .parquet, .json, .jsonl, .npy, .npz, .pickle, .pose of landmarks and labels"
    )
    specificity = 8

    units: str = option("auto", UNITS_HELP)
    aspect: str = option("", TABLE_ASPECT_HELP)
    mirrored: bool = option(
        False, "The pictures were mirrored before the hands were found: flip x, exchange sides."
    )
    frame_rate: float = option(30.0, FRAME_RATE_HELP)

    def __post_init__(self) -> None:
        """Refuse options that are out of range."""
        if self.units not in ("auto", *NAMED):
            known = ", ".join(["auto", *NAMED])
            raise OptionError(f"--units is {self.units!r}, expected one of: {known}")

    def fits(self, root: Path) -> bool:
        """Say whether one of the first tables has landmarks in it."""
        tables = islice(_candidates(root), MAX_LISTED)
        return any(_has_landmarks(name, path, root) for name, path in islice(tables, SAMPLED))

    def why_not(self, root: Path) -> str:
        """Say why a lone file with the ending of a table, or a folder of them, holds no hands."""
        every = islice(files_of(root), MAX_LISTED)
        if root.suffix == ".npz" or any(f.suffix.lower() not in _READERS for _, f in every):
            return ""
        for name, path in islice(_candidates(root), SAMPLED):
            try:
                for table in _tables_of(path, name):
                    table.columns()
            except HandloreError as error:
                if path == root:
                    return f"{root} is no table of hand landmarks: {error}"
                known = "`handlore sources` lists them"
                return f"{root} has no layout that handlore knows: {name}: {error}; {known}"
        return ""

    def scan(self, root: Path) -> Listing:
        """Read all tables; rows that cannot be used are failures, other files are left out."""
        require_frame_rate(self.frame_rate)
        if self.aspect:
            require_aspect(self.aspect)
        found = _FoundTables.of(root)
        if not found.parts:
            return _nothing(root, found)
        options = TableOptions(self.units, self.aspect, self.mirrored, self.frame_rate)
        made = assemble(found.parts, options)
        bad = [BadItem(root, row.name, row.label, reason=row.why) for row in made.failures]
        notes = [*made.notes, *(f"{name}: {why}" for name, why in list(found.others.items())[:3])]
        return Listing([*found.damaged, *bad], list(found.others), notes, dataset=made.dataset)

    def read_landmarks(self, item: Item) -> LandmarkClip:
        """Tables are read when they are listed."""
        raise InvalidDataError("it is no row of a table")


class _ListedClips:
    """A list of clips beside their files, as Kaggle has it: path, person, sequence, sign."""

    def __init__(self) -> None:
        self._by_path: dict[str, dict[str, str]] = {}
        self._by_clip: dict[str, dict[str, str]] = {}

    def read(self, path: Path, name: str) -> bool:
        """Read a list; False if the file is none."""
        try:
            with readable(), path.open(encoding="utf-8-sig", newline="") as file:
                rows = csv.DictReader(file)
                names = list(rows.fieldnames or ())
                roles = {role_of(one): one for one in names}
                if "path" not in names or "label" not in roles or len(names) > 40:
                    return False
                folder = str(PurePosixPath(name).parent)
                for row in rows:
                    self._add(row, roles, "" if folder == "." else f"{folder}/")
        except (UnicodeDecodeError, csv.Error, HandloreError):
            return False
        return True

    def _add(self, row: Mapping[str, Any], roles: Mapping[str, str], folder: str) -> None:
        given = {role: str(row[roles[role]] or "") for role in ("label", "group") if role in roles}
        self._by_path[f"{folder}{row['path']}"] = given
        if "clip" in roles:
            self._by_clip[str(row[roles["clip"]])] = given

    def given(self, name: str) -> dict[str, str]:
        """Return what a list says of a file."""
        return self._by_path.get(name, {})

    def of_clips(self, clips: Sequence[str]) -> dict[str, list[str]]:
        """Return label and person of each row, by its clip; nothing if no list knows them."""
        if not any(clip in self._by_clip for clip in clips[:1]):
            return {}
        known = [self._by_clip.get(clip, {}) for clip in clips]
        return {role: [one.get(role, "") for one in known] for role in ("label", "group")}


@dataclass(eq=False)
class _FoundTables:
    """What the files of a source hold."""

    parts: list[TablePart] = field(default_factory=list)
    damaged: list[BadItem] = field(default_factory=list)
    others: dict[str, str] = field(default_factory=dict)
    """Files that are no table of landmarks, and why."""

    @classmethod
    def of(cls, root: Path) -> "_FoundTables":
        """Read the tables of a folder, or a table."""
        found, lists, files = cls(), _ListedClips(), []
        for name, path in _candidates(root):
            if path.suffix.lower() != ".csv" or path == root or not lists.read(path, name):
                files.append((name, path))
        splits = _splits_in_names([name for name, _ in files])
        for name, path in files:
            given = {"split": splits[name]} if name in splits else {}
            found._add(name, path, lists, given, alone=path == root)
        found._leave_out_unlabelled_tests()
        return found

    def _leave_out_unlabelled_tests(self) -> None:
        """Leave out tables for tests without labels beside others with labels, as Kaggle's."""
        labelled = [part for part in self.parts if "label" in part.texts]
        for part in self.parts if labelled else ():
            if "label" not in part.texts and part.texts.get("split", [""])[0] == "test":
                self.others[part.table.name] = "it is left out, as it has no labels"
        self.parts = [part for part in self.parts if part.table.name not in self.others]

    def _add(
        self, name: str, path: Path, lists: _ListedClips, given: dict[str, str], *, alone: bool
    ) -> None:
        try:
            tables = _tables_of(path, name)
        except InvalidDataError as error:
            self._refuse(name, path, str(error), alone=alone)
            return
        for table in tables:
            try:
                self.parts.append(_labelled(table, lists, name, given))
            except InvalidDataError as error:
                self._refuse(table.name, path, str(error), alone=alone)

    def _refuse(self, name: str, path: Path, why: str, *, alone: bool) -> None:
        if alone:
            raise InvalidDataError(f"{name}: {why}")
        if path.suffix.lower() in (".npy", ".parquet", ".pickle", ".pose"):
            label = _folder_roles(name).get("label", "unknown")
            self.damaged.append(BadItem(path, name, label, reason=why))
        else:
            self.others[name] = why


def _labelled(
    table: RawTable, lists: _ListedClips, name: str, given: Mapping[str, str]
) -> TablePart:
    """Read a table with what lists, else folders and ``given``, say of it."""
    listed = lists.given(name)
    part = TablePart.read(replace(table, given={**table.given, **listed}) if listed else table)
    by_clip = lists.of_clips(part.texts["clip"]) if "clip" in part.texts else {}
    if by_clip:
        return replace(part, texts={**part.texts, **by_clip})
    if part.is_own:
        return part
    said = {**given, **_folder_roles(part.table.name)}
    texts = {role: [value] * part.n_rows for role, value in said.items()}
    return replace(part, texts={**texts, **part.texts})


def _nothing(root: Path, found: _FoundTables) -> Listing:
    why = {**{item.source: item.reason for item in found.damaged}, **found.others}
    if not why:
        return Listing([])
    name, reason = next(iter(why.items()))
    raise HandloreError(f"no table of hand landmarks in {root}; {name}: {reason}")


def _candidates(root: Path) -> Iterator[tuple[str, Path]]:
    """Yield files with the ending of a table that no other source is made for."""
    frames: dict[Path, bool] = {}
    for name, path in files_of(root):
        ending = path.suffix.lower()
        if ending == ".npy" and is_frame_name(name):
            # A folder of frames may have thousands: the first one speaks for the others.
            if path.parent not in frames:
                frames[path.parent] = is_numbered_frame(name, path)
            if frames[path.parent]:
                continue
        if ending in _READERS and not _is_of_others(path, root):
            yield name, path


def _is_of_others(path: Path, root: Path) -> bool:
    """Say whether a file is read with another one, the labels beside an array, or otherwise."""
    match path.suffix.lower():
        case ".npy":
            return path != root and arrays.is_label_file(path)
        case ".csv":
            return is_keypoint_table(path)
    return False


def _has_landmarks(name: str, path: Path, root: Path) -> bool:
    try:
        tables: Sequence[RawTable] = _tables_of(path, name)
        return any(table.columns().hands for table in tables)
    except InvalidDataError:
        return False
    except HandloreError:
        # pyarrow is missing; to read the table says so, unless there is something else to read.
        files = islice(files_of(root), MAX_LISTED)
        return not any(is_picture(one) or is_video(one) for _, one in files)


def _tables_of(path: Path, name: str) -> list[RawTable]:
    """Look at the tables in a file, without their rows where that is possible.

    Raises
    ------
    InvalidDataError
        If the file is damaged, or holds no table.
    """
    return list(_READERS[path.suffix.lower()](path, name))


_GENERIC = {
    *SPLITS,
    *("data", "dataset", "datasets", "images", "videos", "frames", "landmarks", "keypoints"),
    *("features", "npy", "csv", "json", "parquet", "mp_data", "sequences", "clips", "raw"),
    *("processed", "output"),
}
"""Names of folders that are no label."""


def _folder_roles(name: str) -> dict[str, str]:
    """Return label and split that the folders of a file say: [train/]<label>/<file>."""
    folders = [part for part in PurePosixPath(name).parts[:-1] if "." not in part]
    splits = [s for folder in folders if (s := SPLITS.get(folder.lower()))]
    roles = {"split": splits[-1]} if splits else {}
    if folders and folders[-1].lower() not in _GENERIC:
        roles["label"] = folders[-1]
    return roles


def _splits_in_names(names: Sequence[str]) -> dict[str, str]:
    """Return the splits in the names of files, train.csv and test.csv, if one is for training."""
    found = {name: split for name in names if (split := split_in(PurePosixPath(name).stem))}
    return found if "train" in found.values() and len(names) > 1 else {}

"""Which reader reads which file, and what stands beside the files: labels in folders and lists."""

import csv
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from handlore.landmarks.errors import HandloreError, InvalidDataError

from ..files import readable
from .arrays import npy_tables, npz_tables, pickle_tables
from .names import role_of
from .parquet import LONG_FORM, long_table, parquet_table
from .posefile import pose_table
from .records import json_lines_table, json_table
from .rows import RawTable
from .text import TextTable, text_table

READERS: dict[str, Callable[[Path, str], Sequence[RawTable]]] = {
    **dict.fromkeys((".csv", ".tsv", ".tab"), lambda path, name: [_text(path, name)]),
    ".json": lambda path, name: [json_table(path, name)],
    **dict.fromkeys(
        (".jsonl", ".ndjson", ".jsonlines"), lambda path, name: [json_lines_table(path, name)]
    ),
    ".npy": npy_tables,
    ".npz": npz_tables,
    **dict.fromkeys((".pickle", ".pkl", ".p"), pickle_tables),
    ".pose": lambda path, name: [pose_table(path, name)],
    **dict.fromkeys((".parquet", ".pq"), lambda path, name: [parquet_table(path, name)]),
}
"""By the ending of the file."""

_GENERIC = {
    *("train", "training", "val", "valid", "validation", "test", "testing", "data", "dataset"),
    *("datasets", "images", "videos", "frames", "landmarks", "keypoints", "features", "npy", "csv"),
    *("json", "parquet", "mp_data", "sequences", "clips", "raw", "processed", "output"),
}
"""Names of folders that are no label."""


def _text(path: Path, name: str) -> RawTable:
    table = text_table(path, name)
    if table.names is not None and set(LONG_FORM) - {"z"} <= set(table.names):
        return _long_text(table)
    return table


def _long_text(table: TextTable) -> RawTable:
    import pandas

    names = list(table.names or ())
    clip = next((one for one in ("sequence_id", "sequence", "video") if one in names), None)
    wanted = [*(one for one in LONG_FORM if one in names), *([clip] if clip else [])]
    try:
        frame = pandas.read_csv(table.path, sep=table.dialect.separator, usecols=wanted)
        columns: dict[str, Any] = {one: frame[one].to_numpy() for one in wanted}
        columns.setdefault("z", frame["x"].to_numpy() * float("nan"))
        return long_table(columns, table.name, clip)
    except (ValueError, TypeError, OverflowError) as error:
        raise InvalidDataError("it has a landmark a row, and not all are numbers") from error


def folder_roles(name: str) -> dict[str, str]:
    """Return label and split that the folders of a file say: [train/]<label>/<file>."""
    folders = [part for part in PurePosixPath(name).parts[:-1] if "." not in part]
    splits = [s for folder in folders if (s := _SPLITS.get(folder.lower()))]
    roles = {"split": splits[-1]} if splits else {}
    if folders and folders[-1].lower() not in _GENERIC:
        roles["label"] = folders[-1]
    return roles


def splits_in_names(names: Sequence[str]) -> dict[str, str]:
    """Return the splits in the names of files, train.csv and test.csv, if one is for training."""
    found = {}
    for name in names:
        words = re.split(r"[\W\d_]+", PurePosixPath(name).stem.lower())
        splits = {_SPLITS[word] for word in words if word in _SPLITS}
        if len(splits) == 1:
            found[name] = splits.pop()
    return found if "train" in found.values() and len(names) > 1 else {}


_SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}


class ListedClips:
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

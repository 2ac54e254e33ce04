"""LandmarkDataset: the one type that flows through everything.

Every source becomes one, every classifier takes one. It is checked once, when it is made; after
that everybody may rely on it. ``docs/reference/formats.md`` specifies the file it is kept in.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from handlore.landmarks.detector import DetectorInfo
from handlore.landmarks.errors import InvalidDataError, counted
from handlore.landmarks.hands import FloatArray, Hand, stack_hands
from handlore.landmarks.untrusted import printable

from .kinds import Kind
from .validation import Unit as Unit
from .validation import problems_of

if TYPE_CHECKING:
    import pandas

StrArray = NDArray[np.str_]

FORMAT_VERSION = 1
TEXT = ("utf-8", "surrogateescape")
"""File names are bytes; those that are not UTF-8 come and go as Python writes them in str."""
NONE_LABEL = "none"
"""The class of pictures and movements that mean nothing."""


@dataclass(frozen=True)
class Samples:
    """What is known of each sample: a table, one row a sample. Unknown text is empty."""

    label: StrArray
    """(n_samples,) what the sample shows."""
    group: StrArray
    """(n_samples,) what must not be split between training and test, usually the person."""
    session: StrArray
    """(n_samples,) the session in which it was recorded."""
    recording: StrArray
    """(n_samples,) the recording it was cut from."""
    split: StrArray
    """(n_samples,) ``train``, ``val`` or ``test`` where the source says so."""
    source: StrArray
    """(n_samples,) the file it came from, relative to the source's folder."""
    view: NDArray[np.int64]
    """(n_samples,) 0 = the picture itself, else the number of its augmented copy."""
    sha256: StrArray
    """(n_samples,) digest of the file it came from."""

    @classmethod
    def make(cls, label: Sequence[str], **columns: Any) -> Self:
        """Make a table; columns that are not given, and names that are None or NaN, are empty."""
        values: dict[str, Any] = {}
        for column in SAMPLE_COLUMNS:
            given = label if column == "label" else columns.pop(column, None)
            empty = given is None
            if column == "view":
                values[column] = np.array([0] * len(label) if empty else given, np.int64)
            else:
                values[column] = _names(column, [""] * len(label) if empty else given)
        if columns:
            raise TypeError(f"unknown sample columns: {', '.join(columns)}")
        return cls(**values)

    def __len__(self) -> int:
        return len(self.label)

    def take(self, chosen: NDArray[Any]) -> "Samples":
        """Return the chosen rows (indices or a mask)."""
        return Samples(**{column: getattr(self, column)[chosen] for column in SAMPLE_COLUMNS})

    def items(self) -> NDArray[np.int64]:
        """Return a number (n_samples,) for each picture or clip, shared by its augmented copies.

        Where a file holds several samples, the first copy is of the first one, and so on.
        """
        files = self.files()
        order = np.lexsort((self.view, files))
        of_one = np.stack([files, self.view])[:, order]
        is_first = np.r_[True, (np.diff(of_one) != 0).any(axis=0)]
        starts = np.maximum.accumulate(np.where(is_first, np.arange(len(files)), 0))
        place = np.empty(len(files), np.int64)
        place[order] = np.arange(len(files)) - starts
        keys = np.stack([files, place], axis=1)
        return np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)

    def files(self) -> NDArray[np.int64]:
        """Return a number (n_samples,) for each file that samples come from.

        A sample of which neither the source nor its digest is known is a file of its own.
        """
        keys = np.char.add(np.char.add(self.source, "\n"), self.sha256)
        numbers = np.unique(keys, return_inverse=True)[1].astype(np.int64)
        unknown = np.flatnonzero(keys == "\n")
        numbers[unknown] = len(keys) + np.arange(len(unknown))
        return np.unique(numbers, return_inverse=True)[1].astype(np.int64)

    def frame(self) -> "pandas.DataFrame":
        """Return the table as a pandas DataFrame."""
        import pandas

        return pandas.DataFrame({column: getattr(self, column) for column in SAMPLE_COLUMNS})


_UNKNOWN = ("None", "nan", "NaT", "<NA>")
"""What values that stand for an unknown one are as text."""


def _names(column: str, given: Any) -> StrArray:
    """Return names as an array; one that is unknown, None or NaN, is empty."""
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InvalidDataError(f"{column} is {given!r:.40}, expected one name a sample")
    # A list of text and NaN would become an array of text.
    names = given if isinstance(given, np.ndarray) else np.array(list(given), object)
    if names.dtype.kind in "US" or names.ndim != 1:
        return names.astype(np.str_)
    return np.array([_name(one) for one in names], np.str_)


def _name(given: object) -> str:
    if isinstance(given, bytes):
        return given.decode(*TEXT)
    text = str(given)
    return "" if text in _UNKNOWN and not isinstance(given, str) else text


SAMPLE_COLUMNS = tuple(column.name for column in fields(Samples))


@dataclass(frozen=True)
class Header:
    """Where a dataset comes from."""

    kind: Kind = "pose"
    """``pose``: every sample is one frame. ``sequence``: a sample is a clip."""
    image_unit: Unit = "width"
    """Unit of the image landmarks: image widths, or metres for imported skeletons."""
    detector: DetectorInfo | None = None
    """What found the hands; None for landmarks that came with the source."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """The source and the options it was converted with."""
    log: tuple[str, ...] = ()
    """What the converter had to say, such as inputs that failed."""
    note: str = ""
    """A note on the licence of the data."""

    def as_json(self) -> dict[str, Any]:
        """Return the header as JSON types, without the format version."""
        return asdict(self) | {"options": dict(self.options), "log": list(self.log)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read :meth:`as_json` back; unknown keys are ignored."""
        known = {name: values[name] for name in (f.name for f in fields(cls)) if name in values}
        if known.get("detector") is not None:
            known["detector"] = DetectorInfo(**known["detector"])
        return cls(**known | {"log": tuple(known.get("log", ()))})


@dataclass(frozen=True, eq=False)
class LandmarkDataset:
    """Samples of hand landmarks with their labels. A static pose is a sample of one frame."""

    image: FloatArray
    """(n_frames, n_hands, 21, 3) image landmarks, see :class:`~handlore.landmarks.Hand`; NaN
    where no hand was found, or for a z that is unknown. With two hands slot 0 is the left."""
    world: FloatArray
    """(n_frames, n_hands, 21, 3) world landmarks in metres, NaN where the source has none."""
    handedness: FloatArray
    """(n_frames, n_hands) probability of a right hand, NaN where the source does not say."""
    score: FloatArray
    """(n_frames, n_hands) confidence of the detector, NaN where the source does not say."""
    stage: NDArray[np.int8]
    """(n_frames, n_hands) which search stage found the hand, -1 = none did."""
    time: NDArray[np.float64]
    """(n_frames,) seconds from the sample's start."""
    offsets: NDArray[np.int64]
    """(n_samples + 1,) the frames of sample i are ``offsets[i]:offsets[i + 1]``."""
    samples: Samples
    """What is known of each sample."""
    header: Header = field(default_factory=Header)
    """Where it comes from."""

    def __post_init__(self) -> None:
        arrays = {name: getattr(self, name) for name in (*FRAME_ARRAYS, "offsets")}
        problems = problems_of(arrays, vars(self.samples), vars(self.header))
        if problems:
            raise InvalidDataError("not a valid landmark dataset: " + "; ".join(problems))

    @classmethod
    def of_hands(
        cls,
        slots: Sequence[Sequence[Hand | None]],
        samples: Samples,
        *,
        time: Sequence[float] | None = None,
        offsets: Sequence[int] | None = None,
        header: Header | None = None,
    ) -> Self:
        """Make a dataset of what a detector returned: for each frame the hand in each slot, if any.

        ``time`` and ``offsets`` are as in the dataset; default: one frame a sample, at time 0.
        """
        n_frames = len(slots)
        return cls(
            *stack_hands(slots),
            time=np.zeros(n_frames) if time is None else np.asarray(time, np.float64),
            offsets=np.asarray(range(n_frames + 1) if offsets is None else offsets, np.int64),
            samples=samples,
            header=header or Header(),
        )

    @property
    def detected(self) -> NDArray[np.bool_]:
        """(n_frames, n_hands) whether a hand was found."""
        return self.stage >= 0

    @property
    def has_hand(self) -> NDArray[np.bool_]:
        """(n_samples,) whether any frame of the sample shows a hand."""
        frames = np.concatenate([[0], np.cumsum(self.detected.any(axis=1))])
        return np.asarray(frames[self.offsets[1:]] > frames[self.offsets[:-1]])

    @property
    def digests(self) -> StrArray:
        """(n_samples,) what identical samples share: the SHA-256 of the picture or clip, or ''.

        Imported clips without a hand are all equal, and no copies of each other: they have ''.
        """
        compared = self.has_hand | (self.header.detector is not None)
        return np.asarray(np.where(compared, self.samples.sha256, ""), np.str_)

    def stage_counts(self) -> dict[str, int]:
        """Return how many frames each search stage found a hand in, by its number as text."""
        stages, counts = np.unique(self.stage.max(axis=1, initial=-1), return_counts=True)
        both = zip(stages.tolist(), counts.tolist(), strict=True)
        return {str(stage): count for stage, count in both if stage >= 0}

    @property
    def n_samples(self) -> int:
        """How many samples there are, augmented copies included."""
        return len(self.samples)

    @property
    def n_frames(self) -> int:
        """How many frames there are."""
        return len(self.time)

    @property
    def n_hands(self) -> int:
        """How many hands a frame has room for."""
        return int(self.image.shape[1])

    @property
    def labels(self) -> list[str]:
        """The different labels, sorted."""
        return [str(label) for label in np.unique(self.samples.label)]

    def select(self, chosen: NDArray[Any] | Sequence[int]) -> "LandmarkDataset":
        """Return the chosen samples (indices or a mask), in the order given."""
        expected = f"expected indices of the {counted(self.n_samples, 'sample')} or a mask: "
        if np.ndim(chosen) != 1:
            raise InvalidDataError(f"{expected}{chosen!r:.80} is no list of them")
        try:
            chosen = np.arange(self.n_samples)[chosen]
        except IndexError as error:
            raise InvalidDataError(f"{expected}{error}") from error
        lengths = np.diff(self.offsets)[chosen]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        # Frame j of the result is frame (start of its sample) + (its place in the sample).
        frames = np.arange(offsets[-1]) + np.repeat(self.offsets[chosen] - offsets[:-1], lengths)
        arrays = {name: getattr(self, name)[frames] for name in FRAME_ARRAYS}
        return replace(self, **arrays, offsets=offsets, samples=self.samples.take(chosen))

    def at_frames(
        self, frames: Sequence[NDArray[np.int64]], samples: Samples, **changes: Any
    ) -> Self:
        """Return new samples, made of the frames of each; ``changes`` are other fields of them.

        Times are as they were, so they may count from elsewhere: see :meth:`from_zero`.
        """
        chosen = np.concatenate(frames)
        arrays = {name: getattr(self, name)[chosen] for name in FRAME_ARRAYS}
        offsets = np.cumsum([0, *map(len, frames)]).astype(np.int64)
        return replace(self, **arrays | {"offsets": offsets, "samples": samples} | changes)

    def with_slots(self, slots: slice) -> Self:
        """Return the same with the hands of some slots only; slot 0 is for the left of two."""
        arrays = {name: getattr(self, name)[:, slots] for name in FRAME_ARRAYS if name != "time"}
        return replace(self, **arrays)

    def from_zero(self) -> Self:
        """Return the same with times that count from the first frame of each sample."""
        starts = np.repeat(self.time[self.offsets[:-1]], np.diff(self.offsets))
        return replace(self, time=self.time - starts)

    def digest(self) -> str:
        """Return a sha256 over landmarks and labels, to say which data a model has seen."""
        digest = hashlib.sha256()
        for name in (*FRAME_ARRAYS, "offsets"):
            digest.update(np.ascontiguousarray(getattr(self, name)).tobytes())
        for column in SAMPLE_COLUMNS:
            values = "\0".join(map(str, getattr(self.samples, column)))
            digest.update(f"\0\0{column}\0\0{values}".encode(*TEXT))
        return digest.hexdigest()


MOST_LISTED = 8
"""How many names a line lists before it is cut."""


def listed(names: Sequence[str]) -> str:
    """Return names in a line, a long list cut: ``a, b, c, d, e, f, g, h and 192 more``."""
    more = f" and {len(names) - MOST_LISTED} more" if len(names) > MOST_LISTED else ""
    return ", ".join(map(printable, names[:MOST_LISTED])) + more


MIXED_DETECTORS = "joined from landmarks of different detectors"
"""A line in the log of a joined dataset."""
FRAME_ARRAYS = ("image", "world", "handedness", "score", "stage", "time")
"""The arrays of a dataset that have one row a frame."""


def concatenate(datasets: Sequence[LandmarkDataset]) -> LandmarkDataset:
    """Join datasets of the same kind into one, in order.

    The header keeps what they agree on; the detector is that of the first, and if others differ
    the log says so.

    Raises
    ------
    InvalidDataError
        If there is none, or they differ in kind, unit or number of hands.

    Examples
    --------
    >>> dataset = handlore.load_dataset("poses.npz")
    >>> handlore.concatenate([dataset, dataset]).n_samples == 2 * dataset.n_samples
    True
    """
    if not datasets:
        raise InvalidDataError("there are no datasets to join")
    first = datasets[0]
    for other in datasets[1:]:
        for what in ("header.kind", "header.image_unit", "n_hands"):
            a, b = (_attribute(dataset, what) for dataset in (first, other))
            if a != b:
                raise InvalidDataError(
                    f"datasets cannot be joined: {what.split('.')[-1]} is {a} in one, {b} in"
                    " another"
                )
    if len(datasets) == 1:
        return first
    ends = np.cumsum([0, *(dataset.n_frames for dataset in datasets)])
    starts = [dataset.offsets[:-1] + end for dataset, end in zip(datasets, ends[:-1], strict=True)]
    columns = {
        column: np.concatenate([getattr(dataset.samples, column) for dataset in datasets])
        for column in SAMPLE_COLUMNS
    }
    return LandmarkDataset(
        **{name: np.concatenate([getattr(d, name) for d in datasets]) for name in FRAME_ARRAYS},
        offsets=np.concatenate([*starts, ends[-1:]]).astype(np.int64),
        samples=Samples(**columns),
        header=_joined_header([dataset.header for dataset in datasets]),
    )


def _joined_header(headers: Sequence[Header]) -> Header:
    first = headers[0]
    detectors = {header.detector for header in headers}
    mixed = (MIXED_DETECTORS,) if len(detectors) > 1 else ()
    log = tuple(line for header in headers for line in header.log)
    note = "; ".join(dict.fromkeys(header.note for header in headers if header.note))
    return replace(first, options={}, log=log + mixed, note=note)


def _attribute(dataset: LandmarkDataset, path: str) -> Any:
    value: Any = dataset
    for name in path.split("."):
        value = getattr(value, name)
    return value


@dataclass(frozen=True)
class LabelledInterval:
    """A gesture in a stream and when it was made: ground truth for recognisers."""

    label: str
    start: float
    """Seconds since the stream began."""
    end: float

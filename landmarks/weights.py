"""MediaPipe's two hand networks: where they come from and how they are verified.

mediapipe has not contained its networks since version 0.10.30. A *bundle* is an uncompressed zip of
two of them, as the HandLandmarker of MediaPipe Tasks reads it. :func:`find_bundle` tries, in this
order, at an explicit path, ``HANDLORE_LANDMARKER``, the user's cache, and an installed mediapipe
that still carries the networks; :func:`fetch_bundle` then goes to the network once.
"""

import hashlib
import io
import os
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from importlib import metadata
from pathlib import Path
from urllib.request import urlopen

from platformdirs import user_cache_path

from .errors import HandloreError, InvalidDataError, unknown_name
from .files import make_folder, write_bytes
from .processes import python_command
from .untrusted import DAMAGE, read_member, reason, require_size

ENVIRONMENT_VARIABLE = "HANDLORE_LANDMARKER"
_WHEEL_VERSION = "0.10.21"
_WHEEL = f"mediapipe=={_WHEEL_VERSION}"
_WHEEL_SIZE_MB = 36
_PIP_DOWNLOAD = (
    *("pip", "download", "--no-deps", "--only-binary=:all:"),
    *("--platform", "manylinux_2_28_x86_64", "--python-version", "3.11", "--implementation", "cp"),
    _WHEEL,
)
"""The wheel is only read as a zip, so any machine can take the Linux one."""

_TASK_URL = (
    "https://storage.googleapis.com/mediapipe-models/hand_landmarker/hand_landmarker/"
    "float16/1/hand_landmarker.task"
)
_MAX_BUNDLE_BYTES = 512 << 20
"""Most bytes of a wheel or a bundle; MediaPipe's wheels have up to 100 MB."""

_MAX_NETWORK_BYTES = 64 << 20
"""Most bytes of a network; MediaPipe's hand networks have up to 6 MB."""

PALM_MEMBER = "hand_detector.tflite"
HAND_MEMBER = "hand_landmarks_detector.tflite"
CUSTOM = "custom"
"""What a bundle is called whose networks are not MediaPipe's own."""


@dataclass(frozen=True)
class _NetworkFile:
    wheel_path: str
    sha256: str


PALM_FULL = _NetworkFile(
    "mediapipe/modules/palm_detection/palm_detection_full.tflite",
    "1b14e9422c6ad006cde6581a46c8b90dd573c07ab7f3934b5589e7cea3f89a54",
)
HAND_FULL = _NetworkFile(
    "mediapipe/modules/hand_landmark/hand_landmark_full.tflite",
    "11c272b891e1a99ab034208e23937a8008388cf11ed2a9d776ed3d01d0ba00e3",
)
HAND_LITE = _NetworkFile(
    "mediapipe/modules/hand_landmark/hand_landmark_lite.tflite",
    "048edd3645c9bf7397d19a9f6e3a42957d6e414c9bea6598030a2e9b624156e6",
)

LANDMARKERS: Mapping[str, Mapping[str, _NetworkFile]] = {
    "full": {PALM_MEMBER: PALM_FULL, HAND_MEMBER: HAND_FULL},
    "lite": {PALM_MEMBER: PALM_FULL, HAND_MEMBER: HAND_LITE},
}
"""The networks in each kind of bundle. palm_detection_lite lacks metadata that Tasks needs."""


@dataclass(frozen=True)
class Bundle:
    """A bundle on this computer."""

    path: Path
    landmarker: str
    """``full`` or ``lite``; ``custom`` for networks that are not MediaPipe's own."""
    origin: str
    """How it was found, in words."""

    @property
    def sha256(self) -> str:
        """The digest of the bundle file, as dataset headers record it."""
        return _digest(self.path.read_bytes())


def cache_folder() -> Path:
    """Return the folder in which bundles are kept, which may not exist yet."""
    return user_cache_path("handlore", appauthor=False)


def cached_path(landmarker: str) -> Path:
    """Return where the bundle of this kind is kept in the cache."""
    return cache_folder() / f"hand_landmarker_{_known(landmarker)}.task"


def find_bundle(landmarker: str = "full", explicit: str | Path | None = None) -> Bundle | None:
    """Find a bundle without the network, or return None.

    The explicit path, or the one in ``HANDLORE_LANDMARKER``, must be that of a usable bundle.
    """
    _known(landmarker)
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    if explicit is not None:
        return _opened(Path(explicit), "named explicitly")
    if named:
        return _opened(Path(named), f"named by {ENVIRONMENT_VARIABLE}")
    cached = cached_path(landmarker)
    if cached.is_file() and _kind(cached) == landmarker:
        return Bundle(cached, landmarker, "kept in the cache")
    if _pack(landmarker, _from_installed()):
        return Bundle(cached, landmarker, "taken from the installed mediapipe")
    return None


def require_bundle(landmarker: str = "full", talk: Callable[[str], None] | None = None) -> Bundle:
    """Find a bundle, or download it once; ``talk`` receives a line about the download."""
    found = find_bundle(landmarker)
    if found is None:
        return fetch_bundle(landmarker, talk)
    if found.landmarker not in (landmarker, CUSTOM):
        raise InvalidDataError(
            f"{found.path}, {found.origin}, holds the {found.landmarker} networks, but"
            f" {landmarker} ones were asked for"
        )
    return found


def fetch_bundle(landmarker: str = "full", talk: Callable[[str], None] | None = None) -> Bundle:
    """Download the networks into the cache; if no source answers, say how to do it by hand."""
    cached = cached_path(landmarker)
    tried = []
    for name, source in _sources(landmarker).items():
        if talk:
            talk(f"downloading the hand landmark model, once: {name}")
        try:
            if _pack(landmarker, source()):
                return Bundle(cached, landmarker, f"downloaded: {name}")
            tried.append(f"{name}: does not contain the right files")
        except (OSError, HTTPException, subprocess.SubprocessError, zipfile.BadZipFile) as error:
            reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
            tried.append(f"{name}: {reason}")
    raise HandloreError(
        "the hand landmark model is not on this computer and could not be downloaded"
        f" ({'; '.join(tried)}). By hand: on a computer with a network run"
        f" `python -m {' '.join(_PIP_DOWNLOAD)}`, bring the .whl file here and run"
        " `handlore weights fetch --from FILE.whl`"
    )


def import_bundle(path: Path, landmarker: str = "full") -> Bundle:
    """Take the networks, bit for bit, from a mediapipe wheel or another bundle into the cache."""
    try:
        members = _from_zip(_file_bytes(Path(path)))
    except OSError as error:
        raise HandloreError(f"cannot read {path}: {error.strerror}") from error
    except zipfile.BadZipFile as error:
        raise InvalidDataError(
            f"{path} is not a zip file ({error}); expected mediapipe-{_WHEEL_VERSION}-*.whl"
            " or a .task bundle"
        ) from error
    if not _pack(landmarker, members):
        raise InvalidDataError(
            f"{path} does not hold the networks of the {landmarker} landmarker, bit for bit;"
            f" expected the wheel of {_WHEEL} or MediaPipe's own hand_landmarker.task"
        )
    return Bundle(cached_path(landmarker), landmarker, f"taken from {path}")


def verify_bundle(landmarker: str = "full") -> Bundle:
    """Return the bundle if it is here and its networks are MediaPipe's own, bit for bit."""
    bundle = find_bundle(landmarker)
    if bundle is None:
        raise HandloreError(
            f"the {landmarker} model is not on this computer, or is damaged; download it with"
            f" `handlore weights fetch --landmarker {landmarker}`"
        )
    if bundle.landmarker != landmarker:
        raise HandloreError(
            f"{bundle.path} ({bundle.origin}) holds {bundle.landmarker} networks, expected"
            f" MediaPipe's {landmarker} ones"
        )
    return bundle


def _known(landmarker: str) -> str:
    if landmarker not in LANDMARKERS:
        raise unknown_name("landmarker", landmarker, LANDMARKERS)
    return landmarker


def _opened(path: Path, origin: str) -> Bundle:
    if not path.is_file():
        raise InvalidDataError(f"{path}, {origin}, is not a file; expected a .task bundle")
    kind = _kind(path)
    if kind is None:
        raise InvalidDataError(
            f"{path}, {origin}, is not a bundle: expected a zip with {PALM_MEMBER} and"
            f" {HAND_MEMBER}"
        )
    return Bundle(path, kind, origin)


def _kind(path: Path) -> str | None:
    """Say which bundle a file is, by the digests of its members."""
    try:
        members = _read_zip(_file_bytes(path), {PALM_MEMBER, HAND_MEMBER})
        digests = {name: _digest(members[name]) for name in (PALM_MEMBER, HAND_MEMBER)}
    except (zipfile.BadZipFile, KeyError, OSError, InvalidDataError):
        return None
    for landmarker, networks in LANDMARKERS.items():
        if all(digests[member] == network.sha256 for member, network in networks.items()):
            return landmarker
    return CUSTOM


def _pack(landmarker: str, by_digest: Mapping[str, bytes]) -> bool:
    """Write the bundle into the cache, if all its networks are there."""
    networks = LANDMARKERS[_known(landmarker)]
    if any(network.sha256 not in by_digest for network in networks.values()):
        return False
    target = cached_path(landmarker)
    make_folder(target.parent)
    contents = {member: by_digest[network.sha256] for member, network in networks.items()}
    write_bytes(target, _aligned_zip(contents))
    return True


def _aligned_zip(members: Mapping[str, bytes], alignment: int = 64) -> bytes:
    """Return an uncompressed zip in which the data of each member starts aligned.

    LiteRT maps weights into memory only when they are aligned, else it copies them. The padding
    is an extra field in the member's header, as Android's zipalign does it.
    """
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as bundle:
        for name, data in members.items():
            info = zipfile.ZipInfo(name)
            header = 30 + len(name.encode()) + 6
            padding = -(stream.tell() + header) % alignment
            info.extra = struct.pack("<HHH", 0xD935, 2 + padding, alignment) + bytes(padding)
            bundle.writestr(info, data)
    return stream.getvalue()


def _from_installed() -> dict[str, bytes]:
    try:
        distribution = metadata.distribution("mediapipe")
    except metadata.PackageNotFoundError:
        return {}
    found = {}
    for network in (PALM_FULL, HAND_FULL, HAND_LITE):
        path = Path(str(distribution.locate_file(network.wheel_path)))
        if path.is_file():
            data = path.read_bytes()
            found[_digest(data)] = data
    return found


def _sources(landmarker: str) -> dict[str, Callable[[], dict[str, bytes]]]:
    sources = {f"{_WHEEL} from your package index ({_WHEEL_SIZE_MB} MB)": _from_package_index}
    if landmarker == "full":
        sources["MediaPipe's download page"] = _from_task_url
    return sources


def _from_package_index() -> dict[str, bytes]:
    bar = "on" if sys.stderr is not None and sys.stderr.isatty() else "off"
    with tempfile.TemporaryDirectory() as folder:
        options = ["--dest", folder, "--progress-bar", bar, "--disable-pip-version-check"]
        command = python_command("-m", *_PIP_DOWNLOAD, *options)
        # pip writes to stdout, which is for data here; on a terminal it goes to stderr.
        out, error = (sys.stderr, None) if bar == "on" else (subprocess.PIPE, subprocess.PIPE)
        done = subprocess.run(
            command, stdout=out, stderr=error, text=True, check=False, env=_without_constraints()
        )
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode != 0 or not wheels:
            lines = [line.strip() for line in (done.stderr or "").splitlines()]
            errors = [line for line in lines if line and "[notice]" not in line]
            raise OSError(errors[-1] if errors else "pip failed")
        return _from_zip(wheels[0].read_bytes())


def _without_constraints() -> dict[str, str]:
    """Return the environment in which pip finds the wheel of the networks.

    Its version is fixed, and nothing of it is installed; constraints are about what is.
    """
    return {name: value for name, value in os.environ.items() if name != "PIP_CONSTRAINT"}


def _from_task_url() -> dict[str, bytes]:
    with urlopen(_TASK_URL, timeout=30) as answer:
        return _from_zip(answer.read(_MAX_BUNDLE_BYTES))


def _from_zip(data: bytes) -> dict[str, bytes]:
    """Return the networks in a wheel or bundle, by digest."""
    names = {network.wheel_path for network in (PALM_FULL, HAND_FULL, HAND_LITE)}
    names |= {PALM_MEMBER, HAND_MEMBER}
    return {_digest(member): member for member in _read_zip(data, names).values()}


def _read_zip(data: bytes, names: set[str]) -> dict[str, bytes]:
    """Return some members of a zip; any problem with it is a BadZipFile."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            there = names & set(archive.namelist())
            return {name: read_member(archive, name, _MAX_NETWORK_BYTES) for name in sorted(there)}
    except (*DAMAGE, InvalidDataError) as error:
        raise zipfile.BadZipFile(reason(error)) from error


def _file_bytes(path: Path) -> bytes:
    """Read a bundle or a wheel, if it may be one by its size."""
    if path.exists() and not path.is_file() and not path.is_dir():
        raise InvalidDataError(f"{path} is not a file; expected a wheel or a .task bundle")
    require_size(path.stat().st_size, _MAX_BUNDLE_BYTES, str(path))
    return path.read_bytes()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()

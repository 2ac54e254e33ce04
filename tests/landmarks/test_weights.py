"""Tiny stand-ins take the place of the networks; nothing here goes to the network."""

import hashlib
import http.client
import io
import struct
import subprocess
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlore.landmarks import weights
from handlore.landmarks.errors import HandloreError, InvalidDataError
from handlore.landmarks.weights import (
    _PIP_DOWNLOAD,
    ENVIRONMENT_VARIABLE,
    HAND_MEMBER,
    PALM_MEMBER,
    _aligned_zip,
    _NetworkFile,
    cached_path,
    fetch_bundle,
    find_bundle,
    import_bundle,
    require_bundle,
)

PALM, FULL, LITE = b"palm network" * 9, b"full network" * 7, b"lite network" * 5
WHEEL_FOLDER = "mediapipe/modules"


@pytest.fixture(autouse=True)
def tiny(tmp_path, monkeypatch):
    """Networks of a few bytes, an empty cache, no mediapipe that carries them, no network."""
    networks = {}
    for name, data in {"PALM_FULL": PALM, "HAND_FULL": FULL, "HAND_LITE": LITE}.items():
        path = f"{WHEEL_FOLDER}/{name.lower()}.tflite"
        networks[name] = _NetworkFile(path, hashlib.sha256(data).hexdigest())
        monkeypatch.setattr(weights, name, networks[name])
    palm, full, lite = networks.values()
    kinds = {
        "full": {PALM_MEMBER: palm, HAND_MEMBER: full},
        "lite": {PALM_MEMBER: palm, HAND_MEMBER: lite},
    }
    monkeypatch.setattr(weights, "LANDMARKERS", kinds)
    monkeypatch.setattr(weights, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr(weights, "_from_installed", dict)
    monkeypatch.setattr(weights.subprocess, "run", no_network)
    monkeypatch.setattr(weights, "urlopen", no_network)
    monkeypatch.delenv(ENVIRONMENT_VARIABLE, raising=False)


def no_network(*_, **__):
    raise OSError("Network is unreachable")


def bundle_of(hand=FULL, palm=PALM):
    return _aligned_zip({PALM_MEMBER: palm, HAND_MEMBER: hand})


def wheel_of(**networks):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, data in networks.items():
            wheel.writestr(f"{WHEEL_FOLDER}/{name}.tflite", data)
    return stream.getvalue()


def whole_wheel():
    return wheel_of(palm_full=PALM, hand_full=FULL, hand_lite=LITE)


def written(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


@given(st.dictionaries(st.text("abcäö_./", min_size=1, max_size=90), st.binary(max_size=200)))
def test_the_data_of_every_member_starts_at_a_multiple_of_64_bytes(members):
    data = _aligned_zip(members)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == members
        for info in archive.infolist():
            # A local header ends with the lengths of the name and of the extra field.
            lengths = struct.unpack_from("<HH", data, info.header_offset + 26)
            start = info.header_offset + 30 + sum(lengths)
            assert start % 64 == 0
            assert data[start : start + info.file_size] == members[info.filename], "uncompressed"


def test_the_same_members_give_the_same_bytes(monkeypatch):
    first = bundle_of()
    monkeypatch.setattr("time.time", lambda: 2e9)
    assert bundle_of() == first


def test_places_are_searched_in_the_order_of_the_design(tmp_path, monkeypatch):
    everything = {hashlib.sha256(data).hexdigest(): data for data in (PALM, FULL, LITE)}
    assert find_bundle() is None
    monkeypatch.setattr(weights, "_from_installed", lambda: everything)
    assert "installed mediapipe" in find_bundle().origin
    assert "cache" in find_bundle().origin, "what was found once is kept"
    named = written(tmp_path / "named.task", bundle_of())
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(named))
    assert find_bundle().path == named
    explicit = written(tmp_path / "explicit.task", bundle_of(LITE))
    assert find_bundle("full", explicit).path == explicit
    assert find_bundle("full", explicit).landmarker == "lite", "it says what it really is"


def test_the_digest_is_that_of_the_file(tmp_path):
    path = written(tmp_path / "a.task", bundle_of())
    assert find_bundle(explicit=path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_networks_of_somebody_else_are_custom(tmp_path):
    path = written(tmp_path / "own.task", bundle_of(b"own network"))
    assert find_bundle(explicit=path).landmarker == "custom"


@pytest.mark.parametrize("kind", ["full", "lite"])
def test_each_landmarker_has_its_own_place_in_the_cache(kind):
    for name, hand in (("full", FULL), ("lite", LITE)):
        written(cached_path(name), bundle_of(hand))
    found = find_bundle(kind)
    assert (found.landmarker, found.path) == (kind, cached_path(kind))


@pytest.mark.parametrize(
    "damaged",
    [bundle_of()[:-30], b"", b"not a zip", bundle_of(LITE), bundle_of(b"other"),
     bundle_of().replace(b"full", b"fuul")],
    ids=["truncated", "empty", "no zip", "lite in its place", "custom", "flipped"],
)  # fmt: skip
def test_a_damaged_bundle_in_the_cache_is_not_used(damaged):
    written(cached_path("full"), damaged)
    assert find_bundle("full") is None


@settings(max_examples=300)
@given(st.data())
def test_a_bundle_with_any_bit_flipped_is_named_refused_or_custom_never_mistaken(
    tmp_path_factory, data
):
    whole = bytearray(bundle_of())
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path = written(tmp_path_factory.getbasetemp() / "flipped.task", bytes(whole))
    try:
        found = find_bundle(explicit=path)
    except InvalidDataError as error:
        assert str(path) in str(error)  # noqa: PT017 - either outcome is right
    else:
        assert found.landmarker in ("full", "custom")


@pytest.mark.parametrize("flag", [0x01, 0x40], ids=["encrypted", "strongly encrypted"])
def test_a_cached_bundle_whose_zip_flags_are_damaged_is_not_used(flag):
    whole = bytearray(bundle_of())
    whole[whole.index(b"PK\1\2") + 8] ^= flag
    written(cached_path("full"), bytes(whole))
    assert find_bundle("full") is None


@pytest.mark.parametrize("content", [None, b"hello", _aligned_zip({PALM_MEMBER: PALM})])
def test_a_path_that_is_named_must_be_a_bundle(tmp_path, monkeypatch, content):
    path = tmp_path / "named.task"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidDataError, match=r"named\.task.*explicitly.*bundle"):
        find_bundle(explicit=path)
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(path))
    with pytest.raises(InvalidDataError, match=ENVIRONMENT_VARIABLE):
        find_bundle()


def test_unknown_landmarkers_are_answered_with_the_known_ones():
    with pytest.raises(HandloreError, match=r"unknown landmarker 'heavy'\. Known: full, lite"):
        find_bundle("heavy")


@pytest.mark.parametrize("kind", ["full", "lite"])
def test_a_wheel_brought_by_hand_fills_the_cache(tmp_path, kind):
    wheel = written(tmp_path / "mediapipe-0.10.21-cp311.whl", whole_wheel())
    assert import_bundle(wheel, kind).landmarker == kind
    found = find_bundle(kind)
    assert "cache" in found.origin
    with zipfile.ZipFile(found.path) as bundle:
        hand = {"full": FULL, "lite": LITE}[kind]
        assert bundle.read(HAND_MEMBER) == hand
        assert bundle.read(PALM_MEMBER) == PALM


def test_googles_own_bundle_can_be_brought_by_hand(tmp_path):
    task = written(tmp_path / "hand_landmarker.task", bundle_of())
    assert import_bundle(task).path == cached_path("full")


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (wheel_of(palm_full=PALM, hand_full=b"fake network"), "bit for bit"),
        (wheel_of(palm_full=PALM), "bit for bit"),
        (wheel_of(), "bit for bit"),
        (b"text", "is not a zip file"),
        (whole_wheel()[:-40], "is not a zip file"),
        (b"", "is not a zip file"),
    ],
    ids=["fake", "incomplete", "empty wheel", "text", "truncated", "empty"],
)
def test_a_fake_wheel_is_refused_and_leaves_no_trace(tmp_path, content, match):
    wheel = written(tmp_path / "fake.whl", content)
    with pytest.raises(InvalidDataError, match=rf"fake\.whl .*{match}"):
        import_bundle(wheel)
    assert not cached_path("full").exists()


def test_a_wheel_with_damaged_data_is_refused(tmp_path):
    data = bytearray(whole_wheel())
    start = 30 + len(f"{WHEEL_FOLDER}/palm_full.tflite")
    data[start : start + 6] = b"\xff" * 6  # the first deflated network
    with pytest.raises(InvalidDataError, match=r"damaged\.whl"):
        import_bundle(written(tmp_path / "damaged.whl", bytes(data)))


@pytest.mark.parametrize("name", ["", "missing.whl"])
def test_a_wheel_that_cannot_be_read_is_one_line(tmp_path, name):
    with pytest.raises(HandloreError, match="cannot read"):
        import_bundle(tmp_path / name)


def pip_that_downloads(data, calls):
    def run(command, **_):
        calls.append(command)
        folder = command[command.index("--dest") + 1]
        with open(f"{folder}/mediapipe-0.10.21-cp311-x.whl", "wb") as wheel:
            wheel.write(data)
        return subprocess.CompletedProcess(command, 0, "", "")

    return run


def test_there_is_one_download_ever(monkeypatch):
    calls, said = [], []
    monkeypatch.setattr(weights.subprocess, "run", pip_that_downloads(whole_wheel(), calls))
    assert "downloaded" in require_bundle(talk=said.append).origin
    assert "cache" in require_bundle(talk=said.append).origin
    assert len(calls) == len(said) == 1
    assert " ".join(_PIP_DOWNLOAD) in " ".join(calls[0]), "what the help says"


@pytest.mark.parametrize("wheel", [wheel_of(palm_full=PALM, hand_full=b"evil"), b"<html>"])
def test_a_wrong_download_is_not_kept_and_the_next_place_is_tried(monkeypatch, wheel):
    monkeypatch.setattr(weights.subprocess, "run", pip_that_downloads(wheel, []))
    monkeypatch.setattr(weights, "urlopen", lambda *_, **__: io.BytesIO(bundle_of()))
    assert "download page" in fetch_bundle().origin
    assert find_bundle().sha256 == hashlib.sha256(bundle_of()).hexdigest()


def test_offline_the_error_says_what_was_tried_and_how_to_do_it_by_hand():
    with pytest.raises(HandloreError) as problem:
        require_bundle()
    message = str(problem.value)
    assert "\n" not in message
    assert message.count("Network is unreachable") == 2
    assert "python -m pip download --no-deps" in message
    assert "mediapipe==0.10.21" in message
    assert "handlore weights fetch --from" in message
    assert not cached_path("full").exists()


def test_the_lite_landmarker_is_only_looked_for_where_it_is():
    with pytest.raises(HandloreError) as problem:
        fetch_bundle("lite")
    assert "download page" not in str(problem.value)


def pip_that_fails(stderr):
    return lambda command, **_: subprocess.CompletedProcess(command, 1, "", stderr)


def test_pips_reason_is_given_not_its_advertisement(monkeypatch):
    stderr = (
        "ERROR: No matching distribution found for mediapipe==0.10.21\n\n"
        "[notice] A new release of pip is available: 24.0 -> 25.1\n"
        "[notice] To update, run: pip install --upgrade pip\n"
    )
    monkeypatch.setattr(weights.subprocess, "run", pip_that_fails(stderr))
    with pytest.raises(HandloreError, match="No matching distribution found"):
        fetch_bundle("lite")


@pytest.mark.parametrize("stderr", ["", "\n"])
def test_a_silent_failure_of_pip_is_one_line_too(monkeypatch, stderr):
    monkeypatch.setattr(weights.subprocess, "run", pip_that_fails(stderr))
    with pytest.raises(HandloreError, match="could not be downloaded"):
        fetch_bundle("lite")


def test_a_download_that_breaks_off_is_one_line(monkeypatch):
    class BreaksOff(io.BytesIO):
        def read(self, *_):
            raise http.client.IncompleteRead(b"PK", 7_000_000)

    monkeypatch.setattr(weights, "urlopen", lambda *_, **__: BreaksOff())
    with pytest.raises(HandloreError, match="could not be downloaded"):
        fetch_bundle("full")


def test_a_cache_that_cannot_be_made_is_one_line(tmp_path, monkeypatch):
    written(tmp_path / "taken", b"")
    monkeypatch.setattr(weights, "cache_folder", lambda: tmp_path / "taken" / "handlore")
    wheel = written(tmp_path / "a.whl", whole_wheel())
    with pytest.raises(HandloreError, match="cannot make the folder"):
        import_bundle(wheel)

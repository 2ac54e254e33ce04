"""``handlore replay``."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from movement_stubs import lesson
from ready_stubs import signs

from handlore.datasets.recording_files import open_recordings_folder
from handlore.datasets.storage import save_dataset
from handlore.landmarks.errors import HandloreError
from handlore.models.files import load_model
from handlore.models.stream.ground_truth import dataset_streams
from handlore.models.stream.recogniser import recognise
from handlore.models.stream.replay import replay

Run = Callable[..., Result]
Refused = Callable[..., str]


def test_events_equal_the_recogniser(moves: Path, lessons: Path, run: Run, tmp_path: Path) -> None:
    result = run("replay", moves, lessons, "--json")
    assert result.exit_code == 0, result.output
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["label"] for row in rows] == ["left", "circle"]
    assert rows[0]["start"] == pytest.approx(2, abs=0.5)
    (stream,) = dataset_streams(lesson("one", "left", "circle"))
    events = recognise([load_model(moves)], stream.video)
    assert result.stdout.splitlines() == [event.line() for event in events]
    assert run("replay", moves, lessons, "--json").stdout == result.stdout
    text = run("replay", moves, lessons).stdout
    assert "left" in text
    assert "stream" not in text
    save_dataset(lesson("two", "right"), tmp_path / "two.npz")
    both = run("replay", moves, lessons, tmp_path / "two.npz", "--json").stdout.splitlines()
    assert [json.loads(line)["stream"] for line in both] == ["one", "one", "two"]
    strict = run("replay", moves, lessons, "--json", "--movement-threshold", "1")
    assert len(strict.stdout.splitlines()) < 2


def test_refused(moves: Path, lessons: Path, run: Run, refused: Refused) -> None:
    assert "is no model" in refused(run("replay", lessons))
    assert "nothing to replay" in refused(run("replay", moves))
    assert "there is no file" in refused(run("replay", moves, "gone.npz"))
    assert run("replay", moves, lessons, "--dwell", "-1").exit_code == 2


def test_a_model_of_any_name(moves: Path, lessons: Path, run: Run, tmp_path: Path) -> None:
    """As for every other command, the content decides."""
    for name in ("moves", "moves.txt"):
        shutil.copy(moves, tmp_path / name)
        named = run("replay", tmp_path / name, lessons, "--json")
        assert named.exit_code == 0, named.output
        assert named.stdout == run("replay", moves, lessons, "--json").stdout


def test_label_of_two_models(moves: Path, lessons: Path, run: Run) -> None:
    result = run("replay", moves, moves, lessons, "--json")
    assert len(result.stdout.splitlines()) == 4
    assert "note: more than one model knows circle, left, right" in result.stderr
    assert "more than one" not in run("replay", moves, lessons).stderr


def test_missing_recording(moves: Path, lessons: Path, run: Run) -> None:
    result = run("replay", moves, "gone.npz", lessons, "--json")
    assert result.exit_code == 3
    # A line has the same keys whether another recording failed or not.
    whole = run("replay", moves, lessons, lessons, "--json").stdout
    assert result.stdout == whole[: len(whole) // 2]
    assert '"stream": "one"' in result.stdout
    assert "failed: gone.npz: there is no file gone.npz" in result.stderr


def test_no_table_after_a_failure(moves: Path, run: Run, tmp_path: Path) -> None:
    (tmp_path / "torn.mp4").write_bytes(b"torn")
    result = run("replay", moves, tmp_path / "torn.mp4")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "failed: " in result.stderr


def test_folder_of_recordings(moves: Path, run: Run, tmp_path: Path) -> None:
    root = tmp_path / "triggers"
    open_recordings_folder(root, create=True)
    for number, label in enumerate(("left", "right")):
        (root / label).mkdir()
        save_dataset(lesson(label, label), root / label / f"000{number}.npz")
    each = [run("replay", moves, path, "--json").stdout for path in sorted(root.glob("*/*.npz"))]
    rows = [json.loads(line) for line in run("replay", moves, root, "--json").stdout.splitlines()]
    assert [one.pop("stream") for one in rows] == ["left", "right"]
    assert rows == [json.loads(one) for one in each]
    (root / "left" / "0000.mp4").write_bytes(b"is not followed anew")
    assert run("replay", moves, root / "left", "--json").stdout == each[0]


def test_events_while_held(run: Run, tmp_path: Path) -> None:
    """With --hold-events each line says what it is; without it lines stay as they are."""
    save_dataset(signs(("gone", 0.5), ("fist", 3), ("gone", 1)), tmp_path / "fist.npz")
    words = ("replay", "everyday", tmp_path / "fist.npz")
    (plain,) = map(json.loads, run(*words, "--json").stdout.splitlines())
    assert set(plain) == {"label", "start", "end", "probability", "hand"}
    done = run(*words, "--json", "--hold-events", "1")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["type"] for line in lines] == ["start", "hold", "hold", "end"]
    assert lines[0].items() >= plain.items()
    assert [line["duration"] for line in lines] == pytest.approx([0.27, 1.27, 2.27, 3], abs=0.1)
    assert set(lines[1]["values"]) == {"pinch", "openness", "rotation", "height", "side"}
    assert "values" not in lines[-1]
    table = run(*words, "--hold-events", "1").stdout
    assert table.count("hold") == 2
    assert "duration" in table


def test_height_of_a_held_hand_in_other_aspects(run: Run, tmp_path: Path) -> None:
    """As live: the height is a share of the picture, whose size the header says."""
    stream, heights = signs(("gone", 0.5), ("fist", 2)), []
    for size in ([640, 480], [360, 640], "unknown"):
        header = replace(stream.header, options={"size": size})
        save_dataset(replace(stream, header=header), tmp_path / "fist.npz")
        words = ("replay", "everyday", tmp_path / "fist.npz", "--json", "--hold-events", "1")
        first, *_ = map(json.loads, run(*words).stdout.splitlines())
        heights.append(1 - first["values"]["height"])
    usual, portrait, unknown = heights
    assert portrait == pytest.approx(usual * (480 / 640) / (640 / 360), abs=0.01)
    assert unknown == usual


def test_actions_are_rehearsed(run: Run, refused: Refused, tmp_path: Path) -> None:
    save_dataset(signs(("gone", 0.5), ("fist", 3), ("palm", 1)), tmp_path / "one.npz")
    actions = tmp_path / "actions.toml"
    repeated = '[[actions.fist]]\nkey = "volume_up"\nrepeat = 1\n'
    repeated += '[actions.palm]\nrun = ["no-such-program", "{label}"]\n'
    actions.write_text('[arming]\nlabel = "fist"\n' + repeated)
    words = ("replay", "everyday", tmp_path / "one.npz", "--actions", actions)
    found = [json.loads(line) for line in run(*words, "--json").stdout.splitlines()]
    first = {"time": pytest.approx(0.77, abs=0.05), "action": "fist (key)"}
    assert found[0] == first | {"skipped": "not armed"}
    assert [one["does"] for one in found[1:]] == ["run no-such-program palm"]
    assert "skipped: not armed" in run(*words).stdout
    actions.write_text(repeated)
    found = [json.loads(line) for line in run(*words, "--json").stdout.splitlines()]
    assert [one["does"] for one in found[:3]] == ["press volume_up"] * 3
    assert [one["time"] for one in found[:3]] == pytest.approx([0.77, 1.77, 2.77], abs=0.05)
    actions.write_text('[actions.fist]\nsay = "x"\nmap = { v = "pich" }')
    assert "unknown value 'pich' of a hand; did you mean pinch?" in refused(run(*words))


def test_nothing_to_replay_with(npz: Path) -> None:
    """A mistake in the call is no fault of the file."""
    with pytest.raises(HandloreError, match="no models; expected one or more"):
        replay([], npz)

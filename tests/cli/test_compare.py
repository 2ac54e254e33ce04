"""``handlore compare``."""

import json
from pathlib import Path

LINEAR = ("--model", "linear", "--no-streams")


def written(run, npz: Path, out: Path, *options: object) -> Path:
    out.write_text(run("crossval", npz, "--json", *options).stdout)
    return out


def test_verdict(npz, run, parsed, tmp_path) -> None:
    a = written(run, npz, tmp_path / "a.json", *LINEAR)
    run("crossval", npz, *LINEAR, "--report", tmp_path / "r")
    b = tmp_path / "r" / "scores.json"
    result = run("compare", a, b)
    assert result.exit_code == 0
    last = result.stdout.splitlines()[-1]
    assert last.startswith("A and B do not differ significantly")
    assert last.endswith("they predict the same items correctly.")
    assert parsed(run("compare", a, b, "--json"))["difference"] == 0


def test_leaks_are_noted(npz, onnx, run, parsed, tmp_path) -> None:
    """The model was trained on what it is tested on; nothing is known of the other run."""
    seen, other = tmp_path / "seen.json", tmp_path / "other.json"
    seen.write_text(run("evaluate", onnx, npz, "--json").stdout)
    other.write_text(json.dumps(json.loads(seen.read_text()) | {"leaks": {"n": 0}}))
    result = run("compare", other, seen, "--json")
    assert (parsed(result)["leaks_a"], parsed(result)["leaks_b"]) == (0, 24)
    assert result.stderr.splitlines() == [
        "note: 24 of the items are also in the training data of B, so B looks better than it is"
    ]


def test_other_items(npz, run, refused, subset, tmp_path) -> None:
    a = written(run, npz, tmp_path / "a.json", *LINEAR)
    b = written(run, subset({"fist": 4, "point": 4}), tmp_path / "b.json", *LINEAR)
    assert "8 are in both, 24 in A and 8 in B" in refused(run("compare", a, b))
    c = written(run, npz, tmp_path / "c.json", *LINEAR, "--by", "random")
    assert "tested in the same way" in refused(run("compare", a, c))
    assert "there is no file" in refused(run("compare", a, tmp_path / "no.json"))
    assert "has no predictions" in refused(run("compare", a, _empty(tmp_path)))


def test_other_files(npz, onnx, refused, run) -> None:
    said = refused(run("compare", onnx, npz))
    assert f"{onnx}: it looks like a model, not a file of scores; write one with" in said
    assert "it looks like a dataset, not a file of scores" in refused(run("compare", npz, onnx))


def _empty(folder: Path) -> Path:
    path = folder / "old.json"
    path.write_text('{"accuracy": 1.0}')
    return path

import json

from handlore.cli import doctor
from handlore.landmarks import weights
from handlore.landmarks.detectors import DETECTORS


def test_says_what_runs_here_and_why(run):
    result = run("doctor", "--json")
    found = json.loads(result.stdout)
    assert result.exit_code == 0
    assert set(found["detectors"]) == set(DETECTORS)
    assert found["packages"]["numpy"]
    for choice in found["chosen"].values():
        assert found["detectors"][choice["name"]] is None
        assert choice["reason"]


def test_a_missing_model_is_a_problem_with_its_remedy(run, tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(weights, "_from_installed", dict)
    monkeypatch.delenv(weights.ENVIRONMENT_VARIABLE, raising=False)
    result = run("doctor")
    assert result.exit_code == 1
    assert "to do: the hand landmark model is not here: `handlore weights fetch`" in result.stdout


def test_two_builds_of_opencv_are_a_problem(run, monkeypatch):
    monkeypatch.setattr(doctor, "_version", lambda name: "5.0")
    result = run("doctor")
    assert result.exit_code == 1
    assert "pip uninstall -y opencv-python" in result.stdout


def test_a_bundle_that_is_none_is_a_problem_among_others(run, tmp_path, monkeypatch):
    broken = tmp_path / "x.task"
    broken.write_bytes(b"no zip")
    monkeypatch.setenv(weights.ENVIRONMENT_VARIABLE, str(broken))
    result = run("doctor", "--json")
    found = json.loads(result.stdout)
    assert result.exit_code == 1
    assert "is not a bundle" in found["problems"][0]
    assert found["packages"]["numpy"]

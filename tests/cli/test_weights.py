"""``handlore weights``."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Run = Callable[..., Result]
Parsed = Callable[..., Any]
Refused = Callable[..., str]


def test_show_and_verify(run: Run, parsed: Parsed, detector: object) -> None:
    shown = parsed(run("weights", "--json"))
    full = next(row for row in shown["bundles"] if row["landmarker"] == "full")
    assert Path(full["path"]).is_file()
    assert full["path"] in run("weights").stdout
    verified = run("weights", "verify")
    assert verified.exit_code == 0
    assert full["path"] in verified.stdout


def test_wrong_networks(
    run: Run, refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "fake.task"
    path.write_text("no zip")
    assert "is not a zip file" in refused(run("weights", "fetch", "--from", path))
    assert "cannot read" in refused(run("weights", "fetch", "--from", tmp_path / "missing.whl"))
    monkeypatch.setenv("HANDLORE_LANDMARKER", str(path))
    assert "fake.task" in refused(run("weights"))
    assert "HANDLORE_LANDMARKER" in refused(run("weights", "verify"))

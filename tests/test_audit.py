"""The audit of constraints.txt, with a stand-in for pip-audit: it asks no index."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
AUDIT = ROOT / ".ci" / "audit"
PINNED = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line]
SKIPPED = "Dependency not found on PyPI and could not be audited: x"

pytestmark = pytest.mark.skipif(os.name != "posix", reason="a shell script")


def audit(tmp_path: Path, output: str, code: int) -> subprocess.CompletedProcess[str]:
    (tmp_path / "pip_audit.py").write_text(
        "import sys\nif '--version' in sys.argv: sys.exit(0)\n"
        f"print({output!r})\nsys.exit({code})\n"
    )
    environment = os.environ | {"AUDIT_PYTHON": sys.executable, "PYTHONPATH": str(tmp_path)}
    return subprocess.run(
        [AUDIT], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_what_was_not_checked_is_not_called_clean(tmp_path: Path) -> None:
    output = "No known vulnerabilities found\n" + f"{SKIPPED}\n" * len(PINNED)
    done = audit(tmp_path, output, 0)
    assert done.returncode == 0
    assert "nothing was checked" in done.stdout
    assert "no known vulnerabilities" not in done.stdout.lower()


def test_without_a_network_it_passes_and_says_so(tmp_path: Path) -> None:
    done = audit(tmp_path, "ConnectionError: no route", 1)
    assert (done.returncode, "nothing was checked" in done.stdout) == (0, True)


def test_a_vulnerability_fails(tmp_path: Path) -> None:
    done = audit(tmp_path, "Found 1 known vulnerability in 1 package", 1)
    assert done.returncode == 1
    assert "Found 1 known" in done.stdout


def test_a_part_that_was_not_checked_is_counted(tmp_path: Path) -> None:
    done = audit(tmp_path, f"No known vulnerabilities found\n{SKIPPED}\n{SKIPPED}", 0)
    assert done.returncode == 0
    assert f"{len(PINNED) - 2} of {len(PINNED)} packages checked" in done.stdout
    assert "2 could not be checked" in done.stdout

from collections.abc import Iterator
from pathlib import Path

import pytest
from action_stubs import LABELS, Desk, Make

from handlore.capture.actions.file import load_actions


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Make]:
    """Make a desk of the text of an actions file."""
    made: list[Desk] = []

    def make(text: str, *, dry_run: bool = False) -> Desk:
        path = tmp_path / "actions.toml"
        path.write_text(text)
        plan = load_actions(path, LABELS, check_computer=not dry_run)
        made.append(Desk(plan, dry_run=dry_run))
        return made[-1]

    yield make
    for one in made:
        one.runner.close(0.0)

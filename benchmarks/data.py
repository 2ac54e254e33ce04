"""Where the real data sets are."""

import os
import sys
from pathlib import Path


def data_folder() -> Path:
    folder = Path(os.environ.get("HANDLORE_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        sys.exit(f"no real data sets in {folder}; name their folder in HANDLORE_DATA")
    return folder

"""Archives of arrays that become very large."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from handlore.datasets.tables import arrays
from handlore.landmarks.errors import InvalidDataError


def test_an_archive_is_unpacked_up_to_a_share_of_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez_compressed(tmp_path / "a.npz", X=np.zeros((5000, 63)))
    assert zipfile.is_zipfile(tmp_path / "a.npz")
    monkeypatch.setattr(arrays, "_LEAST_LIMIT", 1 << 20)
    with pytest.raises(InvalidDataError, match=r"X\.npy has 2 MB, expected at most 1 MB"):
        arrays._read_npz(tmp_path / "a.npz")

"""``info --plots`` on files, folders and what cannot be drawn."""

from pathlib import Path

from movement_stubs import movements
from recording_stubs import filled, held

from handlore.datasets.storage import save_dataset


def test_the_command_draws_files_and_folders(run, parsed, tmp_path: Path) -> None:
    save_dataset(movements(n_people=2, each=1), tmp_path / "moves.npz")
    out = tmp_path / "new" / "plots"
    shown = parsed(run("info", tmp_path / "moves.npz", "--plots", out, "--json"))
    assert sorted(shown["plots"]) == sorted(str(path) for path in out.iterdir())
    assert (out / "people.png").exists()
    folder = filled(tmp_path / "gestures", 2)
    folder.keep(held("fist"))
    done = run("info", folder.root, "--plots", tmp_path / "both")
    assert done.exit_code == 0
    names = {path.name for path in (tmp_path / "both").iterdir()}
    assert {"movements-paths.png", "static-poses-hands.png"} <= names
    (tmp_path / "file").write_text("")
    assert run("info", folder.root, "--plots", tmp_path / "file").exit_code == 2


def test_plots_of_an_earlier_dataset_do_not_stay_beside_the_new(npz, run, tmp_path: Path) -> None:
    out, folder = tmp_path / "plots", filled(tmp_path / "gestures", 2)
    folder.keep(held("fist"))

    def drawn(path: Path) -> set[str]:
        assert run("info", path, "--plots", out).exit_code == 0
        return {file.name for file in out.iterdir()}

    fresh = drawn(npz)
    assert "hands.png" in fresh
    (out / "notes.png").write_bytes(b"mine")
    save_dataset(movements(n_people=2, each=1), tmp_path / "moves.npz")
    assert {"paths.png", "hands.png", "notes.png"} & drawn(tmp_path / "moves.npz") == {
        "paths.png",
        "notes.png",
    }
    both = drawn(folder.root)
    assert "movements-paths.png" in both
    assert "paths.png" not in both
    assert drawn(npz) == {*fresh, "notes.png"}


def test_plots_of_others_are_left_alone(npz, run, tmp_path: Path) -> None:
    (tmp_path / "paths.png").write_bytes(b"mine")
    assert run("info", npz, "--plots", tmp_path).exit_code == 0
    assert (tmp_path / "paths.png").read_bytes() == b"mine"


def test_what_cannot_be_drawn_is_told_in_a_line(onnx, run, refused, tmp_path: Path) -> None:
    assert "nothing to draw" in refused(run("info", onnx, "--plots", tmp_path / "p"))
    assert "make a dataset of it with" in refused(run("info", tmp_path))
    assert "no file" in refused(run("info", tmp_path / "x.npz", "--plots", tmp_path / "q"))

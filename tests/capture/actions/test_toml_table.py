"""Line numbers of keys in a TOML file."""

from handlore.capture.actions.toml_table import lines_of


def test_lines_of() -> None:
    text = (
        'a.b = 1\n[t]\nx = """\n[no]\ny = 1\n"""\n"q.r" = 2\n[[t.u]]\n[[t.u]]\nz = [\n1,\n2]\nw=0'
    )
    found = lines_of(text)
    assert (found["a",], found["a", "b"], found["t", "x"], found["t", "q.r"]) == (1, 1, 3, 7)
    assert (found["t", "u", 0], found["t", "u", 1], found["t", "u", 1, "w"]) == (8, 9, 13)
    assert ("no",) not in found

"""A label is data: placeholders are refused where an interpreter reads code."""

import json
from pathlib import Path

import pytest

from handlore.capture.actions.file import load_actions
from handlore.capture.actions.interpreters import code_arguments
from handlore.landmarks.errors import InvalidDataError

CODE = """
sh -c {label}
/bin/sh -c 'echo {label}'
bash -lc 'echo {label}'
bash -c -e 'echo {label}'
bash -ec 'x {label}' sh a
zsh -o errexit -c 'echo {hand}'
sudo -u me sh -c 'echo {label}'
env A=1 bash -c 'echo {label}'
busybox sh -c 'echo {label}'
timeout 5 dash -c 'echo {label}'
python -c 'print("{label}")'
python3.11 -c 'print("{label}")'
python3 -Ic 'print("{label}")'
perl -e 'print "{label}"'
perl -ne'print "{label}"' file
ruby -e 'puts "{label}"'
node -e 'x("{label}")'
node --eval='x("{label}")'
php -r 'echo "{label}";'
osascript -e 'say "{label}"'
cmd /c 'echo {label}'
cmd.exe /C echo {label}
powershell -Command 'Write {label}'
powershell.exe -NoProfile 'Write {label}'
pwsh -c 'Write {label}'
ssh pi@host say {label}
ssh -p 22 host 'say {label}'
tmux send-keys {label}
watch echo {label}
su -c 'echo {label}' me
awk 'BEGIN {{print "{label}"}}'
sqlite3 log.db 'insert into e values ("{label}")'
fish --command='echo {label}'
env -S 'echo {label}'
env -iS 'echo {label}'
fish -C 'echo {label}'
bash -c -o pipefail 'echo {label}'
xonsh -c 'echo {label}'
flock f -c 'echo {label}'
script -qc 'echo {label}'
npx -c 'echo {label}'
nix-shell --run 'echo {label}'
mosh host {label}
R -e '{label}'
octave --eval '{label}'
py -3 -c '{label}'
python3.13t -c '{label}'
vim '+{label}'
make 'X={label}'
git -c 'alias.x=!{label}' x
powershell -Command '{label}' -File x.ps1
"""

DATA = """
echo {label}
notify-send Gesture '{label} {probability}'
sh -c 'echo "$1"' sh {label}
sh script.sh {label}
bash ./run -c {label}
python script.py {label}
python -m notes {label}
perl script.pl {label}
pwsh -File script.ps1 {label}
osascript say.scpt {label}
/opt/shell {label}
mosquitto_pub -t hands -m {label}
"""


def words(line: str) -> list[str]:
    import shlex

    return shlex.split(line.replace("{{", "(").replace("}}", ")"))


def write(path: Path, command: list[str]) -> Path:
    path.write_text(f"[actions.fist]\nrun = {json.dumps(command)}\n")
    return path


@pytest.mark.parametrize("line", CODE.split("\n")[1:-1])
def test_placeholders_in_code_are_refused(line: str, tmp_path: Path) -> None:
    file = write(tmp_path / "a.toml", words(line))
    with pytest.raises(InvalidDataError, match=r"line 2: .* as code; use the variable"):
        load_actions(file, ["fist"], check_computer=False)


@pytest.mark.parametrize("line", [one for one in DATA.split("\n")[1:-1] if " -c {" not in one])
def test_placeholders_in_data_are_allowed(line: str, tmp_path: Path) -> None:
    file = write(tmp_path / "a.toml", words(line))
    assert load_actions(file, ["fist"], check_computer=False).actions


def test_code_without_placeholders_is_allowed(tmp_path: Path) -> None:
    file = write(tmp_path / "a.toml", ["sh", "-c", 'echo "$HANDLORE_LABEL"'])
    assert load_actions(file, ["$(touch x)", "fist"], check_computer=False).actions


def test_places() -> None:
    assert set(code_arguments(["nice", "sh", "-xc", "code", "$0", "$1"])) == {(3, "sh")}
    assert not set(code_arguments(["echo", "hi"]))


@pytest.mark.parametrize(
    "text",
    ["a." * 17_000 + "a = 1", "[" + "a." * 40 + "a]", '"a" . ' * 40 + "a = 1", "a = 1\n" * 20_000],
)
def test_deep_names_are_refused_quickly(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(InvalidDataError, match="more than 32 parts or more than 10000 lines"):
        load_actions(tmp_path / "a.toml", ["fist"])


def test_a_pipe_is_named(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "a.toml")
    with pytest.raises(InvalidDataError, match="is a pipe or a device"):
        load_actions(tmp_path / "a.toml", ["fist"])

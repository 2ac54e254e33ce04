"""A label is data: placeholders are refused where an interpreter reads code."""

import json
import time
from pathlib import Path

import pytest

from handlore.capture.actions.file import load_actions
from handlore.capture.actions.interpreters import code_arguments
from handlore.landmarks.errors import InvalidDataError
from handlore.models.stream.events import Event

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
jq '.{label}'
jq --arg a b '{label}'
m4 -D 'X={label}'
sudo -s echo {label}
sudo -u me -i {label}
sudo {label}
sudo -u me {label}
timeout 5 sh -c 'echo {label}'
timeout -k 1 5 {label}
nohup sh -c 'echo {label}'
nohup {label}
nice -n 5 {label}
env A=1 {label}
xargs -n 1 {label}
xargs sh -c 'echo {label}'
xargs sh {label}
find . -exec sh -c 'echo {label}' ';'
find . -exec {label} ';'
doas sh -c 'echo {label}'
systemd-run --user sh -c 'echo {label}'
systemd-run -p 'ExecStopPost={label}' true
screen -X exec {label}
parallel echo ::: {label}
git submodule foreach 'echo {label}'
git -c core.pager='{label}' log
git rebase --exec '{label}'
vim -c '!{label}'
emacs --eval '(shell "{label}")'
emacs -f {label}
sed -e 's/a/{label}/e'
lua -e 'print("{label}")'
perl -M'{label}' x.pl
node -r {label} x.js
sh {label}
bash -o errexit {label}
python {label}
python3 -m {label}
python -W error {label}
just say {label}
tar cf x.tar . --checkpoint-action=exec={label}
rsync -avze '{label}' a b:
ncat -l -c '{label}'
socat - 'EXEC:{label}'
busybox {label}
xdotool exec {label}
festival -b '(SayText "{label}")'
gdbus call -m org.gnome.Shell.Eval '{label}'
speak.bat {label}
gst-launch-1.0 videotestsrc ! textoverlay text={label} ! fakesink
pdflatex '\\write{label}'
R -e 'x("{label}")'
redis-cli eval '{label}' 0
mysql -e 'insert into e values ("{label}")'
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
mosquitto_pub -t watch -m {label}
xdotool key {label}
xdotool type {label}
espeak {label}
espeak-ng -v de at {label}
sudo notify-send make {label}
sudo -u me notify-send -i {label} -s {label}
timeout 5 notify-send {label}
nice -n 5 espeak {label}
env A={label} ./show
env -u A ./show {label}
nohup ./show {label}
jq -n --arg l {label} '.x = $l'
awk -v l={label} 'BEGIN {(print l)}'
git commit -m {label}
redis-cli publish hands {label}
playerctl -p {label} play-pause
systemd-run --user ./show {label}
xargs -n 1 ./show {label}
python -W error show.py {label}
busybox logger {label}
./show command {label}
wget -q http://localhost/{label}
gdbus call -m org.freedesktop.Notifications.Notify {label}
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


@pytest.mark.parametrize(
    "line", ["awk '{print}'", "awk -v x={pinch} '{pinches}'", "xargs -I {} sh -c 'echo {lable}'"]
)
@pytest.mark.parametrize("keys", ['map = "pinch"', 'map = { pinch = "side", volume = "pinch" }'])
def test_other_braces_in_code_are_its_own(line: str, keys: str, tmp_path: Path) -> None:
    """None of them can be a misspelt placeholder, as none is allowed there."""
    file = write(tmp_path / "a.toml", words(line))
    file.write_text(f"{file.read_text()}{keys}\n")
    (action,) = load_actions(file, ["fist"], check_computer=False).actions
    assert action.kind.describe(Event("fist", 0.0, 1.0, 0.9, None)).endswith(words(line)[-1])


@pytest.mark.parametrize("text", ["{print}", "{lable}"])
def test_braces_in_data_are_checked(text: str, tmp_path: Path) -> None:
    file = write(tmp_path / "a.toml", ["echo", text])
    file.write_text(f'{file.read_text()}map = "pinch"\n')
    with pytest.raises(InvalidDataError, match="line 2: run has"):
        load_actions(file, ["fist"], check_computer=False)


def test_places() -> None:
    assert set(code_arguments(["nice", "sh", "-xc", "code", "$0", "$1"])) == {
        (1, "nice"),
        (3, "sh"),
    }
    assert not set(code_arguments(["echo", "hi"]))


@pytest.mark.parametrize("text", ["a" * 1_000_000, '"' + "a" * 1_000_000, "a " * 500_000])
def test_long_words_are_refused_quickly(text: str, tmp_path: Path) -> None:
    """A look for deep names took the square of their length."""
    (tmp_path / "a.toml").write_text(text)
    started = time.monotonic()
    with pytest.raises(InvalidDataError, match="is not TOML"):
        load_actions(tmp_path / "a.toml", ["fist"])
    assert time.monotonic() - started < 5


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

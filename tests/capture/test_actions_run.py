"""Real actions: commands, web addresses, a broker, keys; and what keeps them in order."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from handlore.capture.actions.file import ActionSet, load_actions
from handlore.capture.actions.post import MOST_LATE
from handlore.capture.actions.runner import ActionResult, ActionRunner, Gate
from handlore.models.stream.events import Event

LABELS = ("fist", "open_palm", "swipe_left")
posix = pytest.mark.skipif(os.name != "posix", reason="uses the programs of Unix")


def seen(label: str, end: float = 1.0, hand: str | None = "left") -> Event:
    return Event(label, 0.0, end, 0.97, hand)


class Desk:
    """Runs an actions file and keeps what became of the events."""

    def __init__(self, plan: ActionSet, *, dry_run: bool = False) -> None:
        self.outcomes: list[ActionResult] = []
        self.runner = ActionRunner(plan, self.outcomes.append, dry_run=dry_run)

    def wait(self, n: int, seconds: float = 10.0) -> list[tuple[str, str]]:
        """Wait for so many outcomes and return state and detail of all."""
        deadline = time.monotonic() + seconds
        while len(self.outcomes) < n and time.monotonic() < deadline:
            time.sleep(0.002)
        return [(one.state, one.detail) for one in self.outcomes]


Make = Callable[..., Desk]


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


def decisions(text: str, tmp_path: Path, events: list[Event]) -> list[list[str]]:
    path = tmp_path / "actions.toml"
    path.write_text(text)
    gate = Gate(load_actions(path, LABELS))
    return [[call.refused or "called" for call in gate.calls(event)] for event in events]


def test_cooldown_counts_the_seconds_of_the_stream(tmp_path: Path) -> None:
    events = [seen("fist", t) for t in (0.0, 0.5, 0.999, 1.0, 1.5, 2.1)]
    said = decisions('[actions.fist]\nsay = "a"\ncooldown = 1', tmp_path, events)
    assert [one[0] for one in said] == [
        "called", "cooling down", "cooling down", "called", "cooling down", "called",
    ]  # fmt: skip


def test_nothing_is_done_before_the_arming_gesture_nor_long_after(tmp_path: Path) -> None:
    text = '[arming]\nlabel = "open_palm"\nseconds = 2\n[actions.fist]\nsay = "a"\n'
    events = [seen("fist", 1), seen("open_palm", 2), seen("fist", 3), seen("fist", 4.5)]
    assert decisions(text, tmp_path, events) == [["not armed"], [], ["called"], ["not armed"]]


def test_the_arming_gesture_does_not_call_its_own_action_at_once(tmp_path: Path) -> None:
    text = '[arming]\nlabel = "fist"\nseconds = 2\n[actions.fist]\nsay = "a"\n'
    assert decisions(text, tmp_path, [seen("fist", 1), seen("fist", 2)]) == [
        ["not armed"], ["called"],
    ]  # fmt: skip


def test_an_action_can_be_for_one_hand_or_for_any_label(tmp_path: Path) -> None:
    text = '[actions.fist]\nsay = "a"\nhand = "right"\n[actions."*"]\nsay = "b"\n'
    events = [seen("fist", hand="right"), seen("fist", hand="left"), seen("swipe_left", hand=None)]
    assert [len(one) for one in decisions(text, tmp_path, events)] == [2, 1, 1]


def test_a_restarted_stream_forgets_arming_and_cooldown(tmp_path: Path) -> None:
    path = tmp_path / "actions.toml"
    path.write_text('[arming]\nlabel = "fist"\nseconds = 9\n[actions.fist]\nsay = "a"\n')
    gate = Gate(load_actions(path, LABELS))
    gate.calls(seen("fist", 100.0))
    assert gate.armed(101.0)
    gate.reset()
    assert not gate.armed(101.0)


@posix
def test_a_command_gets_its_arguments_as_they_are_and_the_event_around_it(
    desk: Make, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    script = tmp_path / "script"
    script.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" "$HANDLORE_LABEL" "$HANDLORE_HAND" > {out}\n'
                      f'echo "$HANDLORE_EVENT" >> {out}\n')  # fmt: skip
    script.chmod(0o755)
    one = desk(f'[actions.fist]\nrun = ["{script}", "a b; rm -rf $HOME", "is {{label}}"]')
    one.runner.submit(seen("fist"))
    assert one.wait(1)[0][0] == "done"
    *words, event = out.read_text().splitlines()
    assert words == ["a b; rm -rf $HOME", "is fist", "fist", "left"]
    assert json.loads(event) == seen("fist").as_json()


@posix
def test_a_shell_reads_a_line_only_if_asked(desk: Make, tmp_path: Path) -> None:
    out = tmp_path / "out"
    one = desk(
        f"[actions.fist]\nrun = 'echo \"$HANDLORE_LABEL\" | tr a-z A-Z > {out}'\nshell = true"
    )
    one.runner.submit(seen("fist"))
    assert one.wait(1)[0][0] == "done"
    assert out.read_text() == "FIST\n"


@posix
@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ('["false"]', "ended with exit code 1"),
        ('["sh", "-c", "kill -9 $$"]', "was ended by SIGKILL"),
    ],
)
def test_a_command_that_fails_is_told(command: str, reason: str, desk: Make) -> None:
    one = desk(f"[actions.fist]\nrun = {command}")
    one.runner.submit(seen("fist"))
    assert one.wait(1) == [("failed", reason)]


@posix
def test_a_program_that_vanished_is_a_failure_and_not_the_end(desk: Make, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    one = desk(f'[actions.fist]\nrun = ["{program}"]\n[actions.swipe_left]\nrun = ["true"]')
    program.unlink()
    one.runner.submit(seen("fist"))
    one.runner.submit(seen("swipe_left"))
    states = sorted(state for state, _ in one.wait(2))
    assert states == ["done", "failed"]


@posix
def test_what_hangs_is_killed_with_all_its_children(desk: Make, tmp_path: Path) -> None:
    """The child ignores the polite signal, as some do."""
    pids = tmp_path / "pids"
    script = tmp_path / "script"
    script.write_text(
        f"#!/bin/sh\n(trap '' TERM; while :; do sleep 0.05; done) &\necho $! $$ > {pids}\nwait\n"
    )
    script.chmod(0o755)
    one = desk(f'[actions.fist]\nrun = ["{script}"]\ntimeout = 0.3')
    one.runner.submit(seen("fist"))
    assert one.wait(1) == [("failed", "took longer than 0.3 s and was killed")]
    deadline = time.monotonic() + 5.0
    while left := [pid for pid in map(int, pids.read_text().split()) if _lives(pid)]:
        assert time.monotonic() < deadline, left
        time.sleep(0.01)


@posix
def test_nothing_piles_up_behind_a_slow_command(desk: Make) -> None:
    one = desk('[actions.fist]\nrun = ["sleep", "0.3"]\nwaiting = 2')
    begun = time.monotonic()
    for _ in range(50):
        one.runner.submit(seen("fist"))
    assert time.monotonic() - begun < 0.25  # nobody waited for the command
    assert Counter(state for state, _ in one.wait(50)) == {"skipped": 47, "done": 3}


@posix
def test_closing_kills_what_runs_and_skips_what_waits(desk: Make) -> None:
    one = desk('[actions.fist]\nrun = ["sleep", "60"]\nwaiting = 2')
    for _ in range(3):
        one.runner.submit(seen("fist"))
    time.sleep(0.1)
    begun = time.monotonic()
    one.runner.close(0.1)
    assert time.monotonic() - begun < 1.0
    assert Counter(state for state, _ in one.wait(3)) == {"skipped": 2, "failed": 1}
    one.runner.submit(seen("fist"))
    assert len(one.outcomes) == 4  # and nothing is taken any more
    assert one.outcomes[-1].state == "skipped"


@posix
def test_ctrl_c_while_the_last_ones_are_waited_for_leaves_none_behind(desk: Make) -> None:
    one = desk('[actions.fist]\nrun = ["sleep", "60"]\n[actions.swipe_left]\nrun = ["sleep", "61"]')
    one.runner.submit(seen("fist"))
    one.runner.submit(seen("swipe_left"))
    time.sleep(0.1)
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(KeyboardInterrupt):
            one.runner.close(30.0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert one.wait(2) == [("failed", "was ended by SIGKILL")] * 2


def test_a_dry_run_only_says(desk: Make, tmp_path: Path) -> None:
    text = f'[actions.fist]\nrun = ["touch", "{tmp_path / "no"}", "{{label}}"]\n'
    text += '[actions.swipe_left]\nkey = "ctrl+left"'
    one = desk(text, dry_run=True)
    one.runner.submit(seen("fist"))
    one.runner.submit(seen("swipe_left"))
    assert one.wait(2) == [
        ("dry run", f"run touch {tmp_path / 'no'} fist"), ("dry run", "press ctrl+left"),
    ]  # fmt: skip
    assert not (tmp_path / "no").exists()


def test_ten_thousand_events_none_lost_none_doubled(desk: Make) -> None:
    one = desk('[actions.fist]\nsay = "{end}"\nwaiting = 10000\n[actions."*"]\nsay = "any {end}"')
    for number in range(10_000):
        one.runner.submit(seen("fist", end=float(number)))
    one.wait(20_000)
    mine = Counter(o.event.end for o in one.outcomes if o.action.label == "fist")
    assert mine == Counter(float(n) for n in range(10_000))
    assert all(o.state == "done" for o in one.outcomes if o.action.label == "fist")
    # The other may not have kept up, but each of its calls was answered once.
    assert Counter(o.event.end for o in one.outcomes if o.action.label == "*") == mine
    assert sum(one.runner.counts.values()) == 20_000


@posix
@pytest.mark.parametrize(
    "n", [200, pytest.param(10_000, marks=pytest.mark.slow)], ids=lambda n: f"{n} commands"
)
def test_commands_none_lost_none_doubled_no_zombie(n: int, desk: Make, tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = tmp_path / "script"
    script.write_text(f'#!/bin/sh\necho "$HANDLORE_END" >> {log}\n')
    script.chmod(0o755)
    one = desk(f'[actions.fist]\nrun = ["{script}"]\nwaiting = 10000')
    for number in range(n):
        one.runner.submit(seen("fist", end=float(number)))
    assert {state for state, _ in one.wait(n, 300.0)} == {"done"}
    assert log.read_text().splitlines() == [f"{number}.000" for number in range(n)]
    assert _zombies() == []


class Answers(BaseHTTPRequestHandler):
    """Answers a POST by its path: a status, or silence."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.headers["Authorization"], json.loads(body)))  # type: ignore[attr-defined]
        if self.path == "/hang":
            time.sleep(1.0)
            return
        if self.path == "/drip":
            with contextlib.suppress(OSError):  # as soon as nobody listens any more
                for sign in b"HTTP/1.1 200 OK\r\n" * 3:
                    self.wfile.write(bytes([sign]))
                    time.sleep(0.05)
            return
        self.send_response(int(self.path[1:]))
        if self.path.startswith("/3"):
            self.send_header("Location", "/204")
        self.end_headers()

    def do_GET(self) -> None:
        self.server.got.append("a GET")  # type: ignore[attr-defined]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def web() -> Iterator[ThreadingHTTPServer]:
    """A web server on this computer that keeps what it was sent."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.got = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_an_event_is_posted_as_json(desk: Make, web: ThreadingHTTPServer) -> None:
    address = f"http://127.0.0.1:{web.server_port}"
    one = desk(
        f'[actions.fist]\npost = "{address}/204"\nheaders = {{Authorization = "Bearer x"}}\n'
    )
    one.runner.submit(seen("fist"))
    assert one.wait(1) == [("done", f"post to {address}/204")]
    assert web.got == [("Bearer x", seen("fist").as_json())]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("500", "answered 500"),
        ("hang", "no answer within 0.2 s"),
        ("drip", "no answer within 0.2 s"),
    ],
)
def test_a_post_that_fails_is_told(
    path: str, reason: str, desk: Make, web: ThreadingHTTPServer
) -> None:
    address = f"http://127.0.0.1:{web.server_port}/{path}"
    one = desk(f'[actions.fist]\npost = "{address}"\ntimeout = 0.2')
    one.runner.submit(seen("fist"))
    ((state, detail),) = one.wait(1)
    assert (state, reason in detail) == ("failed", True), detail


def test_a_post_that_was_given_up_is_not_sent_later(
    desk: Make, web: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was told as failed; a light that goes on afterwards is worse than none."""
    found, look_up = threading.Event(), socket.getaddrinfo

    def slow(*given: Any, **named: Any) -> Any:
        found.wait(5.0)
        return look_up(*given, **named)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    one = desk(f'[actions.fist]\npost = "http://127.0.0.1:{web.server_port}/204"\ntimeout = 0.2\n')
    one.runner.submit(seen("fist"))
    assert one.wait(1) == [("failed", "no answer within 0.2 s")]
    late = [thread for thread in threading.enumerate() if thread.name == "post"]
    assert late
    found.set()
    for thread in late:
        thread.join(5.0)
    assert web.got == []  # type: ignore[attr-defined]


def test_a_server_that_never_comes_to_an_end_does_not_block_posts_to_others(
    desk: Make, web: ThreadingHTTPServer
) -> None:
    address, n = f"http://127.0.0.1:{web.server_port}", MOST_LATE + 1
    one = desk(
        f'[actions.fist]\npost = "{address}/drip"\ntimeout = 0.2\nwaiting = 20\n'
        f'[actions.open_palm]\npost = "{address}/204"\ntimeout = 0.5\n'
    )
    for _ in range(n):
        one.runner.submit(seen("fist"))
    assert {state for state, _ in one.wait(n)} == {"failed"}
    one.runner.submit(seen("open_palm"))
    assert one.wait(n + 1)[-1] == ("done", f"post to {address}/204")


def test_a_post_goes_where_the_file_says_and_nowhere_else(
    desk: Make, web: ThreadingHTTPServer
) -> None:
    """A redirection would be followed with GET, and with the password, and be called done."""
    address = f"http://127.0.0.1:{web.server_port}"
    one = desk(
        f'[actions.fist]\npost = "{address}/302"\nheaders = {{Authorization = "Bearer x"}}\n'
    )
    one.runner.submit(seen("fist"))
    ((state, detail),) = one.wait(1)
    assert (state, "it has moved to /204" in detail) == ("failed", True), detail
    assert len(web.got) == 1  # type: ignore[attr-defined]


def test_a_post_takes_names_in_braces_as_one_part_of_its_path(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text('[actions."*"]\npost = "http://h/{label}?hand={hand}"')
    (action,) = load_actions(path, ["../a b?", "fist"]).actions
    assert action.deed.said(seen("../a b?")) == "post to http://h/..%2Fa%20b%3F?hand=left"


def test_a_post_to_nobody_is_told(desk: Make) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        one = desk(f'[actions.fist]\npost = "http://127.0.0.1:{unused.getsockname()[1]}/"')
        one.runner.submit(seen("fist"))
        ((state, detail),) = one.wait(1)
    assert state == "failed"
    assert "cannot be reached" in detail


class Broker(threading.Thread):
    """As much of MQTT 3.1.1 as one client needs: it accepts, and answers what is published."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.got: list[tuple[str, bytes]] = []
        self.answers = True
        self.code = 0
        """The answer to who comes; 5: not with this password."""

    def run(self) -> None:
        connection, _ = self.listener.accept()
        with connection, connection.makefile("rb") as stream:
            while head := stream.read(1):
                length, shift = 0, 0
                while True:
                    byte = stream.read(1)[0]
                    length, shift = length | (byte & 127) << shift, shift + 7
                    if byte < 128:
                        break
                self._take(head[0], stream.read(length), connection)

    def _take(self, head: int, body: bytes, connection: socket.socket) -> None:
        if head >> 4 == 1:
            connection.sendall(bytes([0x20, 2, 0, self.code]))
        elif head >> 4 == 3:
            size = int.from_bytes(body[:2])
            self.got.append((body[2 : 2 + size].decode(), body[4 + size :]))
            if self.answers:
                connection.sendall(b"\x40\x02" + body[2 + size : 4 + size])


def test_an_event_is_published(desk: Make) -> None:
    pytest.importorskip("paho.mqtt", reason="needs paho-mqtt: pip install 'handlore[mqtt]'")
    broker = Broker()
    broker.start()
    one = desk(
        f'[actions.fist]\nmqtt = "hands/{{label}}"\nbroker = "mqtt://127.0.0.1:{broker.port}"\n'
        "timeout = 0.5\ncooldown = 0\nwaiting = 1\n"
    )
    one.runner.submit(seen("fist"))
    assert one.wait(1) == [("done", "publish to hands/fist")]
    ((topic, body),) = broker.got
    assert (topic, json.loads(body)["label"]) == ("hands/fist", "fist")
    broker.answers = False
    one.runner.submit(seen("fist"))
    assert one.wait(2)[1] == ("failed", "the broker 127.0.0.1 did not answer")


def test_a_broker_that_is_not_there_is_told(desk: Make) -> None:
    pytest.importorskip("paho.mqtt", reason="needs paho-mqtt: pip install 'handlore[mqtt]'")
    one = desk('[actions.fist]\nmqtt = "a"\nbroker = "mqtt://127.0.0.1:9"\ntimeout = 0.2')
    one.runner.submit(seen("fist"))
    assert one.wait(1) == [("failed", "no connection to the broker 127.0.0.1")]


def test_a_broker_that_refuses_is_told_in_its_words(desk: Make) -> None:
    pytest.importorskip("paho.mqtt", reason="needs paho-mqtt: pip install 'handlore[mqtt]'")
    broker = Broker()
    broker.code = 5
    broker.start()
    one = desk(
        f'[actions.fist]\nmqtt = "a"\nbroker = "mqtt://u:pw@127.0.0.1:{broker.port}"\ntimeout = 0.4'
    )
    one.runner.submit(seen("fist"))
    assert one.wait(1) == [("failed", "no connection to the broker 127.0.0.1: Not authorized")]


LISTENER = """
import sys, tkinter
root = tkinter.Tk()
root.bind("<Key>", lambda event: (print(event.keysym, event.state & 4, flush=True)))
root.after(200, lambda: (root.focus_force(), print("ready", flush=True)))
root.mainloop()
"""


@pytest.mark.skipif(
    not (shutil.which("Xvfb") and shutil.which("xdotool")), reason="needs Xvfb and xdotool"
)
def test_a_key_reaches_a_window(desk: Make, monkeypatch: pytest.MonkeyPatch, xvfb: str) -> None:
    pytest.importorskip("tkinter", reason="needs tkinter")
    monkeypatch.setenv("DISPLAY", xvfb)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    window = subprocess.Popen(
        [sys.executable, "-c", LISTENER], stdout=subprocess.PIPE, text=True, env=os.environ.copy()
    )
    assert window.stdout is not None
    try:
        assert window.stdout.readline() == "ready\n"
        one = desk('[actions.fist]\nkey = "ctrl+right"')
        one.runner.submit(seen("fist"))
        assert one.wait(1) == [("done", "press ctrl+right")]
        pressed = [window.stdout.readline().split() for _ in range(2)]
        assert pressed[1] == ["Right", "4"]
    finally:
        window.kill()
        window.wait()
        window.stdout.close()


def _lives(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def _zombies() -> list[str]:
    done = subprocess.run(
        ["ps", "--ppid", str(os.getpid()), "-o", "stat=,comm="],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return [line for line in done.stdout.splitlines() if line.startswith("Z")]

"""Arguments of a command that are code: a label in them would be run.

No shell reads the arguments of ``run``; but in ``run = ["sh", "-c", "echo {label}"]`` the program
is a shell. So placeholders are refused in what an interpreter is given as code, also behind
programs such as ``env`` or ``sudo``. The values are in variables of the environment, too.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath, PureWindowsPath

_CODE_OPTIONS: dict[str, str] = {
    # Shells: the first word behind -c, which may be joined with others (-lc), is code.
    **dict.fromkeys(
        ("sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish", "csh", "tcsh", "rbash", "nu"),
        r"-[A-Za-z]*c|--command|--init-command",
    ),
    **dict.fromkeys(("python", "pythonw", "pypy", "ipython"), r"-[A-Za-z]*c"),
    **dict.fromkeys(("perl", "ruby"), r"-[A-Za-z0-9]*[eE]"),
    **dict.fromkeys(("node", "nodejs", "bun"), r"-[ep]+|--eval|--print"),
    **dict.fromkeys(("php",), r"-[rBRE]|--run"),
    **dict.fromkeys(
        ("lua", "luajit", "rscript", "julia", "elixir", "groovy", "osascript"), r"-[eE]"
    ),
    **dict.fromkeys(
        ("vim", "nvim", "vi", "ex", "gdb", "expect", "psql", "script"), r"-(c|ex|S)|--cmd"
    ),
    **dict.fromkeys(("emacs", "emacsclient"), r"-(e|eval)|--eval|--execute"),
    **dict.fromkeys(("mysql", "mariadb"), r"-e|--execute"),
    **dict.fromkeys(("xterm", "gnome-terminal", "konsole", "xfce4-terminal"), r"-(e|x)|--command"),
    **dict.fromkeys(("su", "runuser"), r"-c|--command|--session-command"),
    "env": r"-S|--split-string",
    "flatpak": r"--command",
}
"""The options whose argument is code, by the name of the program without version and ``.exe``."""

_ALL_CODE = frozenset(
    (
        *("cmd", "command.com", "ssh", "wsl", "adb", "eval", "watch", "tmux", "screen", "parallel"),
        *("powershell", "pwsh", "mshta", "awk", "gawk", "mawk", "nawk", "sed", "sqlite", "deno"),
        *("i3-msg", "swaymsg", "hyprctl", "at", "batch", "dc", "bc", "xdg-terminal-exec"),
    )
)
"""Programs that read all of their arguments as code, or hand them to a shell."""

_NOT_CODE = {"powershell": "-file", "pwsh": "-file"}
"""Behind this option they run a file, and the rest is data."""


def code_arguments(arguments: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yield the place of each argument that is code, and the program that reads it."""
    for place, argument in enumerate(arguments):
        name = _program(argument)
        if name in _ALL_CODE:
            rest = arguments[place + 1 :]
            if _NOT_CODE.get(name) not in [one.lower() for one in rest]:
                yield from ((place + 1 + k, name) for k in range(len(rest)))
        elif name in _CODE_OPTIONS:
            yield from _behind_options(arguments, place, name)


def _behind_options(arguments: Sequence[str], place: int, name: str) -> Iterator[tuple[int, str]]:
    """Yield what stands behind an option for code: joined with it, or the next word."""
    option = re.compile(_CODE_OPTIONS[name])
    for k in range(place + 1, len(arguments)):
        found = option.match(arguments[k])
        if not found:
            continue
        if found.end() < len(arguments[k]):
            yield k, name
        following = range(k + 1, len(arguments))
        code = next((j for j in following if arguments[j][:1] not in ("-", "+")), None)
        yield from ((j, name) for j in following if code is None or j <= code)


def _program(argument: str) -> str:
    """Return the name of a program, without folder, version and ``.exe``."""
    name = PureWindowsPath(PurePath(argument).name).name.lower().removesuffix(".exe")
    return re.sub(r"[-.]?[0-9][0-9.]*$", "", name) or name

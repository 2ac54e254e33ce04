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
        (
            *("sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish", "csh", "tcsh", "rbash"),
            *("nu", "xonsh", "elvish", "yash", "oksh", "lksh", "pdksh", "posh", "osh", "ysh"),
            *("es", "rc", "hush", "sash", "sg", "capsh", "flock", "script"),
        ),
        r"-[A-Za-z]*[cC]|--commands?|--init-command",
    ),
    **dict.fromkeys(
        ("python", "pythonw", "pypy", "ipython", "bpython", "micropython", "py", "hy"),
        r"-[A-Za-z]*c",
    ),
    **dict.fromkeys(("perl", "ruby", "raku"), r"-[A-Za-z0-9]*[eE]"),
    **dict.fromkeys(
        ("node", "nodejs", "bun", "tsx", "ts-node", "qjs"), r"-[ep]+|--eval|--print|--import"
    ),
    **dict.fromkeys(("php",), r"-[rBRE]|--run"),
    **dict.fromkeys(
        (
            *("lua", "luajit", "r", "rscript", "julia", "elixir", "groovy", "osascript", "scala"),
            *("kotlin", "swift", "racket", "clojure", "clj", "ghc", "ocaml", "gnuplot"),
            *("scheme", "csi", "janet", "fennel"),
        ),
        r"-[eE]|--eval",
    ),
    **dict.fromkeys(("octave", "octave-cli", "sbcl", "nim", "mongo", "mongosh"), r"--eval"),
    **dict.fromkeys(
        ("vim", "nvim", "vi", "ex", "gdb", "expect", "psql"), r"-(c|ex|S)|--cmd|--command|\+"
    ),
    **dict.fromkeys(("npm", "npx"), r"-c|--call"),
    "guile": r"-c",
    "matlab": r"-(batch|r)",
    "erl": r"-eval",
    "lldb": r"-[oO]|--one-line",
    "nix-shell": r"--run|--command",
    "git": r"-c|--exec-path",
    "nu": r"-[A-Za-z]*[ce]|--commands|--execute",
    **dict.fromkeys(("emacs", "emacsclient"), r"-(e|eval)|--eval|--execute"),
    **dict.fromkeys(("mysql", "mariadb"), r"-e|--execute"),
    **dict.fromkeys(("xterm", "gnome-terminal", "konsole", "xfce4-terminal"), r"-(e|x)|--command"),
    **dict.fromkeys(("su", "runuser"), r"-c|--command|--session-command"),
    "env": r"-[A-Za-z0]*S|--split-string",
    "flatpak": r"--command",
}
"""The options whose argument is code, by the name of the program without version and ``.exe``."""

_ALL_CODE = frozenset(
    (
        *("cmd", "command.com", "ssh", "wsl", "adb", "eval", "watch", "tmux", "screen", "parallel"),
        *("powershell", "pwsh", "mshta", "awk", "gawk", "mawk", "nawk", "sed", "sqlite", "deno"),
        *("mosh", "rsh", "remsh", "plink", "dbclient", "autossh", "make", "gmake", "timeit"),
        *(
            "entr",
            "crontab",
            "rundll",
            "i3-msg",
            "swaymsg",
            "hyprctl",
            "at",
            "batch",
            "dc",
            "bc",
            "xdg-terminal-exec",
        ),
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
            for k in range(place + 1, len(arguments)):
                if arguments[k].lower() == _NOT_CODE.get(name):
                    break
                yield k, name
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
        code = next((j for j in following if _is_word(arguments, j)), None)
        yield from ((j, name) for j in following if code is None or j <= code)


def _is_word(arguments: Sequence[str], place: int) -> bool:
    """Say whether an argument is neither an option nor the value of one, as in ``-o pipefail``."""
    options = ("-", "+")
    return arguments[place][:1] not in options and arguments[place - 1][1:] not in ("o", "O")


def _program(argument: str) -> str:
    """Return the name of a program, without folder, version and ``.exe``."""
    name = PureWindowsPath(PurePath(argument).name).name.lower().removesuffix(".exe")
    return re.sub(r"[-.]?[0-9][0-9.]*t?(-dbg)?$", "", name) or name

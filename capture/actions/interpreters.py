"""Arguments of a command that are code: a label in them would be run.

No shell reads the arguments of ``run``; but in ``run = ["sh", "-c", "echo {label}"]`` the program
is a shell. So placeholders are refused in what an interpreter is given as code, also behind
programs such as ``env`` or ``sudo``, and where they would name the program or script to run. The
values are in variables of the environment, too.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath, PureWindowsPath

_SHELLS = (
    "sh bash dash ash zsh ksh mksh fish csh tcsh rbash nu xonsh elvish yash oksh lksh pdksh posh"
    " osh ysh es rc hush sash"
)
_PYTHONS = "python pythonw pypy ipython bpython micropython py hy jython sage"
_SCRIPT_ENGINES = "node nodejs bun tsx ts-node qjs d8 jsc rhino"

_CODE_OPTIONS = {
    # The first word behind -c is code; -c may be joined with other options (-lc).
    r"-[A-Za-z]*[cC]|--commands?|--init-command": f"{_SHELLS} sg capsh flock script",
    r"-[A-Za-z]*c": _PYTHONS,
    r"-[A-Za-z0-9]*[eE]|-[Mm](?=.)": "perl",
    r"-[A-Za-z0-9]*[eEr]": "ruby jruby raku rakudo rake",
    r"-[epr]+|--eval|--print|--import|--require|--(experimental-)?loader": _SCRIPT_ENGINES,
    r"-[rBRE]|--run": "php",
    r"-[eE]|--eval": (
        "lua luajit texlua r rscript julia elixir iex groovy osascript scala kotlin kotlinc swift"
        " racket clojure clj bb ghc ghci ocaml gnuplot scheme csi janet fennel moon crystal pike"
        " newlisp gforth ccl jimsh factor root scilab bpftrace mix"
    ),
    r"-(x|eval|g|t|code|c)|--?eval": (
        "octave octave-cli sbcl clisp ecl nim mongo mongosh swipl wolframscript"
    ),
    r"--(batch|run|init|preload)-string|-r": "maxima",
    r"-(c|ex|iex|S|eval-command)|--(init-)?(eval-)?(cmd|command)|\+": (
        "vim nvim vi view gvim ex gdb expect psql less more r radare kak"
    ),
    r"-c|--call": "npm npx pnpm yarn",
    r"-c": "guile gs ghostscript hs vagrant",
    r"-(batch|r)": "matlab",
    r"-eval": "erl",
    r"-[oO]|--one-line": "lldb",
    r"--run|--command": "nix-shell",
    r"-c|-x|-O|--exec(-path)?|--extcmd|--(upload|receive)-pack|--config-env|foreach$": "git",
    r"--config": "hg",
    r"-[A-Za-z]*e|--execute": "nu mysql mariadb wget influx",
    r"-(e|eval)|--eval|--execute|-f|--funcall": "emacs emacsclient",
    r"-[qQ]|--query": "sqlcmd clickhouse clickhouse-client",
    r"eval|EVAL|--eval": "redis-cli valkey-cli",
    r"-(e|x)|--(command|execute)": (
        "xterm uxterm gnome-terminal konsole xfce4-terminal x-terminal-emulator lxterminal urxvt"
        " rxvt mate-terminal terminator tilix alacritty kitty st qterminal"
    ),
    r"-c|--command|--session-command": "su runuser flatpak machinectl",
    r"-[A-Za-z0]*S|--split-string": "env",
    r"-p|--property": "systemd-run",
    r"-x|-a|--exec|--startas": "start-stop-daemon",
    r"-(exec|ok)(dir)?$|-[xX]|--exec(-batch)?": "find fd fdfind",
    r"--checkpoint-action|--to-command|-I|--use-compress-program|--rsh-command|-F|--info-script": (
        "tar gtar bsdtar"
    ),
    r"-[A-Za-z]*e|--rsh|--rsync-path": "rsync",
    r"-[oS]": "scp sftp",
    r"-[ce]|--(sh-|lua-)?exec": "nc ncat netcat",
    r"-[PH]|--pager|--html": "man",
    r"exec$": "xdotool",
    r"spawn$": "riverctl herbstclient niri",
    r"--(command|button|plug|(dclick|select)-action)": "yad",
    r"-execute": "terminal-notifier",
    r"-b|--batch|--eval|\(": "festival gimp",
    r"-send": "pd puredata",
    r"--actions": "inkscape",
    r"--python-(expr|text)": "blender",
    r"-[ae]|--args|--extra-vars": "ansible ansible-playbook",
    r"\\": "tex latex pdftex pdflatex xetex xelatex luatex lualatex",
    # Methods of desktops that run a script.
    r".*([Ee]val|evaluateScript)": "gdbus dbus-send busctl qdbus qdbus-qt",
}
"""Patterns of the options whose argument is code, and the programs that have them."""

_SHELL_LINES = (
    "cmd command.com ssh wsl adb eval watch tmux screen byobu zellij parallel mosh rsh remsh plink"
    " dbclient autossh pdsh clush pssh dsh at batch crontab salt salt-call rundll wmic schtasks"
    " forfiles wt conhost i3-msg swaymsg hyprctl xdg-terminal-exec"
)
_SCRIPTS = (
    "powershell pwsh mshta awk gawk mawk nawk goawk sed gsed sqlite duckdb deno jq gojq jaq yq m4"
    " make gmake bmake just timeit entr dc bc socat awesome-client gst-launch"
)
_ALL_CODE = frozenset(f"{_SHELL_LINES} {_SCRIPTS}".split())
"""Programs that read all of their arguments as code, or hand them to a shell."""

_DATA_OPTIONS = {
    "jq gojq jaq": (r"--arg(json)?$", 2),
    "awk gawk mawk nawk goawk": (r"-v$", 1),
}
"""Options of programs that read all else as code, whose values are data, and how many."""

_REST_IS_DATA = {"powershell": "-file", "pwsh": "-file"}
"""Behind this option they run a file, and the rest is data."""

_RUNS_WORD = {
    # Programs that run another one: their options that have a value, and the words before it.
    "nohup exec command builtin time busybox toybox unbuffer setsid setarch caffeinate": ("", 0),
    "nice ionice stdbuf xargs strace ltrace": (r"-[nioecaEILPsdbOSuUX]", 0),
    "timeout gtimeout": (r"-[ks]|--signal|--kill-after", 1),
    "sudo": (r"-[ugpCcDhrRtTU]|--(user|group|host|chdir|prompt)", 0),
    "doas pkexec": (r"-[uC]|--user", 0),
    "env": (r"-[uC]|--unset|--chdir", 0),
    "chrt taskset": (r"-[TPD]", 1),
    "chroot flock": (r"-[wE]|--timeout", 1),
    "systemd-run": (r"-[pMHuE]|--(unit|property|slice|setenv|description)", 0),
    "xvfb-run firejail unshare nsenter valgrind": (r"-[nsefpwtSG]", 0),
    "proot": (r"-[rbwq]", 0),
    # Interpreters: the first word is their script.
    _SHELLS: (r"[-+][oO]|--(rc|init-)file", 0),
    _PYTHONS: (r"-[WX]", 0),
    f"perl ruby jruby raku php lua luajit julia rscript tclsh wish groovy {_SCRIPT_ENGINES}": (
        r"-[IC]",
        0,
    ),
}
"""Programs whose first word is run."""

_SPEAKERS = (
    "echo printf logger wall notify-send notify-desktop dunstify zenity kdialog espeak espeak-ng"
    " spd-say say flite pico2wave mosquitto_pub mosquitto_rr playerctl pactl wpctl amixer mpc wtype"
    " ydotool brightnessctl"
)
_MESSAGES = frozenset(_SPEAKERS.split())
"""Programs whose arguments are data, even if one of them is called like an interpreter."""


def _by_program(table: dict[str, tuple[str, int]]) -> dict[str, tuple[re.Pattern[str], int]]:
    return {
        name: (re.compile(pattern or r"(?!)"), number)
        for names, (pattern, number) in table.items()
        for name in names.split()
    }


def _patterns() -> dict[str, re.Pattern[str]]:
    found: dict[str, list[str]] = {}
    for pattern, names in _CODE_OPTIONS.items():
        for name in names.split():
            found.setdefault(name, []).append(pattern)
    return {name: re.compile("|".join(patterns)) for name, patterns in found.items()}


_OPTIONS = _patterns()
_DATA = _by_program(_DATA_OPTIONS)
_WORDS = _by_program(_RUNS_WORD)
_SHELL_OPTION = re.compile(r"-[A-Za-z]*[si]$|--(shell|login)$")
"""Options of ``sudo`` with which it hands the command to a shell."""


def code_arguments(arguments: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yield the place of each argument that is code, and the program that reads it.

    An argument may come more than once. A program may come anywhere, since any program may run
    another one; only those that are known to show, speak or send their arguments don't.
    """
    first: int | None = 0
    for place, argument in enumerate(arguments):
        name = _program(argument)
        if place == first:
            if name in _MESSAGES:
                return
            first = _run_word(arguments, place) if name in _WORDS else None
            if first is not None:
                yield first, name
        yield from _code_of(arguments, place, name)


def _code_of(arguments: Sequence[str], place: int, name: str) -> Iterator[tuple[int, str]]:
    if name in _ALL_CODE or name.endswith((".bat", ".cmd")):
        yield from ((k, name) for k in _all_code(arguments, place, name))
    elif name in _OPTIONS:
        yield from _behind_options(arguments, place, name)
    elif name == "sudo":
        word = _run_word(arguments, place)
        options = arguments[place + 1 : word]
        if word is not None and any(_SHELL_OPTION.match(one) for one in options):
            yield from ((k, name) for k in range(word, len(arguments)))


def _all_code(arguments: Sequence[str], place: int, name: str) -> Iterator[int]:
    """Yield the places behind a program that reads all as code, values that are data left out."""
    option, number = _DATA.get(name, (None, 0))
    k = place + 1
    while k < len(arguments) and arguments[k].lower() != _REST_IS_DATA.get(name):
        if option and option.match(arguments[k]):
            k += number
        else:
            yield k
        k += 1


def _run_word(arguments: Sequence[str], place: int) -> int | None:
    """Return the place of the program or script that another one runs."""
    option, before = _WORDS[_program(arguments[place])]
    k = place + 1
    while k < len(arguments):
        word = arguments[k]
        if word[:1] in ("-", "+") and len(word) > 1:
            # A value that is joined with its option is no word of its own.
            k += bool((found := option.match(word)) and found.end() == len(word))
        elif "=" not in word.partition("{")[0]:
            if not before:
                return k
            before -= 1
        k += 1
    return None


def _behind_options(arguments: Sequence[str], place: int, name: str) -> Iterator[tuple[int, str]]:
    """Yield what follows an option for code: joined with it, or the next word."""
    option = _OPTIONS[name]
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
    if name in _ALL_CODE:  # such as m4, whose 4 is no version
        return name
    return re.sub(r"[-.]?[0-9][0-9.]*t?(-dbg)?$", "", name) or name

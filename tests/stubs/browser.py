"""A real browser without a window, for pages: it is asked by a script put into a copy of a page."""

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)

DARK = ("--blink-settings=preferredColorScheme=0",)


def browser() -> str:
    """Return the browser; tests that need one are skipped where there is none."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if not found:
        pytest.skip(f"needs a browser: {', '.join(NAMES)}")
    return found


def run(url: str, profile: Path, *options: str) -> str:
    """Open a page and return what the browser prints."""
    command = [browser(), *OPTIONS, f"--user-data-dir={profile}", *options, url]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    if done.returncode:
        pytest.skip(f"the browser does not run here: {done.stderr[-200:]}")
    return done.stdout


def asked(page: Path, script: str, folder: Path, *, width: int = 1100, dark: bool = False) -> Any:
    """Return what a script, the body of a function, finds on a page."""
    put = (
        f"<script>addEventListener('load', () => {{ const p = document.createElement('pre');"
        f" p.id = 'found'; p.textContent = JSON.stringify((() => {{ {script} }})());"
        " document.body.append(p); })</script></body>"
    )
    copy = folder / "asked.html"
    copy.write_text(page.read_text("utf-8").replace("</body>", put), "utf-8")
    shade = ("--blink-settings=preferredColorScheme=0",) if dark else ()
    text = run(
        copy.as_uri(), folder / "profile", f"--window-size={width},900", "--dump-dom", *shade
    )
    found = re.search(r'<pre id="found">(.*?)</pre>', text, re.DOTALL)
    assert found, text[-500:]
    return json.loads(unescape(found[1]))

"""The browser that tests run in: the Chromium or Chrome of this computer, else Debian's.

`python3 tests/chromium.py` prints where it is, and installs it where it is not; it needs nothing
but Python.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

VARIABLE = "CHROME_PATH"
"""Names the program, as it does for other tools that start Chrome."""

NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


class NoBrowser(Exception):
    """There is none, and none can be installed; the text says why."""


def chromium() -> str:
    """The program, installed first if need be. Raises NoBrowser."""
    if found := _found():
        return found
    _install()
    if found := _found():
        return found
    raise NoBrowser("Debian's package chromium is installed, but brought no program chromium")


def _found() -> str | None:
    if named := os.environ.get(VARIABLE):
        if program := shutil.which(named):
            return program
        raise NoBrowser(f"{VARIABLE} is {named}, which is no program")
    return next(filter(None, map(shutil.which, NAMES)), None)


def _install() -> None:
    """Debian's package. Raises NoBrowser where that is not up to us, or fails."""
    if not shutil.which("apt-get") or os.geteuid() != 0:
        raise NoBrowser(
            "install Chromium or Chrome (Debian: apt install chromium), "
            f"or name the program in {VARIABLE}"
        )
    import fcntl

    with open(__file__, "rb") as ours:
        fcntl.flock(ours, fcntl.LOCK_EX)  # the others of a test run wait, and then find it
        if _found():
            return
        _apt("update")
        done = _apt("install", "--yes", "--no-install-recommends", "chromium")
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        raise NoBrowser(f"apt-get could not install chromium: {reason[0]}")


def _apt(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["apt-get", "-qq", "--option=DPkg::Lock::Timeout=300", *arguments],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


if __name__ == "__main__":
    try:
        print(chromium())
    except NoBrowser as reason:
        sys.exit(f"no browser: {reason}")

"""The notify handler for Windows, which has no ``sh``: what ``handler.sh`` does, in Python.

Its text becomes the handler, with a call of `main` at the end, and runs without the rest of
vibescore.
"""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NoReturn

DETACHED = 0x00000008 | 0x00000200 | 0x08000000
"""DETACHED_PROCESS, CREATE_NEW_PROCESS_GROUP, CREATE_NO_WINDOW."""

GUARD = "VIBESCORE_NOTIFYING"


def main(
    arguments: Sequence[str],
    home: str,
    runtime: Sequence[str],
    originals: Mapping[str, Sequence[str]],
) -> NoReturn:
    """Have a sync started, then the original command of the source; ends the process with 0
    whatever happens.
    """
    source, payload = _split(arguments, originals)
    with suppress(OSError):
        _stamp(home, source, originals)
    with suppress(OSError):
        _track(home, source, runtime)
    with suppress(OSError):
        _chain(source, originals.get(source, ()), payload)
    os._exit(0)


def _split(
    arguments: Sequence[str], originals: Mapping[str, Sequence[str]]
) -> tuple[str, Sequence[str]]:
    """The source that called, and the arguments of the tool."""
    if not arguments or not arguments[0].startswith("--source="):
        return "unknown", arguments
    source = arguments[0].removeprefix("--source=")
    return source if source in originals else "unknown", arguments[1:]


def _stamp(home: str, source: str, originals: Mapping[str, Sequence[str]]) -> None:
    if source in originals:
        with open(os.path.join(home, "notify", source + ".called"), "w"):
            pass


def _track(home: str, source: str, runtime: Sequence[str]) -> None:
    if _somebody_waits(home):
        return
    variables = {**os.environ, "VIBESCORE_HOME": home}
    for name in ("PYTHONHOME", "PYTHONPATH"):
        variables.pop(name, None)
    _start([*runtime, "sync", "--auto", "--notified-by=" + source], variables, cwd=home)


def _somebody_waits(home: str) -> bool:
    """Whether a sync that has yet to begin will see this turn too. Whether it still lives cannot
    be asked here: on Windows, ``os.kill`` ends a process whatever the signal.
    """
    try:
        with open(os.path.join(home, "notify", "waiting"), encoding="ascii") as file:
            _, start, end = map(int, file.read().split())
    except (OSError, ValueError):
        return False
    return start <= time.time() < end


def _chain(source: str, original: Sequence[str], payload: Sequence[str]) -> None:
    been = os.environ.get(GUARD, "").split()
    if original and source not in been:
        _start([*original, *payload], {**os.environ, GUARD: " ".join([*been, source])})


def _start(command: Sequence[str], variables: Mapping[str, str], cwd: str | None = None) -> None:
    subprocess.Popen(
        command,
        cwd=cwd,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        creationflags=DETACHED if sys.platform == "win32" else 0,
    )

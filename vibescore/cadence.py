"""When a sync that a tool asked for may start: at most one every 20 seconds, one at a time, and
none is lost (NTF-07).

A notify starts a process. The first takes the lock of the one who waits, until the time has come
and no other runs; any more meanwhile end at once, because who waits has yet to look at the logs.
Both are locks of the operating system, so a killed process stands in nobody's way. On the way of
every notify, hence no import that takes long.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from math import ceil
from pathlib import Path

from vibescore.errors import BusyError
from vibescore.lock import exclusive

WINDOW = 20.0
"""Seconds from the start of a sync to that of the next."""

LONGEST_WAIT = 3600.0
"""Seconds to wait for a running sync to end."""

FOLDER = "notify"
WAITING, RUNNING = "waiting.lock", "running.lock"


@contextmanager
def turn(
    home: Path,
    *,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[bool]:
    """Wait for the time to sync: True then, and no other runs until the block ends; False if
    somebody waits already and will see what is new.

    ``clock`` tells UTC seconds. Raises StoreError when the home cannot be written.
    """
    folder = home / FOLDER
    with suppress(OSError):
        folder.mkdir(mode=0o700)
    with ExitStack() as running:
        try:
            with exclusive(folder / WAITING, wait=0), _announced(folder, clock):
                sleep(_until_next(folder, clock()))
                running.enter_context(exclusive(folder / RUNNING, wait=LONGEST_WAIT))
                started = clock()
                os.utime(folder / RUNNING, (started, started))
        except BusyError:
            yield False
        else:
            yield True


def last_start(home: Path) -> float | None:
    """UTC seconds when the last sync that a tool asked for started; None before the first."""
    try:
        return (home / FOLDER / RUNNING).stat().st_mtime
    except OSError:
        return None


def last_call(home: Path, source: str) -> float | None:
    """UTC seconds when a tool last called the handler; None before the first time."""
    try:
        return (home / FOLDER / f"{source}.called").stat().st_mtime
    except OSError:
        return None


def _until_next(folder: Path, now: float) -> float:
    """Seconds until a sync may start; a start in the future (the clock was set) is none."""
    started = last_start(folder.parent)
    if started is None or not 0 <= now - started < WINDOW:
        return 0.0
    return started + WINDOW - now


@contextmanager
def _announced(folder: Path, clock: Callable[[], float]) -> Iterator[None]:
    """Let handlers know meanwhile that somebody waits, so that they need not start anybody.

    They believe it for two windows at most. Best effort: without it they start a process that finds
    the lock held.
    """
    now, note = clock(), folder / "waiting"
    beside = folder / f"waiting.{os.getpid()}"
    try:
        with suppress(OSError):
            beside.write_text(f"{os.getpid()} {int(now)} {ceil(now + 2 * WINDOW)}\n", "ascii")
            beside.replace(note)
        yield
    finally:
        for path in (beside, note):
            with suppress(OSError):
                path.unlink()

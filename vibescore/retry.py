"""The scheduled retry: a process that waits for the time when rows may be sent, and then starts a
sync (QUE-04).

Two files in the home: ``retry`` holds the time (UTC seconds), and a lock on ``retry.lock`` shows
whether somebody waits for it; never more than one does. The lock dies with its holder, so whoever
syncs next sees that nobody waits any more, and starts another. Half an hour is long: what waits is
a shell of 2 MB with a ``sleep`` beside it, no Python of 8 or 20.
"""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from math import ceil
from pathlib import Path
from typing import NamedTuple

TICKET, LOCK = "retry", "retry.lock"

SCRIPT = """
cd /
ticket=$1
shift
while read -r at <"$ticket"; do
    left=$((at - $(date +%s)))
    [ "$left" -gt 0 ] || exec "$@" </dev/null
    sleep "$((left < 30 ? left : 30))"
done
"""
"""Looks at the ticket twice a minute: the time may have changed, or the clock, or the computer was
asleep; without a ticket there is nothing to wait for. Standard input is the lock."""


class Scheduled(NamedTuple):
    """A retry at ``at`` (UTC seconds), and whether a process waits for it."""

    at: int
    is_awaited: bool


def schedule(home: Path, at: float, command: Sequence[str]) -> None:
    """Have ``command`` started at ``at`` (UTC seconds), or soon after; a time that was scheduled
    before is replaced. Best effort: where it fails, the next sync tries again.
    """
    with suppress(OSError):
        beside = home / f".{TICKET}.{os.getpid()}"
        beside.write_text(f"{ceil(at)}\n", "ascii")
        beside.replace(home / TICKET)
        _wait_for(home, command)


def cancel(home: Path) -> None:
    """There is nothing to retry; who waits ends within half a minute."""
    with suppress(OSError):
        (home / TICKET).unlink()


def scheduled(home: Path) -> Scheduled | None:
    """The retry that is scheduled; looking changes nothing."""
    try:
        at = int((home / TICKET).read_text("ascii"))
    except (OSError, ValueError):
        return None
    return Scheduled(at, _is_held(home / LOCK))


if sys.platform == "win32":

    def _wait_for(home: Path, command: Sequence[str]) -> None:
        """There is no shell to wait in: the next sync sends what waits."""

    def _is_held(_: Path) -> bool:
        return False

else:
    import fcntl

    def _wait_for(home: Path, command: Sequence[str]) -> None:
        """Start who waits, unless somebody does. A lock by flock is handed on to a process that is
        started with the open file.
        """
        handle = os.open(home / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.posix_spawn(
                "/bin/sh",
                ["/bin/sh", "-c", SCRIPT, "vibescore-retry", str(home / TICKET), *command],
                os.environ,
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, handle, 0),
                    (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                    (os.POSIX_SPAWN_DUP2, 1, 2),
                ],
                setsid=True,
            )
        finally:
            os.close(handle)

    def _is_held(lock: Path) -> bool:
        try:
            handle = os.open(lock, os.O_RDONLY)
        except OSError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        else:
            return False
        finally:
            os.close(handle)

"""One sync at a time: an operating-system lock, which dies with its holder (NTF-07).

Written here because the usual library takes longer to import than a sync with nothing new takes to
run.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from vibescore.errors import BusyError, StoreError

WAIT_STEP = 0.1

if sys.platform == "win32":
    import msvcrt

    def _try(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _try(handle: int) -> None:
        # Not flock: helper processes would inherit it and outlive a killed holder with it.
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def exclusive(
    path: Path, *, wait: float, waiting: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Hold the lock ``path``, waiting up to ``wait`` seconds for another holder; then raises
    BusyError.

    ``waiting`` is called once if the lock is not free at once. Raises StoreError where no lock can
    be made.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreError(
            f"{path} cannot be opened: {error.strerror}. Make its folder writable, or name another "
            "one in VIBESCORE_HOME"
        ) from error
    try:
        _acquire(handle, wait, waiting)
        yield
    finally:
        os.close(handle)


def _acquire(handle: int, wait: float, waiting: Callable[[], None]) -> None:
    deadline = time.monotonic() + wait
    told = False
    while True:
        try:
            return _try(handle)
        except OSError as error:
            if time.monotonic() >= deadline:
                raise BusyError("another sync is running; this one left it to that one") from error
        if not told:
            told = True
            waiting()
        time.sleep(WAIT_STEP)

"""Ending a process that serves: always, and within a bounded time (SRV-22).

A thread waits for SIGTERM and SIGINT, because Sanic loses for good one that comes before its event
loop runs.
"""

import os
import signal
import time
from collections.abc import Callable
from multiprocessing import parent_process
from threading import Thread
from typing import Any, NoReturn

from sanic import Sanic

SIGNALS = (signal.SIGTERM, signal.SIGINT)
GRACE_SECONDS = 2
"""Beyond the time that requests have to end: for closing what is open."""

OFTEN = 0.05


def when_told(stop: Callable[[], object], *, seconds: int) -> None:
    """From now on a signal, or the end of the process that started this one, calls ``stop``; then
    this process ends, after ``seconds`` and a little in any case.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # also in threads to come
    Thread(target=_wait, args=(stop, seconds + GRACE_SECONDS), daemon=True).start()
    if parent_process() is not None:
        Thread(target=_outlive, daemon=True).start()


def _wait(stop: Callable[[], object], seconds: int) -> None:
    signal.sigwait(SIGNALS)
    Thread(target=_leave, kwargs={"after": seconds}, daemon=True).start()
    stop()


def _outlive() -> None:
    parent = parent_process()
    assert parent
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)


def _leave(*, after: float) -> NoReturn:
    """End this process if it is still there after so many seconds."""
    time.sleep(after)
    os._exit(1)


def stop_application(app: Sanic[Any, Any]) -> None:
    """Stop the application of this process, as soon as it serves."""
    while not app.ctx.stopping.wait(OFTEN):
        if app.state.is_running:
            app.ctx.loop.call_soon_threadsafe(app.stop, False)  # noqa: FBT003 without terminating

"""Several processes behind one port: started, replaced when one dies, stopped together (SRV-26).

Each serves by itself from the socket they share, and ends by itself when it is told, or when the
process that started it is gone. Sanic's own manager is not used: it does not replace a worker that
was killed, and does not always end (https://github.com/sanic-org/sanic/issues/2997).
"""

import logging
import signal
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from threading import Event
from time import monotonic

from vibescore_server.stopping import GRACE_SECONDS, SIGNALS

OFTEN = 0.2
"""Seconds between two looks for a signal."""

SOON = 1.0
"""Seconds until the dead are replaced: one that cannot start must not keep the machine busy."""

log = logging.getLogger("vibescore.workers")


def run_workers(work: Callable[[], None], count: int, *, seconds: int) -> None:
    """Let so many processes do the same work until SIGTERM or SIGINT; then they have ``seconds``
    to end by themselves.
    """
    told = Event()
    for each in SIGNALS:
        signal.signal(each, lambda *_: told.set())
    processes = [_start(work) for _ in range(count)]
    while not told.is_set():
        if wait([each.sentinel for each in processes], OFTEN) and not told.wait(SOON):
            processes = [each if each.is_alive() else _replace(each, work) for each in processes]
    _end(processes, seconds + GRACE_SECONDS)


def _start(work: Callable[[], None]) -> BaseProcess:
    process = get_context("spawn").Process(target=work)
    process.start()
    return process


def _replace(dead: BaseProcess, work: Callable[[], None]) -> BaseProcess:
    log.warning("worker died", extra={"exit_code": dead.exitcode})
    return _start(work)


def _end(processes: list[BaseProcess], seconds: float) -> None:
    until = monotonic() + seconds
    for process in processes:
        process.terminate()
    for process in processes:
        process.join(max(0.0, until - monotonic()))
        process.kill()
        process.join()

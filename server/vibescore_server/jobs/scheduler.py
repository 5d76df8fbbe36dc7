"""Looking now and then for what is due (SRV-15, SRV-18).

A job is due once in every stretch of its length, counted from 1970: with 15 minutes on the quarter
hours, so that a new day has its leaderboard at once.
"""

import asyncio
import logging
from contextlib import suppress

from vibescore_server.errors import Conflict
from vibescore_server.jobs import JOBS, run
from vibescore_server.services import Services

TICK_SECONDS = 20

log = logging.getLogger("vibescore.jobs")


async def run_due(services: Services) -> None:
    """Do what is due by now and nobody does; a job that fails is tried again when it is due next,
    one whose process died when its lease has ended.
    """
    for job in JOBS:
        every = job.every(services.settings)
        if not every:
            continue
        now = int(services.now())
        try:
            with suppress(Conflict):  # it is done, or somebody does it
                await run(services, job, due=now - now % every)
        except Exception:
            log.exception("job failed", extra={"job": job.name})


class Scheduler:
    """Runs what is due for as long as a server lives."""

    def __init__(self, services: Services) -> None:
        self._loop = asyncio.get_running_loop().create_task(_forever(services), name="scheduler")

    async def stop(self) -> None:
        """Begin nothing more, and let go of what was begun."""
        self._loop.cancel()
        with suppress(asyncio.CancelledError):
            await self._loop


async def _forever(services: Services) -> None:
    while True:
        await run_due(services)
        await asyncio.sleep(TICK_SECONDS)

"""Work by the clock: what there is to do, and how one run of it goes (SRV-15, SRV-18, SRV-26).

    scheduler → run → lease → a job's function → queries

Every process looks for what is due; the lease lets one of them do it.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec

from vibescore_server.jobs import leaderboard, pricing, retention
from vibescore_server.jobs.lease import Lease, lease
from vibescore_server.jobs.reports import Report
from vibescore_server.queries import jobs
from vibescore_server.services import Services
from vibescore_server.settings import Settings

DAY = 86_400

log = logging.getLogger("vibescore.jobs")


@dataclass(frozen=True, slots=True)
class Job:
    """Something to be done by the clock, every so many seconds (0: never)."""

    name: str
    about: str
    every: Callable[[Settings], int]
    do: Callable[[Lease], Awaitable[Report]]


JOBS = (
    Job(
        "retention",
        "Remove the old ingest log, and what has expired",
        lambda _: DAY,
        retention.retain,
    ),
    Job(
        "leaderboard",
        "Refresh the snapshots of the leaderboard",
        lambda settings: settings.leaderboard_minutes * 60,
        leaderboard.refresh,
    ),
    Job(
        "pricing",
        "Fetch the price catalogue",
        lambda settings: settings.pricing_sync_hours * 3600,
        pricing.sync,
    ),
)


async def run(services: Services, job: Job, *, due: int | None = None) -> Report:
    """Do a job now, with ``due`` (UTC seconds) only if it was not begun since; answers its report.

    Raises Conflict when it is being done, or was; and what the job raises.
    """
    async with lease(services, job.name, due=due) as mine:
        began_at = mine.now
        try:
            report = await job.do(mine)
        except Exception:
            await _ended(mine, began_at, failed=True)
            raise
        await _ended(mine, began_at, failed=not report.succeeded)
    log.info("job done", extra={"job": job.name, "report": msgspec.json.encode(report).decode()})
    return report


async def _ended(mine: Lease, began_at: int, *, failed: bool) -> None:
    """Note a run; one that was broken off is not, so that it is due still."""
    await mine.services.database.write(
        jobs.done, mine.name, mine.holder, began_at=began_at, now=mine.now, failed=failed
    )

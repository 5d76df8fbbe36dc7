"""Refreshing the snapshots of the leaderboard, one period after the other (SRV-15)."""

import logging
from datetime import UTC, date, datetime

import msgspec
from msgspec import UNSET, Struct, UnsetType

from vibescore_server.errors import ApiError, Internal
from vibescore_server.jobs.lease import Lease
from vibescore_server.jobs.reports import Report
from vibescore_server.queries import leaderboard
from vibescore_server.queries.jobs import LeaseLost
from vibescore_server.windows import PERIODS, Period

log = logging.getLogger("vibescore.jobs")


class Outcome(Struct, rename={"first": "from", "last": "to"}):
    """A board that was made anew, with the number of users on it; or the ``error`` (a code) for
    which it stays as it was.
    """

    period: Period
    first: date | UnsetType = UNSET
    last: date | UnsetType = UNSET
    inserted: int | UnsetType = UNSET
    error: str | UnsetType = UNSET


class Refresh(Report):
    """What became of each board."""

    success: bool
    generated_at: datetime
    results: list[Outcome]

    @property
    def succeeded(self) -> bool:
        return self.success


async def refresh(lease: Lease, periods: tuple[Period, ...] = PERIODS) -> Refresh:
    """Make the boards anew; one that fails does not keep the others from it. Raises LeaseLost."""
    generated_at = datetime.fromtimestamp(lease.now, UTC)
    results = [await _logged(lease, period) for period in periods]
    return Refresh(all(result.error is UNSET for result in results), generated_at, results)


async def _logged(lease: Lease, period: Period) -> Outcome:
    outcome = await _one(lease, period)
    status = "refreshed" if outcome.error is UNSET else "failed"
    body = msgspec.json.encode(outcome).decode()
    log.info("leaderboard refresh", extra={"status": status, "body": body})
    return outcome


async def _one(lease: Lease, period: Period) -> Outcome:
    try:
        about, count = await lease.work(leaderboard.refresh, period, now=lease.now)
    except LeaseLost:
        raise
    except ApiError as error:
        return Outcome(period, error=error.code)
    except Exception:
        log.exception("leaderboard refresh failed", extra={"period": period})
        return Outcome(period, error=Internal.default_code)
    return Outcome(period, about.first, about.last, count)

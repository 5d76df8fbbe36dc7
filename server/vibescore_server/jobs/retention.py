"""Removing what has had its time (SRV-18)."""

from vibescore_server.jobs.lease import Lease
from vibescore_server.jobs.reports import Report
from vibescore_server.queries import retention

DAY = 86_400


class Retained(Report):
    """How many were removed."""

    batches: int
    expired: int


async def retain(lease: Lease) -> Retained:
    """Remove the ingest log of more than ``retention_days`` ago, and what has expired."""
    before = lease.now - lease.services.settings.retention_days * DAY
    return Retained(
        await forget_batches(lease, before),
        await lease.write(retention.forget_expired, now=lease.now),
    )


async def forget_batches(lease: Lease, before: int) -> int:
    """Remove the ingest log from before then (UTC seconds), bit by bit; answers how many."""
    removed = 0
    while some := await lease.write(retention.forget_batches, before=before):
        removed += some
    return removed

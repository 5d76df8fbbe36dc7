"""For scripts of whoever runs the server: housekeeping and prices (SRV-12, SRV-18)."""

from datetime import date
from typing import Annotated

from msgspec import Meta, Struct

from vibescore_server.api import Call, Routes
from vibescore_server.auth import ServiceCaller
from vibescore_server.errors import BadGateway, Conflict
from vibescore_server.jobs import pricing
from vibescore_server.jobs.lease import lease
from vibescore_server.jobs.pricing import Synced, Wish
from vibescore_server.jobs.retention import DAY, forget_batches
from vibescore_server.queries import retention
from vibescore_server.routes.words import instant

Days = Annotated[int, Meta(ge=1, le=36_500)]
Pattern = Annotated[str, Meta(min_length=1, max_length=128)]

routes = Routes("Administration")


class RetentionWanted(Struct):
    """What is older than so many days; ``dry_run`` only counts."""

    days: Days = 30
    dry_run: bool = False
    include_ingest_batches: bool = True


class Retention(Struct):
    """What was removed. The ingest log is all that is kept of events, so ``deleted`` is 0: other
    trackers' servers count rows of events there.
    """

    ok: bool
    dry_run: bool
    days: int
    cutoff: str
    deleted: int
    deleted_ingest_batches: int


class SyncWanted(Struct):
    """From which UTC day on the prices hold (today); for how many days prices that were replaced
    are kept (forever); patterns of the models wanted, such as ``openai/*`` (all).
    """

    effective_from: date | None = None
    retention_days: Days | None = None
    allow_models: Annotated[list[Pattern], Meta(max_length=1000)] | None = None


@routes.post(
    "/functions/vibescore-events-retention",
    summary="Remove the old ingest log; usage stays",
    errors=(Conflict,),
)
async def retain(call: Call, service: ServiceCaller, body: RetentionWanted) -> Retention:  # noqa: ARG001
    cutoff = call.now - body.days * DAY
    return Retention(
        ok=True,
        dry_run=body.dry_run,
        days=body.days,
        cutoff=instant(cutoff),
        deleted=0,
        deleted_ingest_batches=await _batches(call, body, cutoff),
    )


async def _batches(call: Call, wanted: RetentionWanted, before: int) -> int:
    if not wanted.include_ingest_batches:
        return 0
    if wanted.dry_run:
        return await call.db.read(retention.count_batches, before=before)
    async with lease(call.services, "retention") as mine:
        return await forget_batches(mine, before)


@routes.post(
    "/functions/vibescore-pricing-sync",
    summary="Fetch the price catalogue",
    errors=(BadGateway, Conflict),
)
async def sync(call: Call, service: ServiceCaller, body: SyncWanted) -> Synced:  # noqa: ARG001
    wish = Wish(tuple(body.allow_models or ()), body.effective_from, body.retention_days)
    async with lease(call.services, "pricing") as mine:
        return await pricing.sync(mine, wish)

"""Fetching the price catalogue, and telling which usage is billed by it (SRV-12)."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from msgspec import Struct

from vibescore_server.aliases import aliases
from vibescore_server.bundled import bundled
from vibescore_server.catalogue import Catalogue, parse_catalogue
from vibescore_server.db import Step
from vibescore_server.errors import BadGateway
from vibescore_server.jobs.lease import Lease
from vibescore_server.jobs.reports import Report
from vibescore_server.queries import pricing, tariff
from vibescore_server.rates import Tariff
from vibescore_server.settings import Settings

PATIENCE_SECONDS = 20
MOST_BYTES = 10_000_000

log = logging.getLogger("vibescore.jobs")


class Retirement(Struct):
    """Profiles that a newer one replaced by the ``cutoff`` day hold no more."""

    days: int
    cutoff: date
    deactivated: int


class Synced(Report):
    """What the catalogue had, and what became of it."""

    success: bool
    source: str
    effective_from: date
    models_total: int
    models_processed: int
    models_skipped: int
    rows_upserted: int
    usage_models_total: int
    aliases_generated: int
    aliases_upserted: int
    retention: Retirement | None


@dataclass(frozen=True, slots=True)
class Wish:
    """What to take from the catalogue: models that match a pattern (none: all), as prices from a
    UTC day on (None: today); and for how many days replaced prices are kept (None: forever).
    """

    allow_models: tuple[str, ...] = ()
    effective_from: date | None = None
    retention_days: int | None = None


async def sync(lease: Lease, wish: Wish = Wish()) -> Synced:
    """Fetch the catalogue and keep its prices. Raises BadGateway, LeaseLost."""
    settings = lease.services.settings
    document = await fetch(settings)
    try:
        catalogue = parse_catalogue(document, wish.allow_models)
    except ValueError as error:
        raise failed(str(error)) from None
    today = datetime.fromtimestamp(lease.now, UTC).date()
    return await lease.work(_apply, catalogue, settings.pricing_source, wish, today)


async def fetch(settings: Settings) -> bytes:
    """The catalogue's document. Raises BadGateway."""
    import httpx

    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as client:
                return await _read(client, str(settings.pricing_url))
    except (httpx.HTTPError, TimeoutError) as error:
        raise failed(type(error).__name__) from error


async def _read(client: Any, url: str) -> bytes:
    """The body of a 200; it is not followed elsewhere, so that the answer is from whom the settings
    name.
    """
    async with client.stream("GET", url, headers={"Accept": "application/json"}) as response:
        if response.status_code != 200:
            raise failed(f"status {response.status_code}")
        document = bytearray()
        async for chunk in response.aiter_bytes():
            document += chunk
            if len(document) > MOST_BYTES:
                raise failed(f"more than {MOST_BYTES} bytes")
        return bytes(document)


def failed(reason: str) -> BadGateway:
    """The reason is for the log: what a stranger's server says is not handed on."""
    log.warning("price catalogue failed", extra={"reason": reason})
    return BadGateway(
        "The price catalogue cannot be had now; the server's log says why.",
        code="PRICING_SOURCE_FAILED",
    )


def _apply(
    db: Any, step: Step, catalogue: Catalogue, source: str, wish: Wish, today: date
) -> Synced:
    """Keep the prices, and aliases for usage that has none by its own name."""
    day = wish.effective_from or today
    days = wish.retention_days
    until = None if days is None else today - timedelta(days=days)
    prices = catalogue.profiles(source, day)
    known = [each for each in tariff.profiles(db, source) if each.effective_from != day]
    future = Tariff([*known, *prices], tariff.aliases(db, source), bundled())
    used = pricing.usage_models(db)
    names = aliases(used, catalogue.models, future, day)
    retired = step(pricing.keep, source, day, prices, names, retention=until)
    return Synced(
        success=True,
        source=source,
        effective_from=day,
        models_total=catalogue.total,
        models_processed=len(catalogue.models),
        models_skipped=catalogue.skipped,
        rows_upserted=len(prices),
        usage_models_total=len(used),
        aliases_generated=len(names),
        aliases_upserted=len(names),
        retention=None if days is None or until is None else Retirement(days, until, retired),
    )

"""What trackers ask besides ingest: a heartbeat, and the rows that they sent (SRV-06, QUE-11)."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from vibescore_server.api import Call, Routes
from vibescore_server.auth import DeviceCaller
from vibescore_server.errors import Invalid, Unauthorized
from vibescore_server.queries import devices, ingest
from vibescore_server.queries.ingest import Row, RowKey
from vibescore_server.routes.ingest import HalfHour
from vibescore_server.routes.words import PLAIN, instant

routes = Routes("Tracker")

Words = Annotated[str, Meta(pattern=PLAIN)]
Place = tuple[Annotated[int, Meta(ge=0, le=2**63 - 1)], Words, Words]


class Pong(Struct):
    updated: bool
    last_sync_at: str
    min_interval_minutes: int
    device_id: UUID
    success: bool = True


class Page(Struct):
    after: Annotated[str, Meta(description="``next`` of the page before")] | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 500


class Rows(Struct):
    rows: list[HalfHour]
    next: str | UnsetType = UNSET


@routes.post("/functions/vibescore-sync-ping", summary="Say that a sync found nothing new")
async def ping(call: Call, device: DeviceCaller) -> Pong:
    minutes = call.settings.min_interval_minutes
    noted = await call.db.write(
        devices.heartbeat, device.user_id, device.id, interval=minutes * 60, now=call.now
    )
    if noted is None:
        raise Unauthorized
    updated, last = noted
    return Pong(updated, instant(last), minutes, device.id)


@routes.get("/functions/vibescore-device-rows", summary="What is stored for this device, in pages")
async def rows(call: Call, device: DeviceCaller, query: Page) -> Rows:
    found = await call.db.read(
        ingest.stored,
        device.user_id,
        device.id,
        after=None if query.after is None else place(query.after),
        limit=query.limit + 1,
    )
    shown = found[: query.limit]
    further = bookmark(shown[-1]) if len(found) > len(shown) else UNSET
    return Rows([half_hour(row) for row in shown], further)


def half_hour(row: Row) -> HalfHour:
    """A row as ingest takes it."""
    start = datetime.fromtimestamp(row.hour_start, UTC)
    return HalfHour(start, *row[3:], source=row.source, model=row.model)


def bookmark(row: Row) -> str:
    """The key of a page's last row, in a form that nobody is tempted to read."""
    return urlsafe_b64encode(msgspec.json.encode(row[:3])).decode()


def place(after: str) -> RowKey:
    """The key in a bookmark. Raises Invalid."""
    try:
        key: RowKey = msgspec.json.decode(urlsafe_b64decode(after.encode()), type=Place)
    except ValueError:
        raise Invalid("after", "it is not where a page ended") from None
    return key

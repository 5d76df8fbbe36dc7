"""Taking half-hour sums: one statement a batch (SRV-01); giving them back (QUE-11)."""

from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple
from uuid import UUID

from peewee import Tuple

from vibescore_server.db import is_sqlite
from vibescore_server.models import Device, IngestLog, Usage


class Row(NamedTuple):
    """Tokens of a half-hour, by source and model; ``hour_start`` is UTC seconds."""

    hour_start: int
    source: str
    model: str
    input_tokens: int
    cached_input_tokens: int
    output_tokens: int
    reasoning_output_tokens: int
    total_tokens: int


class Taken(NamedTuple):
    """Half-hours that were new or changed, and those that were kept already."""

    inserted: int
    skipped: int


RowKey = tuple[int, str, str]
"""Half-hour, source and model: what tells the rows of a device apart."""

ROW: tuple[Any, ...] = tuple(getattr(Usage, name) for name in Row._fields)
KEY = ("user_id", "hour_start", "source", "model", "device_id")
COUNTERS = Row._fields[3:]
COLUMNS = ("user_id", "device_id", *Row._fields, "updated_at")
TYPES = ("uuid", "uuid", "bigint", "text", "text", *("bigint" for _ in COUNTERS), "bigint")

UPSERT = f"""
    ON CONFLICT ({", ".join(KEY)}) DO UPDATE SET
    {", ".join(f"{name} = excluded.{name}" for name in (*COUNTERS, "updated_at"))}
    WHERE ({", ".join(f"usage_half_hour.{name}" for name in COUNTERS)})
    IS DISTINCT FROM ({", ".join(f"excluded.{name}" for name in COUNTERS)})
"""
"""Only rows that differ are written, so that counting what was written tells new from known."""

MARKS = f"({', '.join('?' for _ in Row._fields)})"
SQLITE = f"""
    INSERT INTO usage_half_hour ({", ".join(COLUMNS)})
    SELECT ?, ?, {", ".join(f"column{place}" for place, _ in enumerate(Row._fields, 1))}, ?
    FROM (VALUES %s) WHERE true
    {UPSERT.replace("IS DISTINCT FROM", "IS NOT")}
"""
"""For as many rows as there are MARKS: one statement lets go of Python's lock once, where one a row
would have to wait for it after every row. Without WHERE, ON would be taken for a join's.
"""
POSTGRESQL = f"""
    INSERT INTO usage_half_hour ({", ".join(COLUMNS)})
    SELECT %s, %s, batch.*, %s
    FROM unnest({", ".join(f"%s::{kind}[]" for kind in TYPES[2:-1])}) AS batch
    {UPSERT}
"""


class DeviceGone(Exception):
    """The device was revoked or removed meanwhile."""


def take(db: Any, user_id: UUID, device_id: UUID, rows: Sequence[Row], *, now: int) -> Taken:
    """Keep the rows of a device; of rows for one key the last wins. Raises DeviceGone."""
    seen(db, user_id, device_id, now=now)
    batch = sorted({row[:3]: row for row in rows}.values())  # in one order, so that none deadlock
    inserted = upsert(db, user_id, device_id, batch, now=now) if batch else 0
    IngestLog.insert(
        user_id=user_id, device_id=device_id, received_at=now, rows=len(rows), inserted=inserted
    ).execute(db)
    return Taken(inserted, len(batch) - inserted)


def stored(
    db: Any, user_id: UUID, device_id: UUID, *, after: RowKey | None, limit: int
) -> list[Row]:
    """Rows of a device in the order of their keys, from the one that follows ``after``."""
    mine = (Usage.user_id == user_id) & (Usage.device_id == device_id)
    rows: Any = Usage.select(*ROW).where(mine)
    if after is not None:
        rows = rows.where(Tuple(*ROW[:3]) > Tuple(*after))
    return [Row(*row) for row in rows.order_by(*ROW[:3]).limit(limit).tuples().bind(db)]


def seen(db: Any, user_id: UUID, device_id: UUID, *, now: int) -> None:
    """Note that the device synced now; its row stays locked until the transaction ends, so that it
    cannot be deleted meanwhile. Raises DeviceGone.
    """
    linked = (Device.user_id == user_id) & (Device.id == device_id) & Device.revoked_at.is_null()
    if not Device.update(last_seen_at=now, last_sync_at=now).where(linked).execute(db):
        raise DeviceGone


def upsert(db: Any, user_id: UUID, device_id: UUID, batch: Sequence[Row], *, now: int) -> int:
    """Write rows of different keys; answers how many were new or changed."""
    cursor = db.cursor()
    if is_sqlite(db):
        statement = SQLITE % ", ".join([MARKS] * len(batch))
        cursor.execute(statement, (user_id.hex, device_id.hex, now, *chain.from_iterable(batch)))
    else:
        columns = [list(column) for column in zip(*batch, strict=True)]
        cursor.execute(POSTGRESQL, (user_id, device_id, now, *columns))
    changed: int = cursor.rowcount
    return changed

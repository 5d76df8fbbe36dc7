"""Rows to be ingested: as bodies of requests, and as a database is given them without a server."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import count
from typing import Any
from uuid import UUID

import msgspec
from measure import BenchError
from population import COUNTERS, HALF_HOUR, IN_ORDER, NOW, START, Person

from vibescore_server.db import is_sqlite

BATCH = 500
MODELS = ("gpt-5.2-codex", "gpt-5.1")
COLUMNS = (*IN_ORDER, *COUNTERS, "updated_at")
TYPES = ("uuid", "bigint", "text", "text", "uuid", *("bigint" for _ in COUNTERS), "bigint")
REPLACED = f"""
    ON CONFLICT ({", ".join(IN_ORDER)}) DO UPDATE SET
    {", ".join(f"{name} = excluded.{name}" for name in (*COUNTERS, "updated_at"))}
"""
SQLITE = f"""
    INSERT INTO usage_half_hour ({", ".join(COLUMNS)})
    VALUES ({", ".join("?" for _ in COLUMNS)}) {REPLACED}
"""
POSTGRESQL = f"""
    INSERT INTO usage_half_hour ({", ".join(COLUMNS)})
    SELECT * FROM unnest({", ".join(f"%s::{kind}[]" for kind in TYPES)}) {REPLACED}
"""

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Shipment:
    """What a device sends: so many batches of new rows."""

    device: Person
    batches: int

    @property
    def size(self) -> int:
        """Rows."""
        return self.batches * BATCH

    @property
    def tokens(self) -> int:
        return sum(sum(row[-2] for row in batch) for batch in self.rows)

    @cached_property
    def rows(self) -> list[list[Row]]:
        """Batch by batch, in the order of time, as COLUMNS."""
        return [
            [self._row(number) for number in range(start, start + BATCH)]
            for start in range(0, self.size, BATCH)
        ]

    @cached_property
    def bodies(self) -> list[bytes]:
        return [
            msgspec.json.encode({"hourly": list(map(_on_the_wire, rows))}) for rows in self.rows
        ]

    def _row(self, number: int) -> Row:
        half_hour, model = divmod(number, len(MODELS))
        given, written = self.device.factor + number, number % 900
        counters = (given, given // 2, written, written // 3, given + written)
        at = START + half_hour * HALF_HOUR
        return (self.device.id, at, "codex", MODELS[model], self.device.device_id, *counters, NOW)


def shipments(devices: int, batches: int) -> Iterator[list[Shipment]]:
    """So many devices at a time, every time other ones."""
    rng = random.Random("shipments")
    for _ in count():
        yield [Shipment(Person.drawn(rng, batches * BATCH), batches) for _ in range(devices)]


def _on_the_wire(row: Row) -> dict[str, object]:
    named = dict(zip(COLUMNS, row, strict=True))
    at = datetime.fromtimestamp(named["hour_start"], UTC)
    return {
        "hour_start": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        **{name: named[name] for name in ("source", "model", *COUNTERS)},
    }


def prepared(db: Any, shipment: Shipment) -> list[list[Any]]:
    """The batches as the driver takes them: rows for SQLite, columns for PostgreSQL."""
    if is_sqlite(db):
        return [[list(map(_plain, row)) for row in rows] for rows in shipment.rows]
    return [[list(column) for column in zip(*rows, strict=True)] for rows in shipment.rows]


def write(db: Any, batches: Sequence[list[Any]]) -> None:
    """What no server can be much faster than: one prepared statement, a transaction a batch."""
    cursor = db.connection().cursor()
    for batch in batches:
        if is_sqlite(db):
            cursor.execute("BEGIN IMMEDIATE")
            cursor.executemany(SQLITE, batch)
            cursor.execute("COMMIT")
        else:
            cursor.execute(POSTGRESQL, batch)


def _plain(value: object) -> object:
    return value.hex if isinstance(value, UUID) else value


def check(db: Any, rows: int, tokens: int) -> None:
    """Raises BenchError unless exactly that is there."""
    asked = "SELECT COUNT(*), CAST(SUM(total_tokens) AS bigint) FROM usage_half_hour"
    found = tuple(db.execute_sql(asked).fetchone())
    if found != (rows, tokens):
        raise BenchError(f"Rows and tokens are {found} after ingest, not {(rows, tokens)}")

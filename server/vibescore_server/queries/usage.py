"""What a user used: sums over the half-hours of local days (SRV-07, SRV-08, SRV-10).

The database sums by keys. The local day is one like any other, since ``calendar.offsets`` says what
to add to UTC. Sums beyond 64 bits it declines: then the rows come one by one, and the same keys sum
them here.
"""

import sqlite3
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

import peewee

from vibescore.calendar import DAY, bounds, offsets
from vibescore.pricing import TokenTotals
from vibescore_server.bill import Bill, Usage, bill
from vibescore_server.db import declines
from vibescore_server.queries import devices
from vibescore_server.queries.ingest import COUNTERS, Row
from vibescore_server.queries.tariff import Tariffs
from vibescore_server.rates import Tariff
from vibescore_server.span import Span

BEFORE_1970 = date(1970, 1, 1).toordinal() * DAY
"""Seconds. Days are counted like ``date.toordinal`` does, so that no number here is negative: what
is left of a division is cut off in SQL.
"""

SUMS = ", ".join(f"CAST(SUM({counter}) AS bigint)" for counter in COUNTERS)
"""PostgreSQL would go on beyond 64 bits, with decimals, which take longer to read."""


@dataclass(frozen=True, slots=True)
class Steps:
    """Numbers, each of which holds from a UTC second until the next one begins to."""

    starts: Sequence[int]
    numbers: Sequence[int]

    def at(self, second: int) -> int:
        """The number that holds at a second, which is not before the first one's start."""
        return self.numbers[bisect_right(self.starts, second) - 1]

    @property
    def sql(self) -> str:
        """The number that holds at ``hour_start``; found by halves, since there may be hundreds."""
        half = len(self.starts) // 2
        if not half:
            return str(self.numbers[0])
        earlier = Steps(self.starts[:half], self.numbers[:half])
        later = Steps(self.starts[half:], self.numbers[half:])
        return f"CASE WHEN hour_start < {self.starts[half]} THEN {earlier.sql} ELSE {later.sql} END"


class Key(NamedTuple):
    """What rows are told apart by, in SQL and in Python."""

    sql: str
    of: Callable[[Row], Any]


HALF_HOUR = Key("hour_start", lambda row: row.hour_start)
SOURCE = Key("source", lambda row: row.source)
MODEL = Key("model", lambda row: row.model)


@dataclass(frozen=True)
class Scope:
    """Whose usage is asked for, and of which days; without a source or a model, of all."""

    user_id: UUID
    span: Span
    source: str = ""
    model: str = ""

    @cached_property
    def bounds(self) -> tuple[int, int]:
        """The UTC seconds [start, end) that hold the days."""
        return bounds(self.span.first, self.span.last, self.span.zone)

    @cached_property
    def local(self) -> Steps:
        """What to add to UTC seconds for local ones."""
        stretches = offsets(self.span.zone, *self.bounds)
        return Steps(
            [stretch.start for stretch in stretches],
            [stretch.offset + BEFORE_1970 for stretch in stretches],
        )

    @cached_property
    def local_day(self) -> Key:
        """Days by their ordinals."""
        return Key(
            f"(hour_start + {self.local.sql}) / {DAY}", lambda row: self._day(row.hour_start)
        )

    @cached_property
    def days(self) -> range:
        """The ordinals of the days."""
        return range(self.span.first.toordinal(), self.span.last.toordinal() + 1)

    @property
    def torn(self) -> bool:
        """Whether hours of another day lie between: clocks were set back over midnight."""
        changes = self.local.starts[1:]
        return not all(self._day(edge) in self.days for at in changes for edge in (at - 1, at))

    def _day(self, second: int) -> int:
        return (second + self.local.at(second)) // DAY


class Spent(NamedTuple):
    """Usage by source, model and epoch, and what it costs."""

    usage: list[Usage]
    bill: Bill


def by_half_hour(db: Any, scope: Scope) -> tuple[list[tuple[int, TokenTotals]], int | None]:
    """Tokens by the half-hours (UTC seconds) that have any row, and when the last of the user's
    devices synced.
    """
    rows = [(start, TokenTotals(*sums)) for start, *sums in summed(db, scope, HALF_HOUR)]
    return rows, devices.last_sync(db, scope.user_id)


def by_day(db: Any, scope: Scope) -> dict[date, TokenTotals]:
    """Tokens by the local days that have any row."""
    rows = summed(db, scope, scope.local_day)
    return {date.fromordinal(day): TokenTotals(*sums) for day, *sums in rows}


def by_model(db: Any, scope: Scope, tariffs: Tariffs) -> Spent:
    """Tokens by model, and their bill."""
    tariff = tariffs.current(db)
    rows = summed(db, scope, SOURCE, MODEL, _epoch(scope, tariff))
    usage = [Usage(source, model, at, TokenTotals(*sums)) for source, model, at, *sums in rows]
    return Spent(usage, bill(usage, tariff, on=scope.span.last, default=tariffs.default))


def by_day_and_model(
    db: Any, scope: Scope, tariffs: Tariffs
) -> tuple[dict[date, TokenTotals], Spent]:
    """Tokens by the local days that have any row; the same ones by model, and their bill."""
    tariff = tariffs.current(db)
    rows = summed(db, scope, scope.local_day, SOURCE, MODEL, _epoch(scope, tariff))
    days = _added((row[0], row[4:]) for row in rows)
    models = _added((row[1:4], row[4:]) for row in rows)
    usage = [Usage(source, model, at, each) for (source, model, at), each in models.items()]
    billed = bill(usage, tariff, on=scope.span.last, default=tariffs.default)
    return {date.fromordinal(day): each for day, each in days.items()}, Spent(usage, billed)


def _epoch(scope: Scope, tariff: Tariff) -> Key:
    """Stretches of one price, by where they begin (``Tariff.epochs``)."""
    epochs = tariff.epochs(*scope.bounds)
    steps = Steps(epochs, epochs)
    return Key(steps.sql, lambda row: steps.at(row.hour_start))


def summed(db: Any, scope: Scope, *keys: Key) -> list[tuple[Any, ...]]:
    """The keys that there are rows of, each followed by the sums of the five counters."""
    try:
        return grouped(db, scope, *keys)
    except (peewee.DatabaseError, sqlite3.OperationalError) as error:
        if not declines(error):
            raise
        return folded(db, scope, *keys)


def grouped(db: Any, scope: Scope, *keys: Key) -> list[tuple[Any, ...]]:
    """What ``summed`` answers, as the database sums it up."""
    rows: list[tuple[Any, ...]] = db.execute_sql(*grouping(db, scope, *keys)).fetchall()
    return rows


def grouping(db: Any, scope: Scope, *keys: Key) -> tuple[str, list[object]]:
    """The statement that sums by keys, and its values."""
    where, values = _where(db, scope)
    if scope.torn:
        where += f" AND {scope.local_day.sql} BETWEEN {scope.days[0]} AND {scope.days[-1]}"
    columns = ", ".join(key.sql for key in keys)
    places = ", ".join(str(place) for place in range(1, len(keys) + 1))
    return (
        f"SELECT {columns}, {SUMS} FROM usage_half_hour WHERE {where} GROUP BY {places}",
        values,
    )


def folded(db: Any, scope: Scope, *keys: Key) -> list[tuple[Any, ...]]:
    """What ``summed`` answers, summed up here."""
    where, values = _where(db, scope)
    statement = f"SELECT {', '.join(Row._fields)} FROM usage_half_hour WHERE {where}"
    rows = map(Row._make, db.execute_sql(statement, values).fetchall())
    sums = _added(
        (tuple(key.of(row) for key in keys), row[3:])
        for row in rows
        if scope.local_day.of(row) in scope.days
    )
    return [(*key, *tokens.counters) for key, tokens in sums.items()]


def _added(rows: Iterable[tuple[Any, tuple[int, ...]]]) -> dict[Any, TokenTotals]:
    """Tokens by key; many rows of a key are added up faster at once than one by one."""
    together: dict[Any, list[tuple[int, ...]]] = {}
    for key, counters in rows:
        together.setdefault(key, []).append(counters)
    return {
        key: TokenTotals(*map(sum, zip(*counters, strict=True)))
        for key, counters in together.items()
    }


def _where(db: Any, scope: Scope) -> tuple[str, list[object]]:
    start, end = scope.bounds
    wanted: dict[str, object] = {
        "user_id =": scope.user_id.hex,
        "hour_start >=": start,
        "hour_start <": end,
        "source =": scope.source,
        "model =": scope.model,
    }
    given = {condition: value for condition, value in wanted.items() if value != ""}
    return " AND ".join(f"{condition} {db.param}" for condition in given), list(given.values())

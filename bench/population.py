"""Users and a year of their usage, written into a server's database by SQL, with the totals that a
server has to find in them.

The seed is fixed. A row's counters are those of its number times a factor of its user, so the truth
is told without reading anything back.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from itertools import cycle, islice
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from measure import BenchError

from vibescore.calendar import bounds
from vibescore_server.db import is_sqlite
from vibescore_server.tokens import digest

HALF_HOUR = 1_800  # seconds; all times are UTC seconds
HALF_HOURS = 365 * 48
FIRST, LAST = date(2025, 11, 21), date(2026, 11, 20)
START = int(datetime(2025, 11, 21, tzinfo=UTC).timestamp())
NOW = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp())
ZONE = ZoneInfo("Europe/Berlin")

STEADY, BUSY = 15_000, 100_000
"""Rows of the two users whose usage is read."""

USED = (
    ("codex", "gpt-5.2-codex"),
    ("codex", "gpt-5.1"),
    ("codex", "gpt-5.1-codex-mini"),
    ("gemini", "gemini-3-pro"),
    ("gemini", "gemini-3-flash"),
    ("every-code", "gpt-5.2-codex"),
)
"""Sources and models; so many rows of a user at most lie in one half-hour."""

COUNTERS = (
    "input_tokens",
    "cached_input_tokens",
    "output_tokens",
    "reasoning_output_tokens",
    "total_tokens",
)
IN_ORDER = ("user_id", "hour_start", "source", "model", "device_id")

USAGE = f"""
    INSERT INTO usage_half_hour ({", ".join(IN_ORDER)}, {", ".join(COUNTERS)}, updated_at)
    SELECT id, {START} + number * {HALF_HOURS} / usual_rows * {HALF_HOUR}, source, model, device_id,
        {", ".join(f"{counter} * factor" for counter in COUNTERS)}, {NOW}
    FROM person CROSS JOIN slot WHERE number < usual_rows
"""


class Slot(NamedTuple):
    """The row of a number, for a factor of 1."""

    number: int
    source: str
    model: str
    counters: tuple[int, ...]


class Person(NamedTuple):
    """A user with one device: how many rows there are, and by what their counters are more."""

    id: UUID
    device_id: UUID
    rows: int
    factor: int

    @classmethod
    def drawn(cls, rng: random.Random, rows: int) -> Person:
        return cls(_uuid(rng), _uuid(rng), rows, rng.randint(1, 1_000))

    @property
    def device_token(self) -> str:
        return f"device-{self.device_id}"

    @property
    def email(self) -> str:
        return f"{self.id.hex}@example.org"


@dataclass(frozen=True)
class Population:
    """So many users with so many rows each, and two who have more."""

    users: int
    rows_each: int

    @property
    def name(self) -> str:
        return f"{self.users}x{self.rows_each}"

    @cached_property
    def people(self) -> list[Person]:
        """All of them, in the order of their keys."""
        rng = random.Random(f"people of {self.name}")
        rows = [self.rows_each] * self.users + [STEADY, BUSY]
        return sorted(Person.drawn(rng, count) for count in rows)

    @cached_property
    def slots(self) -> list[Slot]:
        rng = random.Random("slots")
        most = max(self.rows_each, STEADY, BUSY)
        used = islice(cycle(USED), most)
        return [Slot(number, *each, _counters(rng)) for number, each in enumerate(used)]

    @property
    def rows(self) -> int:
        return sum(person.rows for person in self.people)

    @property
    def tokens(self) -> int:
        """Of everybody in the whole year."""
        per_factor = {
            count: sum(slot.counters[-1] for slot in self.slots[:count])
            for count in {person.rows for person in self.people}
        }
        return sum(per_factor[person.rows] * person.factor for person in self.people)

    def with_rows(self, count: int) -> Person:
        """The user who has so many rows."""
        return next(person for person in self.people if person.rows == count)

    def slots_of(self, person: Person, first: date, last: date) -> list[Slot]:
        """What a user's rows on these days of ZONE are made of."""
        start, end = bounds(first, last, ZONE)
        return [
            slot
            for slot in self.slots[: person.rows]
            if start <= hour_start(slot.number, person.rows) < end
        ]

    def fill(self, db: Any) -> None:
        """Write everything into the empty tables of a server, and check what is there."""
        with db.atomic():
            link(db, self.people)
            for table, columns, rows in self._scratch(db):
                insert(db, table, columns, rows)
            _write_usage(db)
        self._check(db)

    def _scratch(self, db: Any) -> Iterator[tuple[str, Sequence[str], Iterator[tuple[Any, ...]]]]:
        """Two tables that the usage is joined from, their columns and rows."""
        kind = "text" if is_sqlite(db) else "uuid"
        db.execute_sql(
            f"CREATE TEMPORARY TABLE person (id {kind} PRIMARY KEY, device_id {kind}, "
            "usual_rows integer, factor bigint)"
        )
        db.execute_sql(
            "CREATE TEMPORARY TABLE slot (number bigint PRIMARY KEY, source text, model text, "
            f"{', '.join(f'{counter} bigint' for counter in COUNTERS)})"
        )
        yield "person", ("id", "device_id", "usual_rows", "factor"), iter(self.people)
        yield (
            "slot",
            ("number", "source", "model", *COUNTERS),
            ((*slot[:3], *slot.counters) for slot in self.slots),
        )

    def _check(self, db: Any) -> None:
        asked = "SELECT COUNT(*), CAST(SUM(total_tokens) AS bigint) FROM usage_half_hour"
        found = tuple(db.execute_sql(asked).fetchone())
        truth = (self.rows, self.tokens)
        if found != truth:
            raise BenchError(f"{self.name}: rows and tokens are {found}, not {truth}")


def hour_start(number: int, rows: int) -> int:
    """When the row of a number was used, where there are so many rows in the year."""
    return START + number * HALF_HOURS // rows * HALF_HOUR


def link(db: Any, people: Sequence[Person]) -> None:
    """Write users, what they chose, their devices and the devices' tokens."""
    insert(
        db,
        '"user"',
        ("id", "email", "password", "name", "role", "created_at"),
        ((each.id, each.email, "fits nothing", "Ada", "user", START) for each in people),
    )
    insert(
        db,
        "user_settings",
        ("user_id", "leaderboard_public", "updated_at"),
        ((each.id, each.factor % 2 == 0, START) for each in people),
    )
    insert(
        db,
        "device",
        ("user_id", "id", "name", "platform", "created_at", "last_sync_at"),
        ((each.id, each.device_id, "laptop", "linux", START, NOW) for each in people),
    )
    insert(
        db,
        "device_token",
        ("token_hash", "user_id", "device_id", "created_at"),
        ((digest(each.device_token), each.id, each.device_id, START) for each in people),
    )


def insert(db: Any, table: str, columns: Sequence[str], rows: Iterator[tuple[Any, ...]]) -> None:
    """Write rows of a table as fast as can be."""
    if not is_sqlite(db):
        with db.cursor().copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        return
    marks = ", ".join("?" for _ in columns)
    statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"
    db.cursor().executemany(
        statement,
        ([each.hex if isinstance(each, UUID) else each for each in row] for row in rows),
    )


def _write_usage(db: Any) -> None:
    """Rows lie where a server would have put them: SQLite keeps them by key, PostgreSQL as they
    came, day by day. A key is written fastest when all rows are there.
    """
    if is_sqlite(db):
        db.execute_sql(USAGE)
        return
    key = "usage_half_hour_pkey"
    db.execute_sql("SET LOCAL statement_timeout = 0")
    db.execute_sql("SET LOCAL work_mem = '512MB'")
    db.execute_sql("SET LOCAL maintenance_work_mem = '512MB'")
    db.execute_sql(f"ALTER TABLE usage_half_hour DROP CONSTRAINT {key}")
    db.execute_sql(f"{USAGE} ORDER BY 2")
    columns = ", ".join(IN_ORDER)
    db.execute_sql(f"ALTER TABLE usage_half_hour ADD CONSTRAINT {key} PRIMARY KEY ({columns})")


def _uuid(rng: random.Random) -> UUID:
    return UUID(int=rng.getrandbits(128), version=4)


def _counters(rng: random.Random) -> tuple[int, ...]:
    given, written = rng.randint(1, 9_000), rng.randint(1, 900)
    return given, given // 2, written, written // 3, given + written

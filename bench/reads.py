"""What people read most, as it is asked over HTTP and as the database is asked for it."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from functools import partial
from typing import Any, NamedTuple, cast
from urllib.parse import urlencode

from measure import BenchError
from population import FIRST, LAST, NOW, ZONE, Person, Population

from vibescore_server.db import is_sqlite
from vibescore_server.heatmap import first_day
from vibescore_server.queries import leaderboard, usage
from vibescore_server.queries.leaderboard import Page
from vibescore_server.queries.tariff import Tariffs
from vibescore_server.queries.usage import Scope
from vibescore_server.span import Span

Statement = tuple[str, Sequence[object]]
Question = Callable[[Any], object]

SOME_DAY = date(2026, 6, 10)
WEEKS = 52
FIRST_OF_WEEKS = first_day(LAST, WEEKS, "sun")
PAGE = 20

GROWING = frozenset(
    ("usage_half_hour", "leaderboard_snapshot", "user", "user_settings", "device", "device_token")
)
"""Tables that grow with what others do: no read may scan one."""

SMALL = 10_000
"""Rows that PostgreSQL may well read all at once, rather than look up those that it needs."""

ALL_AT_ONCE = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin")

VALUE = re.compile(r"(?<=[=<>] )('[^']*'::\w+|\d+)")


class Read(NamedTuple):
    """An endpoint, what it is asked, and the days that this is about; ``tokens`` adds up an
    answer.
    """

    name: str
    parameters: Mapping[str, object]
    first: date
    last: date
    question: Callable[[Any, Scope, Tariffs], object]
    tokens: Callable[[Any], int]

    @property
    def path(self) -> str:
        parameters = {"tz": ZONE.key, **self.parameters}
        return f"/functions/vibescore-{self.name}?{urlencode(parameters)}"

    def asked_by(self, person: Person, tariffs: Tariffs) -> Question:
        """What the server asks the database for it."""
        scope = Scope(person.id, Span(self.first, self.last, ZONE))
        return lambda db: self.question(db, scope, tariffs)

    def check(self, answer: bytes, people: Population, person: Person) -> None:
        """Raises BenchError when an answer has other tokens than there are."""
        slots = people.slots_of(person, self.first, self.last)
        expected = person.factor * sum(slot.counters[-1] for slot in slots)
        found = self.tokens(json.loads(answer))
        if found != expected:
            raise BenchError(f"{self.name} tells {found:,} tokens; there are {expected:,}")


def _in_data(answer: Any) -> int:
    return sum(int(each["total_tokens"]) for each in answer["data"])


def _in_totals(answer: Any) -> int:
    return int(answer["totals"]["total_tokens"])


def _in_cells(answer: Any) -> int:
    return sum(int(cell["value"]) for week in answer["weeks"] for cell in week if cell)


def _in_sources(answer: Any) -> int:
    return sum(_in_totals(source) for source in answer["sources"])


YEAR = {"from": FIRST, "to": LAST}
DAILY = Read(
    "usage-daily",
    YEAR,
    FIRST,
    LAST,
    usage.by_day_and_model,
    _in_data,
)
HOURLY = Read(
    "usage-hourly",
    {"day": SOME_DAY},
    SOME_DAY,
    SOME_DAY,
    lambda db, scope, tariffs: usage.by_half_hour(db, scope),  # noqa: ARG005
    _in_data,
)
HEATMAP = Read(
    "usage-heatmap",
    {"to": LAST, "weeks": WEEKS},
    FIRST_OF_WEEKS,
    LAST,
    lambda db, scope, tariffs: usage.by_day(db, scope),  # noqa: ARG005
    _in_cells,
)
SUMMARY = Read(
    "usage-summary",
    YEAR,
    FIRST,
    LAST,
    usage.by_model,
    _in_totals,
)
MONTHLY = Read(
    "usage-monthly",
    {"to": LAST, "months": 12},
    date(2025, 12, 1),
    LAST,
    lambda db, scope, tariffs: usage.by_day(db, scope),  # noqa: ARG005
    _in_data,
)
BREAKDOWN = SUMMARY._replace(name="usage-model-breakdown", tokens=_in_sources)

HOT = (DAILY, HOURLY, HEATMAP)
ALL = (*HOT, SUMMARY, MONTHLY, BREAKDOWN)

BOARD = f"/functions/vibescore-leaderboard?period=week&limit={PAGE}"


def board_asked_by(person: Person) -> Question:
    """What the server asks the database for BOARD."""
    page = Page(person.id, PAGE, 0)
    return lambda db: leaderboard.board(db, "week", page, now=NOW)


def statements(db: Any, question: Question) -> list[Statement]:
    """What a question makes the database do, when it is not asked for the first time."""
    question(db)
    with _heard() as told:
        question(db)
    return told


class Ear(logging.Handler):
    """Keeps what Peewee logs: statements and their values."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Statement] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(cast("Statement", record.msg))


@contextmanager
def _heard() -> Iterator[list[Statement]]:
    """Every statement that Peewee sends meanwhile: it logs them."""
    log, ear = logging.getLogger("peewee"), Ear()
    log.addHandler(ear)
    log.setLevel(logging.DEBUG)
    try:
        yield ear.told
    finally:
        log.setLevel(logging.NOTSET)
        log.removeHandler(ear)


def run(db: Any, asked: Sequence[Statement]) -> None:
    """The SQL alone: by the driver, to the last row."""
    cursor = db.connection().cursor()
    for sql, values in asked:
        cursor.execute(sql, values)
        cursor.fetchall()


def plan(db: Any, asked: Sequence[Statement], *, most: int) -> str:
    """How the database finds the rows, in a line. Raises BenchError when it looks through a table
    that grows with others, or, on PostgreSQL, at more than ``most`` rows of one. That it reads all
    of a small table is right and tells nothing: then it is asked for a plan that looks rows up.
    """
    steps = _sqlite_steps if is_sqlite(db) else partial(_postgresql_steps, most=most)
    return "; ".join(step for statement in asked for step in steps(db, *statement))


def _sqlite_steps(db: Any, sql: str, values: Sequence[object]) -> Iterator[str]:
    for *_, detail in db.execute_sql(f"EXPLAIN QUERY PLAN {sql}", values).fetchall():
        if detail.startswith("SCAN"):
            raise BenchError(f"SQLite looks through a whole table ({detail}): {sql}")
        if detail.startswith("SEARCH"):
            yield detail.removeprefix("SEARCH ")


def _postgresql_steps(db: Any, sql: str, values: Sequence[object], *, most: int) -> Iterator[str]:
    looks = _looks(db, sql, values)
    if any(look.is_scan and look.rows <= SMALL for look in looks):
        with db.atomic():
            for setting in ALL_AT_ONCE:
                db.execute_sql(f"SET LOCAL {setting} = off")
            looks = _looks(db, sql, values)
    for look in looks:
        if look.is_scan or look.rows > most:
            raise BenchError(f"PostgreSQL looks at {look.rows:,} rows of {look.table}: {sql}")
        yield f"{look.table}, {look.how} {VALUE.sub('?', look.condition)}"


class Look(NamedTuple):
    """How PostgreSQL finds rows of a table, and at how many it looks."""

    table: str
    how: str
    rows: int
    condition: str

    @property
    def is_scan(self) -> bool:
        return self.how == "Seq Scan"


def _looks(db: Any, sql: str, values: Sequence[object]) -> list[Look]:
    """At tables that grow with others."""
    explained = db.execute_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", values).fetchone()[0]
    return [
        Look(
            node["Relation Name"],
            node["Node Type"],
            (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"],
            node.get("Index Cond", node.get("Recheck Cond", "")),
        )
        for node in _nodes(explained[0]["Plan"])
        if node.get("Relation Name") in GROWING
    ]


def _nodes(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for below in node.get("Plans", ()):
        yield from _nodes(below)

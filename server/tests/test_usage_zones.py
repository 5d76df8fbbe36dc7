"""Local days and hours in any zone, and what is missing of them (SRV-08 to SRV-10)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import peewee
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from serving import Machine, Server, row

from vibescore.pricing import TokenTotals
from vibescore_server.db import declines, is_sqlite, open_database
from vibescore_server.queries import ingest, usage
from vibescore_server.queries.usage import HALF_HOUR, MODEL, SOURCE, Key, Scope, Steps
from vibescore_server.settings import load_settings
from vibescore_server.span import Span

LARGEST = 2**63 - 1

PLACES = [
    "UTC",
    "Africa/Casablanca",
    "Africa/Monrovia",
    "America/Los_Angeles",
    "America/New_York",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Antarctica/Troll",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Asia/Pyongyang",
    "Asia/Tehran",
    "Atlantic/Azores",
    "Australia/Eucla",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Europe/Dublin",
    "Europe/London",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Pacific/Marquesas",
]
ZONES = st.sampled_from([ZoneInfo(name) for name in PLACES])
DAYS = st.dates(date(1970, 1, 2), date(2037, 12, 1))
COUNTS = st.integers(0, 1000) | st.integers(0, LARGEST)


@pytest.fixture(scope="module")
def db(shared_server: Server) -> Iterator[Any]:
    """The database of the server."""
    flags = {"database_url": shared_server.database_url, "data_dir": shared_server.data_dir}
    db = open_database(load_settings(**flags))
    with db.connection_context():
        yield db


@st.composite
def rows_near(draw: st.DrawFn, first: date, length: int) -> list[ingest.Row]:
    """Rows of different half-hours, from the day before ``first`` to the day after the last."""
    begin = int(datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp()) - 86_400
    halves = st.integers(0, (length + 2) * 48 - 1).map(lambda half: max(0, begin + half * 1800))
    kept = st.builds(
        ingest.Row,
        halves,
        st.sampled_from(["codex", "gemini"]),
        st.sampled_from(["gpt-5", "toy"]),
        *[COUNTS] * 5,
    )
    return draw(st.lists(kept, max_size=40, unique_by=lambda row: row[:3]))


@st.composite
def cases(draw: st.DrawFn) -> tuple[Span, list[ingest.Row]]:
    first, length = draw(DAYS), draw(st.integers(1, 20))
    span = Span(first, first + timedelta(days=length - 1), draw(ZONES))
    return span, draw(rows_near(first, length))


def kept(db: Any, rows: list[ingest.Row]) -> UUID:
    """A user of whom these are the rows."""
    user_id = uuid4()
    if rows:
        with db.atomic():
            ingest.upsert(db, user_id, uuid4(), rows, now=0)
    return user_id


def half_hours(*moments: str) -> list[ingest.Row]:
    starts = [int(datetime.fromisoformat(moment).timestamp()) for moment in moments]
    return [ingest.Row(at, "codex", "toy", 1, 0, 0, 0, 1 << n) for n, at in enumerate(starts)]


ST_JOHNS = (
    Span(date(2006, 10, 28), date(2006, 10, 28), ZoneInfo("America/St_Johns")),
    half_hours("2006-10-29T02:00Z", "2006-10-29T02:30Z", "2006-10-29T03:00Z", "2006-10-29T03:30Z"),
)
"""Clocks went back at one minute past midnight: the 28th goes on after some of the 29th."""

APIA = (
    Span(date(2011, 12, 29), date(2011, 12, 31), ZoneInfo("Pacific/Apia")),
    half_hours("2011-12-30T09:30Z", "2011-12-30T10:00Z", "2011-12-31T10:00Z"),
)


@pytest.mark.requirement("SRV-08", "SRV-10")
@given(case=cases())
@example(case=ST_JOHNS)
@example(case=APIA)
@settings(max_examples=100, deadline=None)
def test_local_days_are_those_of_a_brute_force_computation(
    db: Any, case: tuple[Span, list[ingest.Row]]
) -> None:
    span, rows = case
    expected: dict[date, TokenTotals] = {}
    for each in rows:
        day = datetime.fromtimestamp(each.hour_start, span.zone).date()
        if span.first <= day <= span.last:
            expected[day] = expected.get(day, TokenTotals()) + TokenTotals(*each[3:])
    assert usage.by_day(db, Scope(kept(db, rows), span)) == expected


@pytest.mark.requirement("SRV-10")
@given(
    case=cases(),
    source=st.sampled_from(["", "codex"]),
    model=st.sampled_from(["", "toy"]),
    changes=st.sets(st.integers(1, 40), max_size=40),
)
@example(case=ST_JOHNS, source="", model="", changes=set())
@settings(max_examples=60, deadline=None)
def test_the_plain_path_answers_what_the_grouped_one_does(
    db: Any,
    case: tuple[Span, list[ingest.Row]],
    source: str,
    model: str,
    changes: set[int],
) -> None:
    span, rows = case
    scope = Scope(
        kept(db, [ingest.Row(*row[:3], *(n % 2**50 for n in row[3:])) for row in rows]),
        span,
        source,
        model,
    )
    start, _ = scope.bounds
    epochs = Steps([start, *(start + change * 40_000 for change in sorted(changes))], range(50))
    epoch = Key(epochs.sql, lambda row: epochs.at(row.hour_start))
    for keys in ((scope.local_day,), (SOURCE, MODEL, epoch), (HALF_HOUR, SOURCE), (epoch, MODEL)):
        grouped, folded = (answer(db, scope, *keys) for answer in (usage.grouped, usage.folded))
        assert Counter(map(tuple, grouped)) == Counter(folded)


@pytest.mark.requirement("SRV-10")
def test_a_database_declines_sums_beyond_64_bits_and_nothing_else_is_taken_for_that(
    db: Any,
) -> None:
    day = Span(date(2026, 11, 18), date(2026, 11, 18), UTC)
    rows = half_hours("2026-11-18T10:00Z", "2026-11-18T10:30Z")
    user_id = kept(db, [each._replace(total_tokens=LARGEST) for each in rows])
    with pytest.raises(Exception) as refusal:  # noqa: PT011 drivers differ in the kind of it
        usage.grouped(db, Scope(user_id, day), SOURCE)
    assert declines(refusal.value)
    with pytest.raises(peewee.DatabaseError) as mistake:
        db.execute_sql("SELECT nothing FROM nowhere")
    assert not declines(mistake.value)
    assert not declines(peewee.OperationalError("the connection is closed"))
    assert usage.by_day(db, Scope(user_id, day)) == {
        day.first: TokenTotals(2, 0, 0, 0, 2 * LARGEST)
    }


@pytest.mark.requirement("SRV-10", "SRV-26")
def test_the_key_leads_to_the_own_rows_of_the_days_and_to_no_others(db: Any) -> None:
    span = Span(date(2026, 3, 1), date(2026, 4, 30), ZoneInfo("Europe/Berlin"))
    scope = Scope(uuid4(), span, "codex", "toy")
    statement, values = usage.grouping(db, scope, scope.local_day, SOURCE, MODEL)
    if is_sqlite(db):
        (plan, *_) = db.execute_sql(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
        assert plan[-1] == (
            "SEARCH usage_half_hour USING PRIMARY KEY (user_id=? AND hour_start>? AND hour_start<?)"
        )
        return
    with db.atomic():
        db.execute_sql("SET LOCAL enable_seqscan = off")  # the table may be tiny
        plans = db.execute_sql(f"EXPLAIN {statement}", values).fetchall()
    (condition,) = (line.strip() for (line,) in plans if "Index Cond" in line)
    for part in ("user_id =", "hour_start >=", "hour_start <", "source =", "model ="):
        assert part in condition


@dataclass(frozen=True)
class Synced:
    """A day of a place, and how many of its hours are not missing after a sync."""

    tz: str
    day: str
    last_sync: str
    there: int
    hours: int = 24


SYNCS = {
    "the case of the requirement": Synced(
        "America/Los_Angeles", "2025-12-22", "2025-12-22T12:30", 5
    ),
    "UTC": Synced("UTC", "2025-12-22", "2025-12-22T12:30", 13),
    "the last second of an hour": Synced("UTC", "2025-12-22", "2025-12-22T12:59:59", 13),
    "the first second of an hour": Synced("UTC", "2025-12-22", "2025-12-22T13:00", 14),
    "an hour of :45": Synced("Asia/Kathmandu", "2025-12-22", "2025-12-22T12:30", 19),
    "before its first half-hour": Synced("Asia/Kathmandu", "2025-12-22", "2025-12-22T12:20", 19),
    "just before it": Synced("Asia/Kathmandu", "2025-12-22", "2025-12-22T12:14:59", 18),
    "before midnight": Synced("Asia/Kathmandu", "2025-12-22", "2025-12-21T18:14:59", 0),
    "before the day": Synced("America/Los_Angeles", "2025-12-22", "2025-12-22T07:59:59", 0),
    "after the day": Synced("America/Los_Angeles", "2025-12-21", "2025-12-22T08:00", 24),
    "in an hour that will be repeated": Synced(
        "America/Los_Angeles", "2025-11-02", "2025-11-02T08:59:59", 2, 25
    ),
    "in the repeated hour": Synced("America/Los_Angeles", "2025-11-02", "2025-11-02T09:00", 3, 25),
    "before the hour left out": Synced(
        "America/Los_Angeles", "2025-03-09", "2025-03-09T09:59:59", 2, 23
    ),
    "after the hour left out": Synced(
        "America/Los_Angeles", "2025-03-09", "2025-03-09T10:00", 3, 23
    ),
}


@pytest.mark.requirement("SRV-09")
@pytest.mark.parametrize("case", SYNCS.values(), ids=SYNCS.keys())
def test_hours_after_that_of_the_last_sync_are_missing(server: Server, case: Synced) -> None:
    server.set_clock(f"{case.last_sync}Z")
    machine = server.sign_up().link()
    machine.send()

    answer = machine.owner.get("usage-hourly", day=case.day, tz=case.tz).json

    shown = [hour.get("missing") for hour in answer["data"]]
    assert shown == [None] * case.there + [True] * (case.hours - case.there)
    assert answer["sync"]["last_sync_at"][:16] == case.last_sync[:16]


@pytest.mark.requirement("SRV-09")
def test_who_never_synced_misses_every_hour(server: Server) -> None:
    person = server.sign_up()
    person.link()
    answer = person.get("usage-hourly", day="1999-12-31").json
    assert [hour["missing"] for hour in answer["data"]] == [True] * 24
    assert answer["sync"] == {"last_sync_at": None, "min_interval_minutes": 30}


@pytest.mark.requirement("SRV-09")
def test_the_last_sync_is_that_of_any_device_also_a_revoked_one(server: Server) -> None:
    person = server.sign_up()
    old, new = person.link("old"), person.link("new")
    old.send()
    server.set_clock("2026-11-18T12:05:00Z")
    new.send()
    server.set_clock("2026-11-18T12:06:00Z")
    person.post("device-revoke", device_id=new.id)
    assert person.get("usage-hourly").json["sync"]["last_sync_at"] == "2026-11-18T12:05:00Z"


BEGINNINGS = {
    "UTC": ("UTC", "2026-11-18", {0: ("00", "2026-11-18T00:00:00Z")}, 24),
    "an hour of :45": (
        "Asia/Kathmandu",
        "2026-11-18",
        {0: ("00", "2026-11-17T18:15:00Z"), 23: ("23", "2026-11-18T17:15:00Z")},
        24,
    ),
    "an hour of :30": ("Asia/Kolkata", "2026-11-18", {5: ("05", "2026-11-17T23:30:00Z")}, 24),
    "a repeated hour": (
        "America/Los_Angeles",
        "2026-11-01",
        {1: ("01", "2026-11-01T08:00:00Z"), 2: ("01", "2026-11-01T09:00:00Z")},
        25,
    ),
    "an hour left out": (
        "Europe/Berlin",
        "2026-03-29",
        {1: ("01", "2026-03-29T00:00:00Z"), 2: ("03", "2026-03-29T01:00:00Z")},
        23,
    ),
    "parts of hours repeated": (
        "Pacific/Chatham",
        "2026-04-05",
        {3: ("03", "2026-04-04T13:15:00Z"), 4: ("02", "2026-04-04T13:15:00Z")},
        26,
    ),
    "minutes": ("", "2026-11-18", {0: ("00", "2026-11-18T03:07:00Z")}, 24),
    "a day left out": ("Pacific/Apia", "2011-12-30", {}, 0),
}


@pytest.mark.requirement("SRV-08", "SRV-09")
@pytest.mark.parametrize("tz, day, shown, count", BEGINNINGS.values(), ids=BEGINNINGS.keys())
def test_an_hour_begins_where_the_local_hour_does(
    server: Server, tz: str, day: str, shown: dict[int, tuple[str, str]], count: int
) -> None:
    zone = {"tz": tz} if tz else {"tz_offset_minutes": "-187"}
    data = server.sign_up().get("usage-hourly", day=day, **zone).json["data"]
    assert len(data) == count
    for place, (hour, utc) in shown.items():
        assert data[place]["hour"] == f"{day}T{hour}:00:00"
        assert data[place]["hour_start_utc"] == utc


@pytest.mark.requirement("SRV-08")
def test_a_half_hour_is_in_the_local_hour_and_day_that_hold_its_start(server: Server) -> None:
    machine = server.sign_up().link()
    machine.send(
        row("2026-11-01T08:30:00Z", input=1),
        row("2026-11-01T09:00:00Z", input=2),
        row("2026-11-17T18:00:00Z", input=4),
        row("2026-11-17T18:30:00Z", input=8),
    )

    repeated = totals(machine, "2026-11-01", "America/Los_Angeles")
    assert repeated == [("01", 1), ("01", 2)]
    assert totals(machine, "2026-11-17", "Asia/Kathmandu") == [("23", 4)]
    assert totals(machine, "2026-11-18", "Asia/Kathmandu") == [("00", 8)]


def totals(machine: Machine, day: str, tz: str) -> list[tuple[str, int]]:
    """Local hours with tokens."""
    data = machine.owner.get("usage-hourly", day=day, tz=tz).json["data"]
    shown = [(hour["hour"][11:13], int(hour["total_tokens"])) for hour in data]
    return [(hour, tokens) for hour, tokens in shown if tokens]

"""Folding half-hours into local periods: nothing is lost, and order does not matter.

What a database groups by is held against walking through the same time in half-hours.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from io import BytesIO
from itertools import pairwise
from struct import pack
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vibescore.calendar import (
    DAY,
    HALF_HOUR,
    Stretch,
    bounds,
    day_of,
    days,
    fold,
    hour_of,
    hours,
    local_time,
    month_of,
    months,
    offsets,
    sunday_of,
    week_of,
)

PERIODS = {"hour": hour_of, "day": day_of, "week": week_of, "month": month_of}
EVERY_PERIOD = pytest.mark.parametrize("period", PERIODS.values(), ids=PERIODS.keys())
HALF_HOURS = st.integers(0, 4_000_000_000 // 1800).map(lambda number: number * 1800)
ROWS = st.lists(st.tuples(HALF_HOURS, st.integers(1, 2**60)), max_size=50)
ZONES = st.sampled_from(sorted(available_timezones())).map(ZoneInfo)

Period = Callable[[datetime], str]


@pytest.mark.requirement("CLI-09", "SRV-08")
@EVERY_PERIOD
@given(rows=ROWS, zone=ZONES, data=st.data())
def test_sums_are_kept_and_order_is_irrelevant(
    period: Period, rows: list[tuple[int, int]], zone: ZoneInfo, data: st.DataObject
) -> None:
    folded = fold(rows, period, zone)
    assert sum(folded.values()) == sum(count for _, count in rows)
    shuffled = data.draw(st.permutations(rows))
    assert list(fold(shuffled, period, zone).items()) == list(folded.items())


@pytest.mark.requirement("CLI-09", "SRV-08")
@EVERY_PERIOD
@given(rows=ROWS, zone=ZONES)
def test_rows_may_come_grouped_or_not(
    period: Period, rows: list[tuple[int, int]], zone: ZoneInfo
) -> None:
    grouped = fold(rows, lambda moment: int(moment.timestamp()), UTC)
    assert fold(grouped.items(), period, zone) == fold(rows, period, zone)


@pytest.mark.requirement("CLI-09", "SRV-08")
@given(start=HALF_HOURS, zone=ZONES)
def test_a_period_is_named_after_the_clock_and_the_calendar_on_the_wall(
    start: int, zone: ZoneInfo
) -> None:
    wall = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=start)).astimezone(zone)
    moment = local_time(start, zone)
    assert day_of(moment) == wall.strftime("%Y-%m-%d")
    assert month_of(moment) == wall.strftime("%Y-%m")
    assert hour_of(moment).startswith(wall.strftime("%Y-%m-%dT%H:00"))
    assert date.fromisoformat(week_of(moment)).strftime("%a %G-%V") == f"Mon {wall:%G-%V}"


MONDAYS = {
    "2026-08-09T23:30": "2026-08-03",
    "2026-08-10T00:00": "2026-08-10",
    "2027-01-01T12:00": "2026-12-28",
    "2024-02-29T00:30": "2024-02-26",
}


@pytest.mark.requirement("CLI-09")
@pytest.mark.parametrize("moment, monday", MONDAYS.items())
def test_weeks_start_on_monday(moment: str, monday: str) -> None:
    assert week_of(datetime.fromisoformat(moment)) == monday


NIGHTS = {
    "Europe/Berlin": ("2026-10-25T00:00Z", ["02:00+02:00", "02:00+01:00", "03:00+01:00"]),
    "America/St_Johns": ("2026-11-01T03:30Z", ["01:00-02:30", "01:00-03:30", "02:00-03:30"]),
    "Australia/Lord_Howe": ("2026-04-04T14:00Z", ["01:00+11:00", "01:00+10:30", "02:00+10:30"]),
    "Pacific/Chatham": (
        "2026-04-04T12:30Z",
        ["02:00+13:45", "03:00+13:45", "02:00+12:45", "03:00+12:45"],
    ),
}


@pytest.mark.requirement("CLI-09", "SRV-08")
@pytest.mark.parametrize("zone, start, hours", [(zone, *night) for zone, night in NIGHTS.items()])
def test_hours_that_a_night_has_twice_are_told_apart_and_in_order(
    zone: str, start: str, hours: list[str]
) -> None:
    first = int(datetime.fromisoformat(start).timestamp())
    rows = [(first + 1800 * step, 1) for step in range(12)]
    named = [name[11:] for name in fold(rows, hour_of, ZoneInfo(zone))]
    assert named[: len(hours)] == hours


@pytest.mark.requirement("CLI-09", "SRV-08")
@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "Asia/Kolkata", "Australia/Eucla"])
def test_a_half_hour_belongs_to_the_day_that_holds_its_start(zone: str) -> None:
    starts = range(1_786_300_200, 1_786_300_200 + 3 * 86_400, 1800)
    for before, start in pairwise(starts):
        clock = local_time(start, ZoneInfo(zone))
        is_first = clock.hour == 0 and clock.minute < 30
        moved_on = day_of(clock) != day_of(local_time(before, ZoneInfo(zone)))
        assert is_first == moved_on


SUNDAYS = {
    "2026-08-08": "2026-08-02",
    "2026-08-09": "2026-08-09",
    "2026-08-10": "2026-08-09",
    "2027-01-01": "2026-12-27",
}


@pytest.mark.requirement("SRV-13", "SRV-14")
@pytest.mark.parametrize("day, sunday", SUNDAYS.items())
def test_weeks_can_start_on_sunday(day: str, sunday: str) -> None:
    assert sunday_of(date.fromisoformat(day)) == date.fromisoformat(sunday)


@pytest.mark.requirement("SRV-07", "SRV-08")
def test_days_are_counted_with_the_first_and_the_last() -> None:
    first, last = date(2024, 2, 28), date(2024, 3, 1)
    assert list(days(first, last)) == [first, date(2024, 2, 29), last]
    assert list(days(first, first)) == [first]
    assert list(days(last, first)) == []


@pytest.mark.requirement("SRV-07")
def test_months_end_with_that_of_the_last_day() -> None:
    assert months(date(2026, 2, 28), 4) == ["2025-11", "2025-12", "2026-01", "2026-02"]
    assert months(date(2026, 12, 1), 1) == ["2026-12"]
    assert months(date(2026, 1, 31), 24)[0] == "2024-02"


ODD = {
    "Africa/Cairo": "2014-01-01",
    "Africa/Casablanca": "2026-01-01",
    "Africa/Monrovia": "1971-06-01",
    "America/Argentina/Tucuman": "2004-01-01",
    "America/Boa_Vista": "2000-01-01",
    "America/Caracas": "2007-06-01",
    "America/Havana": "2026-01-01",
    "America/Los_Angeles": "2026-01-01",
    "America/Sao_Paulo": "2018-01-01",
    "America/Scoresbysund": "2024-01-01",
    "America/St_Johns": "2010-06-01",
    "Antarctica/Casey": "2010-01-01",
    "Antarctica/Troll": "2026-01-01",
    "Asia/Beirut": "2026-01-01",
    "Asia/Gaza": "2040-01-01",
    "Asia/Kathmandu": "1985-06-01",
    "Asia/Pyongyang": "2015-01-01",
    "Asia/Tehran": "2021-06-01",
    "Asia/Vladivostok": "2010-06-01",
    "Australia/Eucla": "2008-06-01",
    "Australia/Lord_Howe": "2026-01-01",
    "Europe/Berlin": "2026-01-01",
    "Pacific/Apia": "2011-06-01",
    "Pacific/Auckland": "2026-01-01",
    "Pacific/Chatham": "2026-01-01",
    "Pacific/Kiritimati": "1994-06-01",
}
ODD_TIMES = pytest.mark.parametrize(
    "zone, first",
    [pytest.param(ZoneInfo(zone), date.fromisoformat(day), id=zone) for zone, day in ODD.items()],
)
FIXED = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
DATES = st.dates(date(1970, 1, 1), date(2099, 12, 31))


def walk(first: date, last: date, zone: tzinfo) -> list[tuple[int, datetime]]:
    """The half-hours from two days before to two days after: UTC seconds, and local time."""
    start = int(datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp()) - 2 * DAY
    end = start + ((last - first).days + 5) * DAY
    return [
        (second, datetime.fromtimestamp(second, UTC).astimezone(zone))
        for second in range(start, end, HALF_HOUR)
    ]


def assert_offsets_group_by_day(first: date, last: date, zone: tzinfo) -> None:
    walked = walk(first, last, zone)
    start, end = walked[0][0], walked[-1][0] + HALF_HOUR
    stretches = offsets(zone, start, end)
    begins = [stretch.start for stretch in stretches]
    for second, wall in walked:
        offset = stretches[bisect_right(begins, second) - 1].offset
        day = (second + offset) // DAY
        assert date(1970, 1, 1) + timedelta(days=day) == wall.date()


def assert_bounds_hold_the_days(first: date, last: date, zone: tzinfo) -> None:
    walked = walk(first, last, zone)
    start, end = bounds(first, last, zone)
    inside = [second for second, _ in walked if start <= second < end]
    wanted = [second for second, wall in walked if first <= wall.date() <= last]
    dates = [wall.date() for _, wall in walked]
    if dates == sorted(dates):
        assert inside == wanted
    else:
        assert set(inside) >= set(wanted)


def assert_hours_share_the_day(day: date, zone: tzinfo) -> None:
    begins: dict[tuple[int, timedelta | None], int] = {}
    for second, wall in walk(day, day, zone):
        if wall.date() == day:
            begins.setdefault((wall.hour, wall.utcoffset()), second)
    found = hours(day, zone)
    assert [hour.start for hour in found] == list(begins.values())
    assert [hour.name for hour in found] == [f"{day}T{hour:02}:00:00" for hour, _ in begins]
    assert [hour.period for hour in found] == [
        hour_of(local_time(start, zone)) for start in begins.values()
    ]


@pytest.mark.requirement("SRV-08", "SRV-10")
@ODD_TIMES
def test_in_odd_zones_a_database_groups_by_the_days_on_the_wall(
    zone: ZoneInfo, first: date
) -> None:
    last = first + timedelta(days=400)
    assert_offsets_group_by_day(first, last, zone)
    assert_bounds_hold_the_days(first, last, zone)


@pytest.mark.requirement("SRV-08", "SRV-10")
@ODD_TIMES
def test_in_odd_zones_every_day_has_its_half_hours_and_its_hours(
    zone: ZoneInfo, first: date
) -> None:
    changed = [
        local_time(stretch.start, zone).date()
        for stretch in offsets(zone, *bounds(first, first + timedelta(days=400), zone))
    ]
    assert len(changed) > 1
    a_day = timedelta(days=1)
    for day in {near for there in changed for near in days(there - a_day, there + a_day)}:
        assert_bounds_hold_the_days(day, day, zone)
        assert_hours_share_the_day(day, zone)


@pytest.mark.requirement("SRV-08", "SRV-10")
@given(first=DATES, length=st.integers(0, 200), zone=ZONES | FIXED)
def test_a_database_groups_by_the_days_on_the_wall(first: date, length: int, zone: tzinfo) -> None:
    last = first + timedelta(days=length)
    assert_offsets_group_by_day(first, last, zone)
    assert_bounds_hold_the_days(first, last, zone)


@pytest.mark.requirement("SRV-08")
@given(day=DATES, zone=ZONES | FIXED)
def test_the_half_hours_of_a_day_are_shared_by_its_hours(day: date, zone: tzinfo) -> None:
    assert_hours_share_the_day(day, zone)


@pytest.mark.requirement("SRV-08", "SRV-10")
@given(zone=ZONES | FIXED, start=st.integers(0, 2**32), length=st.integers(0, 800 * DAY))
def test_an_offset_begins_in_the_second_in_which_clocks_are_set(
    zone: tzinfo, start: int, length: int
) -> None:
    stretches = offsets(zone, start, start + length)
    assert stretches[0].start == start
    for before, after in pairwise(stretches):
        assert before.start < after.start < start + length
        assert before.offset != after.offset
        for second, stretch in (after.start - 1, before), (after.start, after):
            assert local_time(second, zone).utcoffset() == timedelta(seconds=stretch.offset)


def second(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


CHANGES = {
    "America/Los_Angeles": [("2026-03-08T10:00:00Z", -7), ("2026-11-01T09:00:00Z", -8)],
    "Africa/Casablanca": [("2026-02-15T02:00:00Z", 0), ("2026-03-22T02:00:00Z", 1)],
    "Australia/Lord_Howe": [("2026-04-04T15:00:00Z", 10.5), ("2026-10-03T15:30:00Z", 11)],
    "America/Boa_Vista": [
        ("2000-02-27T03:00:00Z", -4),
        ("2000-10-08T04:00:00Z", -3),
        ("2000-10-15T03:00:00Z", -4),
    ],
    "Africa/Monrovia": [("1972-01-07T00:44:30Z", 0)],
    "Asia/Kathmandu": [],
}


@pytest.mark.requirement("SRV-08", "SRV-10")
@pytest.mark.parametrize("shift", range(0, 5 * DAY, DAY // 2))
@pytest.mark.parametrize("zone, changes", CHANGES.items())
def test_no_change_of_offset_is_missed_wherever_one_begins_to_look(
    zone: str, changes: list[tuple[str, float]], shift: int
) -> None:
    year = changes[0][0][:4] if changes else "2026"
    start = second(f"{year}-01-06T00:00:00Z") - shift
    found = offsets(ZoneInfo(zone), start, start + 360 * DAY)[1:]
    assert found == [Stretch(second(text), int(offset * 3600)) for text, offset in changes]


def made_up(*changes: Stretch) -> ZoneInfo:
    """A zone that has the time of UTC until clocks are set (a TZif file of version 1, RFC 8536)."""
    count = len(changes)
    kinds = [(0, 0, 0), *((change.offset, 0, 0) for change in changes)]
    content = (
        pack(">4s16x6l", b"TZif", 0, 0, 0, count, count + 1, 4),
        pack(f">{count}l", *(change.start for change in changes)),
        bytes(range(1, count + 1)),
        *(pack(">l2B", *kind) for kind in kinds),
        b"XXX\0",
    )
    return ZoneInfo.from_file(BytesIO(b"".join(content)))


@pytest.mark.requirement("SRV-08", "SRV-10")
def test_changes_that_follow_each_other_at_once_are_all_found() -> None:
    start = second("2026-08-09T00:00:00Z")
    changes = [Stretch(start + 129_600, 3600), Stretch(start + 129_601, 5400)]
    found = offsets(made_up(*changes), start, start + 7 * DAY)
    assert found == [Stretch(start, 0), *changes]


@pytest.mark.requirement("SRV-08")
def test_even_no_time_at_all_has_an_offset() -> None:
    start = second("2026-08-10T00:00:00Z")
    kathmandu = Stretch(start, 20_700)
    assert offsets(ZoneInfo("Asia/Kathmandu"), start, start) == [kathmandu]
    assert offsets(ZoneInfo("Asia/Kathmandu"), start, start - DAY) == [kathmandu]


BOUNDS = [
    ("UTC", "2026-08-10", "2026-08-12", "2026-08-10T00:00:00Z", "2026-08-13T00:00:00Z"),
    ("America/Los_Angeles", "2026-03-08", "2026-03-08", "2026-03-08T08:00Z", "2026-03-09T07:00Z"),
    ("America/Los_Angeles", "2026-11-01", "2026-11-01", "2026-11-01T07:00Z", "2026-11-02T08:00Z"),
    ("Pacific/Auckland", "2026-04-05", "2026-04-05", "2026-04-04T11:00Z", "2026-04-05T12:00Z"),
    ("Pacific/Auckland", "2026-09-27", "2026-09-27", "2026-09-26T12:00Z", "2026-09-27T11:00Z"),
    ("Asia/Kathmandu", "2026-08-10", "2026-08-10", "2026-08-09T18:15Z", "2026-08-10T18:15Z"),
    ("Pacific/Chatham", "2026-04-05", "2026-04-05", "2026-04-04T10:15Z", "2026-04-05T11:15Z"),
    ("America/Sao_Paulo", "2018-11-03", "2018-11-03", "2018-11-03T03:00Z", "2018-11-04T03:00Z"),
    ("America/Sao_Paulo", "2018-11-04", "2018-11-04", "2018-11-04T03:00Z", "2018-11-05T02:00Z"),
    ("America/Sao_Paulo", "2018-02-17", "2018-02-17", "2018-02-17T02:00Z", "2018-02-18T03:00Z"),
    ("America/Havana", "2026-10-31", "2026-10-31", "2026-10-31T04:00Z", "2026-11-01T04:00Z"),
    ("Africa/Monrovia", "1972-01-07", "1972-01-07", "1972-01-07T00:44:30Z", "1972-01-08T00:00Z"),
    ("Pacific/Apia", "2011-12-30", "2011-12-30", "2011-12-30T10:00Z", "2011-12-30T10:00Z"),
    ("Pacific/Apia", "2011-12-29", "2011-12-31", "2011-12-29T10:00Z", "2011-12-31T10:00Z"),
    ("America/Toronto", "1919-03-30", "1919-03-30", "1919-03-30T05:00Z", "1919-03-31T04:30Z"),
    ("America/Toronto", "1919-03-31", "1919-03-31", "1919-03-31T04:30Z", "1919-04-01T04:00Z"),
    ("America/St_Johns", "2010-11-06", "2010-11-06", "2010-11-06T02:30Z", "2010-11-07T03:30Z"),
    ("America/St_Johns", "2010-11-07", "2010-11-07", "2010-11-07T02:30Z", "2010-11-08T03:30Z"),
]


@pytest.mark.requirement("SRV-08", "SRV-10")
@pytest.mark.parametrize("zone, first, last, start, end", BOUNDS)
def test_days_reach_from_local_midnight_to_local_midnight(
    zone: str, first: str, last: str, start: str, end: str
) -> None:
    asked = (date.fromisoformat(first), date.fromisoformat(last))
    assert bounds(*asked, ZoneInfo(zone)) == (second(start), second(end))


@pytest.mark.requirement("SRV-08")
@pytest.mark.parametrize(
    "zone", [UTC, timezone(timedelta(hours=-14)), timezone(timedelta(hours=14))]
)
def test_days_at_the_ends_of_the_calendar_are_refused_in_words(zone: tzinfo) -> None:
    bounds(date(2, 1, 1), date(9998, 12, 31), zone)
    for first, last in (date(1, 12, 31), date(2026, 1, 1)), (date(2026, 1, 1), date(9999, 1, 1)):
        with pytest.raises(ValueError, match="only the years 2 to 9998"):
            bounds(first, last, zone)


HOURS = [
    ("UTC", "2026-08-10", "2026-08-10T00:00Z", [], []),
    ("America/Los_Angeles", "2026-03-08", "2026-03-08T08:00Z", [2], []),
    ("America/Los_Angeles", "2026-11-01", "2026-11-01T07:00Z", [], [1]),
    ("Pacific/Auckland", "2026-04-05", "2026-04-04T11:00Z", [], [2]),
    ("Pacific/Auckland", "2026-09-27", "2026-09-26T12:00Z", [2], []),
    ("Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00Z", [], [1]),
    ("Australia/Lord_Howe", "2026-10-04", "2026-10-03T13:30Z", [], []),
    ("Pacific/Chatham", "2026-04-05", "2026-04-04T10:30Z", [], [2, 3]),
    ("Pacific/Chatham", "2026-09-27", "2026-09-26T11:30Z", [], []),
    ("Asia/Kathmandu", "2026-08-10", "2026-08-09T18:30Z", [], []),
    ("America/St_Johns", "2026-11-01", "2026-11-01T02:30Z", [], [1]),
    ("America/St_Johns", "2010-11-06", "2010-11-06T02:30Z", [], [23]),
    ("America/St_Johns", "2010-11-07", "2010-11-07T02:30Z", [], [0]),
    ("Pacific/Apia", "2011-12-29", "2011-12-29T10:00Z", [], []),
    ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00Z", [], []),
    ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00Z", [0], []),
    ("America/Sao_Paulo", "2018-02-17", "2018-02-17T02:00Z", [], [23]),
    ("Africa/Casablanca", "2026-02-15", "2026-02-14T23:00Z", [], [2]),
    ("Africa/Casablanca", "2026-03-22", "2026-03-22T00:00Z", [2], []),
    ("Africa/Monrovia", "1972-01-07", "1972-01-07T01:00Z", [0], []),
    ("Antarctica/Troll", "2026-03-29", "2026-03-29T00:00Z", [1, 2], []),
    ("Antarctica/Troll", "2026-10-25", "2026-10-24T22:00Z", [], [1, 2]),
]


@pytest.mark.requirement("SRV-08", "SRV-09")
@pytest.mark.parametrize("zone, day, start, left_out, twice", HOURS)
def test_a_day_has_the_hours_that_clocks_show(
    zone: str, day: str, start: str, left_out: list[int], twice: list[int]
) -> None:
    found = hours(date.fromisoformat(day), ZoneInfo(zone))
    expected = sorted([hour for hour in range(24) if hour not in left_out] + twice)
    assert sorted(hour.name for hour in found) == [f"{day}T{hour:02}:00:00" for hour in expected]
    assert found[0].start == second(start)
    assert found == sorted(found)
    assert len({hour.period for hour in found}) == len(found)


@pytest.mark.requirement("SRV-08")
def test_a_day_that_clocks_left_out_has_no_hours() -> None:
    assert hours(date(2011, 12, 30), ZoneInfo("Pacific/Apia")) == []


@pytest.mark.requirement("SRV-08")
@given(day=DATES, zone=ZONES)
def test_what_is_folded_by_hour_is_found_by_the_hours_of_its_day(day: date, zone: ZoneInfo) -> None:
    rows = [(start, 1) for start, wall in walk(day, day, zone) if wall.date() == day]
    assert list(fold(rows, hour_of, zone)) == [hour.period for hour in hours(day, zone)]

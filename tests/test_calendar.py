"""Folding half-hours into local periods: nothing is lost, and order does not matter."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vibescore.calendar import day_of, fold, hour_of, local_time, month_of, week_of

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

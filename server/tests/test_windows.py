"""Leaderboard windows are whole periods of UTC days."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vibescore_server.windows import Period, window

WINDOWS: list[tuple[Period, str, str, str]] = [
    ("day", "2026-08-10", "2026-08-10", "2026-08-10"),
    ("week", "2026-08-08", "2026-08-02", "2026-08-08"),
    ("week", "2026-08-09", "2026-08-09", "2026-08-15"),
    ("week", "2026-08-15", "2026-08-09", "2026-08-15"),
    ("week", "2027-01-01", "2026-12-27", "2027-01-02"),
    ("month", "2026-08-10", "2026-08-01", "2026-08-31"),
    ("month", "2024-02-01", "2024-02-01", "2024-02-29"),
    ("month", "2026-02-28", "2026-02-01", "2026-02-28"),
    ("month", "2026-12-31", "2026-12-01", "2026-12-31"),
    ("total", "2026-08-10", "2025-03-04", "2026-08-10"),
]


@pytest.mark.requirement("SRV-14")
@pytest.mark.parametrize("period, today, first, last", WINDOWS)
def test_a_window_is_the_period_that_holds_today(
    period: Period, today: str, first: str, last: str
) -> None:
    found = window(period, date.fromisoformat(today), date(2025, 3, 4))
    assert [day.isoformat() for day in found] == [first, last]


@pytest.mark.requirement("SRV-14")
@pytest.mark.parametrize("first_recorded", [None, date(2026, 8, 11)])
def test_total_is_today_alone_when_nothing_was_recorded_before(first_recorded: date | None) -> None:
    today = date(2026, 8, 10)
    assert window("total", today, first_recorded) == (today, today)


@pytest.mark.requirement("SRV-14")
@given(today=st.dates(date(1970, 1, 1), date(9998, 12, 31)))
def test_a_week_runs_from_sunday_to_saturday_and_a_month_from_its_first_to_its_last(
    today: date,
) -> None:
    week, month = window("week", today, None), window("month", today, None)
    assert week.first <= today <= week.last
    assert f"{week.first:%a} {week.last:%a} {(week.last - week.first).days}" == "Sun Sat 6"
    assert month.first <= today <= month.last
    assert f"{month.first:%Y-%m}" == f"{today:%Y-%m}" == f"{month.last:%Y-%m}"
    assert month.first.day == 1
    assert date.fromordinal(month.last.toordinal() + 1).day == 1

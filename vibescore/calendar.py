"""Folding half-hours into local days, exact in every time zone; a half-hour belongs to the day of
its start.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta, tzinfo
from typing import Protocol, Self, TypeVar


class Addable(Protocol):
    """Counters that can be summed."""

    def __add__(self, other: Self, /) -> Self: ...


Sums = TypeVar("Sums", bound=Addable)


def local_day(start: float, zone: tzinfo | None) -> date:
    """The calendar day of a UTC second in ``zone`` (None: the computer's)."""
    return datetime.fromtimestamp(start, zone).date()


def fold_days(rows: Iterable[tuple[int, Sums]], zone: tzinfo | None) -> dict[date, Sums]:
    """Sums by local day of rows (half-hour start in UTC seconds, sums), days in order of first
    appearance.
    """
    days: dict[date, Sums] = {}
    for start, sums in rows:
        day = local_day(start, zone)
        days[day] = days[day] + sums if day in days else sums
    return days


def week_of(day: date) -> date:
    """The Monday that begins the week of ``day``."""
    return day - timedelta(days=day.weekday())

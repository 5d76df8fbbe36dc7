"""Folding half-hours into local periods, exact in every time zone (CLI-09, SRV-08).

A period is a function from a local time to the name of the period that holds it: ``hour_of``,
``day_of``, ``week_of``, ``month_of``. A half-hour belongs to the period that holds its start, so
days of 23 and 25 hours and zones with offsets of :30 and :45 need no case of their own.
"""

from collections.abc import Callable, Hashable, Iterable
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Protocol, Self, TypeVar


class Addable(Protocol):
    """Counters that can be summed."""

    def __add__(self, other: Self, /) -> Self: ...


Sums = TypeVar("Sums", bound=Addable)
Key = TypeVar("Key", bound=Hashable)


def local_time(start: float, zone: tzinfo | None) -> datetime:
    """The time in ``zone`` (None: the computer's) at a UTC second, with its offset from UTC."""
    return datetime.fromtimestamp(start, UTC).astimezone(zone)


def local_day(start: float, zone: tzinfo | None) -> date:
    """The calendar day of a UTC second in ``zone`` (None: the computer's)."""
    return local_time(start, zone).date()


def monday_of(day: date) -> date:
    """The Monday that begins the week of ``day``."""
    return day - timedelta(days=day.weekday())


def hour_of(moment: datetime) -> str:
    """``2026-10-25T01:00+02:00``: the offset tells the two hours apart that a night may have.

    It is that of the moment, not that of the full hour: they differ where clocks are set in
    between, as in Pacific/Chatham.
    """
    text = moment.isoformat(timespec="minutes")
    return f"{text[:14]}00{text[16:]}"


def day_of(moment: datetime) -> str:
    """``2026-10-25``."""
    return moment.date().isoformat()


def week_of(moment: datetime) -> str:
    """``2026-10-19``: the Monday that begins the week."""
    return monday_of(moment.date()).isoformat()


def month_of(moment: datetime) -> str:
    """``2026-10``."""
    return day_of(moment)[:7]


def sum_by(pairs: Iterable[tuple[Key, Sums]]) -> dict[Key, Sums]:
    """Sums by key, keys in order of first appearance."""
    sums: dict[Key, Sums] = {}
    for key, more in pairs:
        sums[key] = sums[key] + more if key in sums else more
    return sums


def fold(
    rows: Iterable[tuple[int, Sums]],
    period: Callable[[datetime], Key],
    zone: tzinfo | None,
) -> dict[Key, Sums]:
    """Sums by local period of rows (half-hour start in UTC seconds, sums), in order of time.

    Periods without a row are left out; rows may come in any order and grouped or not.
    """
    in_order = sorted(rows, key=lambda row: row[0])
    return sum_by((period(local_time(start, zone)), sums) for start, sums in in_order)

"""Folding half-hours into local periods, exact in every time zone (CLI-09, SRV-08).

A period is a function from a local time to the name of the period that holds it: ``hour_of``,
``day_of``, ``week_of``, ``month_of``. A half-hour belongs to the period that holds its start, so
days of 23 and 25 hours and zones with offsets of :30 and :45 need no case of their own.

Where a database does the grouping, ``bounds`` says which half-hours to look at, and ``offsets``
what to add to them: ``(start + offset) // DAY`` is then the local day, counted from 1970 on.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple, Protocol, Self, TypeVar

HALF_HOUR = 1800
DAY = 86_400
LOOK = 4 * DAY
"""Seconds from one look at the offset of a zone to the next: no change since 1970 was taken back in
less than a week less an hour (Brazil, October 2000).
"""


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


def sunday_of(day: date) -> date:
    """The Sunday that begins the week of ``day`` where weeks begin on Sundays."""
    return day - timedelta(days=day.isoweekday() % 7)


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


class Stretch(NamedTuple):
    """From the UTC second ``start`` on, local time is UTC plus ``offset`` seconds."""

    start: int
    offset: int


def offsets(zone: tzinfo, start: int, end: int) -> list[Stretch]:
    """The stretches of one offset that cover the UTC seconds from ``start`` to before ``end``.

    In order of time, exact to the second: the first begins at ``start``, each lasts until the next
    begins. There is always a first one, even when ``end`` is not after ``start``.
    """
    stretches = [Stretch(start, _offset(zone, start))]
    seen = start
    for second in (*range(start + LOOK, end, LOOK), max(start, end - 1)):
        while _offset(zone, second) != stretches[-1].offset:
            seen = _change(zone, seen, second)
            stretches.append(Stretch(seen, _offset(zone, seen)))
        seen = second
    return stretches


def _offset(zone: tzinfo, start: int) -> int:
    """Seconds to add to UTC."""
    return (local_time(start, zone).utcoffset() or timedelta()) // timedelta(seconds=1)


def _change(zone: tzinfo, before: int, after: int) -> int:
    """The second in which the offset of ``before`` ends, when that of ``after`` is another."""
    old = _offset(zone, before)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(zone, middle) == old:
            before = middle
        else:
            after = middle
    return after


def bounds(first: date, last: date, zone: tzinfo) -> tuple[int, int]:
    """The UTC seconds [start, end) that hold the local days from ``first`` to ``last``, included.

    They hold nothing else, unless clocks were set back over midnight (America/St_Johns until 2011),
    so that an hour of one day lies between two parts of another: who asks for one of them gets
    both, and has to look at the days. Days that clocks left out (Pacific/Apia, 2011-12-30) hold
    nothing: start and end are the same.
    Raises ValueError for the years 1 and 9999, whose edges cannot be told in every zone.
    """
    if first.year == date.min.year or last.year == date.max.year:
        raise ValueError(f"from {first} to {last}: only the years 2 to 9998 can be told in UTC")
    after = last + timedelta(days=1)
    start = min(edge for edge in _edges(first, zone) if local_day(edge, zone) >= first)
    end = max(edge for edge in _edges(after, zone) if local_day(edge - 1, zone) < after)
    return start, end


def _edges(day: date, zone: tzinfo) -> Iterator[int]:
    """UTC seconds: those among which are all where a local time before ``day`` meets one in or
    after it, which is where midnight strikes or where clocks are set.
    """
    midnight = (day.toordinal() - date(1970, 1, 1).toordinal()) * DAY
    for start, offset in offsets(zone, midnight - DAY, midnight + DAY):
        yield start
        yield midnight - offset


class Hour(NamedTuple):
    """A local hour: the UTC second of its first half-hour, and how ``hour_of`` names it."""

    start: int
    period: str

    @property
    def name(self) -> str:
        """``2026-10-25T01:00:00``, which a day may have twice (SRV-08)."""
        return f"{self.period[:16]}:00"


def hours(day: date, zone: tzinfo) -> list[Hour]:
    """The local hours in which half-hours of a local day start, in order of time.

    An hour ends where clocks are set: what they repeat is another hour, with another offset. Most
    days have 24, those on which an hour is left out or repeated 23 or 25; Antarctica/Troll sets
    clocks by two (22, 26). Parts of an hour count as well: Pacific/Chatham goes back from 03:45 to
    02:45 and has 26 then. A day that clocks left out has none.
    """
    start, end = bounds(day, day, zone)
    found: dict[str, Hour] = {}
    for half_hour in range(start + -start % HALF_HOUR, end, HALF_HOUR):
        moment = local_time(half_hour, zone)
        if moment.date() == day:
            period = hour_of(moment)
            found.setdefault(period, Hour(half_hour, period))
    return list(found.values())


def days(first: date, last: date) -> Iterator[date]:
    """All days from ``first`` to ``last``, both included."""
    return map(date.fromordinal, range(first.toordinal(), last.toordinal() + 1))


def months(last: date, count: int) -> list[str]:
    """The names (``2026-10``) of ``count`` months, the last of them that of ``last``."""
    end = last.year * 12 + last.month
    return [f"{month // 12:04}-{month % 12 + 1:02}" for month in range(end - count, end)]

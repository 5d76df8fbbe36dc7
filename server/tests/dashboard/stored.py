"""What a server's database holds of somebody, by the clocks of a place: the truth of a screen."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, NamedTuple, Self, TypeVar
from zoneinfo import ZoneInfo

from rows import rows_of
from serving import Person, row

Key = TypeVar("Key", bound=Hashable)

HALF_HOUR = timedelta(minutes=30)
QUARTER = timedelta(minutes=15)
"""Every local hour begins at one."""


class Tokens(NamedTuple):
    """Five sums, in the order of the columns on the page."""

    total: int = 0
    input: int = 0
    cached: int = 0
    output: int = 0
    reasoning: int = 0

    def plus(self, other: Tokens) -> Tokens:
        return Tokens(*(mine + its for mine, its in zip(self, other, strict=True)))

    @property
    def cells(self) -> list[str]:
        """As they are read: `1,234`."""
        return [f"{count:,}" for count in self]


class Entry(NamedTuple):
    """A row of the database; ``at`` is the local time at which its half-hour begins."""

    at: datetime
    source: str
    model: str
    tokens: Tokens


class Hour(NamedTuple):
    """A local hour: where clocks go back, two of them differ by the offset alone."""

    day: date
    hour: int
    offset: timedelta | None

    @classmethod
    def of(cls, at: datetime) -> Self:
        return cls(at.date(), at.hour, at.utcoffset())


class HourOfDay(NamedTuple):
    """An hour as a page has to show it; no tokens when it is not synced yet."""

    start: str
    end: str
    offset: str
    """`` UTC+02:00`` where the day has this hour twice."""
    tokens: Tokens | None


@dataclass(frozen=True)
class Stored:
    """Rows of one user."""

    zone: ZoneInfo
    entries: Sequence[Entry]

    @classmethod
    def of(cls, person: Person, zone: str) -> Self:
        """As they are in the database now."""
        place = ZoneInfo(zone)
        kept = rows_of(person.server, person.id)["usage_half_hour"]
        return cls(place, [entry(each, place) for each in kept])

    def within(self, first: str, last: str) -> Self:
        """Those of local days, both included."""
        days = [date.fromisoformat(each) for each in (first, last)]
        kept = [its for its in self.entries if days[0] <= its.at.date() <= days[1]]
        return replace(self, entries=kept)

    def by(self, key: Callable[[Entry], Key]) -> defaultdict[Key, Tokens]:
        """Sums by what tells rows apart; what is not there sums up to nothing."""
        sums: defaultdict[Key, Tokens] = defaultdict(Tokens)
        for its in self.entries:
            sums[key(its)] = sums[key(its)].plus(its.tokens)
        return sums

    @property
    def sum(self) -> Tokens:
        return self.by(lambda _: None)[None]

    def hours(self, now: str, synced: str | None) -> list[HourOfDay]:
        """Those of today that have begun, oldest first. No hour is known that comes after the one
        in which somebody synced last (SRV-09).
        """
        begun = hours_until(datetime.fromisoformat(now).astimezone(self.zone))
        known = synced and datetime.fromisoformat(synced).astimezone(self.zone)
        sums, times = self.by(lambda its: Hour.of(its.at)), Counter(at.hour for at in begun)
        return [
            HourOfDay(
                f"{at.hour:02d}:00",
                f"{at.hour + 1:02d}:00",
                f" UTC{at.isoformat()[-6:]}" if times[at.hour] > 1 else "",
                sums[Hour.of(at)] if known and begins_by(at, known) else None,
            )
            for at in begun
        ]

    def days(self, first: date, last: date) -> list[tuple[date, Tokens]]:
        """From the first to the last, those without any use included."""
        sums = self.by(lambda its: its.at.date())
        count = (last - first).days + 1
        return [(day, sums[day]) for day in (first + timedelta(back) for back in range(count))]

    def months(self, last: date) -> list[tuple[date, Tokens]]:
        """24 months by their first days, up to that of a day, oldest first."""
        sums = self.by(lambda its: its.at.date().replace(day=1))
        numbers = (last.year * 12 + last.month - 1 - back for back in reversed(range(24)))
        firsts = [date(number // 12, number % 12 + 1, 1) for number in numbers]
        return [(first, sums[first]) for first in firsts]


def entry(kept: dict[str, Any], zone: ZoneInfo) -> Entry:
    counters = ("total", "input", "cached_input", "output", "reasoning_output")
    tokens = Tokens(*(kept[f"{counter}_tokens"] for counter in counters))
    at = datetime.fromtimestamp(kept["hour_start"], zone)
    return Entry(at, kept["source"], kept["model"], tokens)


def begins_by(at: datetime, moment: datetime) -> bool:
    """Whether the local hour of one time has begun at another."""
    return at <= moment or Hour.of(at) == Hour.of(moment)


def hours_until(now: datetime) -> list[datetime]:
    """The local hours of the day of a moment that have begun by then, oldest first: a quarter of an
    hour of each, the first that it has.
    """
    instant = now.astimezone(UTC)
    latest = instant - timedelta(minutes=instant.minute % 15, seconds=instant.second)
    quarters = ((latest - QUARTER * back).astimezone(now.tzinfo) for back in range(26 * 4))
    firsts = {Hour.of(at): at for at in quarters if at.date() == now.date()}
    return sorted(firsts.values(), key=datetime.timestamp)


USED = (
    ("codex", "gpt-5.2-codex"),
    ("codex", "gpt-5.2-codex"),
    ("gemini", "gemini-3-pro"),
    ("codex", "house-model"),
    ("every-code", "gpt-5.2-codex"),
    ("every-code", "unknown"),
)
"""Two of these models have a price, two have none."""


def rows_before(now: str, *, days: int, count: int, seed: int = 1) -> list[dict[str, Any]]:
    """Rows of so many half-hours at the most, in the days before a moment, denser towards it."""
    lots = Random(seed)
    last = datetime.fromisoformat(now)
    last -= timedelta(minutes=last.minute % 30)
    ages = {int(days * 48 * lots.random() ** 4) for _ in range(count)}
    return [some(last - HALF_HOUR * age, lots) for age in sorted(ages)]


def some(at: datetime, lots: Random) -> dict[str, Any]:
    source, model = lots.choice(USED)
    spent, output = lots.randrange(1_000, 900_000), lots.randrange(100, 90_000)
    reasoning = lots.randrange(output)
    return row(
        f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        source=source,
        model=model,
        input=spent,
        cached_input=lots.randrange(spent),
        output=output,
        reasoning_output=reasoning,
        total=spent + output + (reasoning if source == "gemini" else 0),
    )

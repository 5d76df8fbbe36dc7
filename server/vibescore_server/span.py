"""Which days a question about usage means, and in which time zone: its parameters (SRV-08).

Parameters are what stands in the address: texts by name, of which an empty or a blank one counts as
absent. What they may be is in the wire protocol; whatever else they are raises ``Invalid``.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta, timezone, tzinfo
from functools import cache
from typing import TypeVar
from zoneinfo import ZoneInfo, available_timezones

from vibescore.calendar import local_day
from vibescore_server.errors import Invalid

Parameters = Mapping[str, str]
Word = TypeVar("Word", bound=str)

USUAL_DAYS = 30
MOST_DAYS = 800
MOST_MINUTES = 14 * 60
FIRST_YEAR, LAST_YEAR = 1970, 9998
"""Nothing was used before; what comes after cannot be told in UTC (``calendar.bounds``)."""


@dataclass(frozen=True, slots=True)
class Span:
    """Local days of a zone, from the first to the last, both included."""

    first: date
    last: date
    zone: tzinfo

    @property
    def days(self) -> int:
        """How many these are."""
        return (self.last - self.first).days + 1


def span(parameters: Parameters, now: float) -> Span:
    """What ``from``, ``to``, ``tz`` and ``tz_offset_minutes`` mean at a UTC second.

    Without ``to`` until today, without ``from`` the 30 days that end with the last one.
    """
    zone = zone_of(parameters)
    last = day_of(parameters, "to", default=local_day(now, zone))
    first = day_of(parameters, "from", default=last - timedelta(days=USUAL_DAYS - 1))
    asked = Span(first, last, zone)
    if first > last:
        raise Invalid("from", f"this is after the last day, {last}")
    if asked.days > MOST_DAYS:
        raise Invalid("from", f"these are {asked.days} days; ask for {MOST_DAYS} at most")
    return asked


def zone_of(parameters: Parameters) -> tzinfo:
    """The zone ``tz``, else the one of ``tz_offset_minutes``, which is not looked at beside ``tz``;
    UTC without both.
    """
    if name := _text(parameters, "tz"):
        return _named(name)
    if minutes := _text(parameters, "tz_offset_minutes"):
        return _fixed(minutes)
    return UTC


def day_of(parameters: Parameters, name: str, *, default: date) -> date:
    """The day of a parameter, written like ``2026-08-10`` and not otherwise."""
    text = _text(parameters, name)
    if not text:
        return default
    day = _day(text)
    if not day:
        raise Invalid(name, "this is no day; write it like 2026-08-10")
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise Invalid(name, f"only days of the years {FIRST_YEAR} to {LAST_YEAR} can be asked for")
    return day


def number_of(parameters: Parameters, name: str, *, most: int, default: int) -> int:
    """The whole number of a parameter, from 1 to ``most``."""
    text = _text(parameters, name)
    if not text:
        return default
    if not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= most:
        raise Invalid(name, f"this is no whole number from 1 to {most}")
    return int(text)


def word_of(parameters: Parameters, name: str, words: Sequence[Word]) -> Word:
    """The word of a parameter, one of ``words``; the first of them without it."""
    text = _text(parameters, name)
    chosen = next((word for word in words if word == text), None)
    if text and chosen is None:
        raise Invalid(name, f"this is none of {', '.join(words)}")
    return chosen or words[0]


def _text(parameters: Parameters, name: str) -> str:
    text = parameters.get(name) or ""
    return "" if text.isspace() else text


def _day(text: str) -> date | None:
    """None for other forms of ISO 8601, and for days that no calendar has."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _fixed(minutes: str) -> tzinfo:
    if not re.fullmatch(r"[+-]?[0-9]{1,4}", minutes) or abs(int(minutes)) > MOST_MINUTES:
        raise Invalid(
            "tz_offset_minutes", f"this is no whole number from {-MOST_MINUTES} to {MOST_MINUTES}"
        )
    return timezone(timedelta(minutes=int(minutes)))


def _named(name: str) -> tzinfo:
    if name not in _zone_names():
        raise Invalid("tz", "no time zone is named so; write it like Europe/Berlin or UTC")
    return ZoneInfo(name)


@cache
def _zone_names() -> frozenset[str]:
    """All zones there are: what a request names is looked up here, and not on the disk.

    ``localtime``, which some systems list, is no name of a zone: it is the server's own.
    """
    return frozenset(available_timezones() - {"localtime"})

"""The heatmap as a pure function: tokens by day in, weeks of seven cells out (SRV-13)."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import takewhile
from typing import Literal, NamedTuple

from vibescore.calendar import days, monday_of, sunday_of

WeekStart = Literal["sun", "mon"]

QUANTILES = ((1, 2), (3, 4), (9, 10))
"""0.5, 0.75 and 0.9 as fractions, so that no rounding picks the value beside."""


class Cell(NamedTuple):
    """A local day, its tokens, and how many that is: from 0 (none) to 4."""

    day: date
    value: int
    level: int


Week = tuple[Cell | None, ...]
"""Seven days; None for those that come after the last one."""


@dataclass(frozen=True, slots=True)
class Heatmap:
    """The grid from its first day to its last, and what stands out in it.

    ``thresholds`` are the most tokens of the levels 1, 2 and 3 (zeros when no day has any);
    ``streak_days`` in a row have tokens up to the last day, or up to the one before while the last
    one has none: a day that is not over breaks no streak.
    """

    first: date
    last: date
    weeks: tuple[Week, ...]
    thresholds: tuple[int, ...]
    active_days: int
    streak_days: int


def first_day(last: date, weeks: int, week_start: WeekStart) -> date:
    """The day that begins a grid of which the last week holds ``last``."""
    begin = sunday_of(last) if week_start == "sun" else monday_of(last)
    return begin - timedelta(weeks=weeks - 1)


def heatmap(tokens: Mapping[date, int], first: date, last: date) -> Heatmap:
    """The grid of the tokens by local day, from ``first`` (see ``first_day``) to ``last``.

    Days that are not in ``tokens`` have none; what lies outside the grid changes nothing.
    """
    grid = [(day, tokens.get(day, 0)) for day in days(first, last)]
    active = sorted(value for _, value in grid if value)
    thresholds = _thresholds(active)
    cells = [Cell(day, value, _level(value, thresholds)) for day, value in grid]
    return Heatmap(first, last, _weeks(cells), thresholds, len(active), _streak(cells))


def _thresholds(ordered: Sequence[int]) -> tuple[int, ...]:
    """The values at the quantiles, at the index floor((n - 1) · q)."""
    if not ordered:
        return (0,) * len(QUANTILES)
    return tuple(ordered[(len(ordered) - 1) * over // under] for over, under in QUANTILES)


def _level(value: int, thresholds: Sequence[int]) -> int:
    return 1 + bisect_left(thresholds, value) if value else 0


def _weeks(cells: Sequence[Cell]) -> tuple[Week, ...]:
    filled = (*cells, *[None] * (-len(cells) % 7))
    return tuple(filled[start : start + 7] for start in range(0, len(filled), 7))


def _streak(cells: Sequence[Cell]) -> int:
    before, last = cells[:-1], cells[-1]
    streak = len([*takewhile(lambda cell: cell.value, reversed(before))])
    return streak + (last.value > 0)

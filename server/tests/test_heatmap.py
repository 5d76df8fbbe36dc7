"""The heatmap: whole weeks, levels by quantiles of the days with tokens, streaks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vibescore_server.heatmap import Heatmap, WeekStart, first_day, heatmap

MONDAY = date(2026, 8, 10)
FIRST_DAYS: list[tuple[str, int, WeekStart, str]] = [
    ("2026-08-10", 1, "sun", "2026-08-09"),
    ("2026-08-10", 1, "mon", "2026-08-10"),
    ("2026-08-09", 1, "sun", "2026-08-09"),
    ("2026-08-09", 1, "mon", "2026-08-03"),
    ("2026-08-15", 1, "sun", "2026-08-09"),
    ("2026-08-10", 2, "sun", "2026-08-02"),
    ("2026-08-10", 52, "sun", "2025-08-17"),
    ("2026-08-10", 104, "mon", "2024-08-19"),
]


def drawn(values: Sequence[int], *, weeks: int = 52) -> Heatmap:
    """The heatmap of days in a row, the last of them MONDAY."""
    tokens = {MONDAY - timedelta(days=ago): value for ago, value in enumerate(reversed(values))}
    return heatmap(tokens, first_day(MONDAY, weeks, "sun"), MONDAY)


def levels(values: Sequence[int]) -> list[int]:
    cells = [cell for week in drawn(values).weeks for cell in week if cell]
    return [cell.level for cell in cells[-len(values) :]]


@pytest.mark.requirement("SRV-13")
@pytest.mark.parametrize("last, weeks, week_start, first", FIRST_DAYS)
def test_the_last_week_of_the_grid_holds_its_last_day(
    last: str, weeks: int, week_start: WeekStart, first: str
) -> None:
    assert first_day(date.fromisoformat(last), weeks, week_start) == date.fromisoformat(first)


@pytest.mark.requirement("SRV-13")
def test_a_grid_is_weeks_of_seven_and_empty_after_its_last_day() -> None:
    grid = drawn([5, 0, 7], weeks=2).weeks
    assert [[cell and (cell.day.day, cell.value) for cell in week] for week in grid] == [
        [(2, 0), (3, 0), (4, 0), (5, 0), (6, 0), (7, 0), (8, 5)],
        [(9, 0), (10, 7), None, None, None, None, None],
    ]


@pytest.mark.requirement("SRV-13")
@given(
    last=st.dates(date(1972, 1, 1), date(9998, 12, 31)),
    weeks=st.integers(1, 104),
    week_start=st.sampled_from(["sun", "mon"]),
)
def test_every_day_from_the_first_to_the_last_has_its_cell(
    last: date, weeks: int, week_start: WeekStart
) -> None:
    first = first_day(last, weeks, week_start)
    found = heatmap({}, first, last)
    assert len(found.weeks) == weeks
    assert {len(week) for week in found.weeks} == {7}
    assert f"{first:%a}".lower() == week_start
    cells = [cell for week in found.weeks for cell in week]
    shown = (last - first).days + 1
    assert [cell and cell.day for cell in cells[:shown]] == [
        first + timedelta(days=number) for number in range(shown)
    ]
    assert cells[shown:] == [None] * (weeks * 7 - shown)


LEVELS = {
    "nothing": ([0, 0], [0, 0], (0, 0, 0)),
    "one day": ([9], [1], (9, 9, 9)),
    "all the same": ([3, 3, 0, 3], [1, 1, 0, 1], (3, 3, 3)),
    "two": ([2, 1], [4, 1], (1, 1, 1)),
    "ten": (
        [10, 20, 30, 40, 50, 60, 70, 80, 90, 100],
        [1, 1, 1, 1, 1, 2, 2, 3, 3, 4],
        (50, 70, 90),
    ),
    "eleven": (
        [0, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1],
        [0, 4, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1],
        (6, 8, 10),
    ),
    "more than a float can tell": (
        [2**62, 2**62 + 1, 2**62 + 2, 2**62 + 3],
        [1, 1, 2, 4],
        (2**62 + 1, 2**62 + 2, 2**62 + 2),
    ),
}


@pytest.mark.requirement("SRV-13")
@pytest.mark.parametrize("values, expected, thresholds", LEVELS.values(), ids=LEVELS.keys())
def test_levels_are_cut_at_quantiles_of_the_days_with_tokens(
    values: list[int], expected: list[int], thresholds: tuple[int, ...]
) -> None:
    assert levels(values) == expected
    assert drawn(values).thresholds == thresholds


@pytest.mark.requirement("SRV-13")
@given(values=st.lists(st.just(0) | st.integers(1, 20) | st.integers(1, 2**63 - 1), max_size=300))
def test_a_level_is_one_more_than_the_thresholds_below_the_value(values: list[int]) -> None:
    found = drawn(values)
    ordered = sorted(value for value in values if value)
    quantiles = [Fraction(1, 2), Fraction(3, 4), Fraction(9, 10)]
    cuts = [ordered[floor((len(ordered) - 1) * q)] for q in quantiles] if ordered else [0, 0, 0]
    assert list(found.thresholds) == cuts
    assert found.active_days == len(ordered)
    for cell in (cell for week in found.weeks for cell in week if cell):
        below = 1 + sum(cell.value > cut for cut in cuts)
        assert cell.level == (below if cell.value else 0)


STREAKS = {
    "nothing": ([0, 0, 0], 0),
    "up to the last day": ([1, 0, 1, 1, 1], 3),
    "the last day alone": ([1, 0, 1], 1),
    "the last day has none yet": ([0, 1, 1, 0], 2),
    "a whole day without": ([1, 1, 0, 0], 0),
    "yesterday without": ([1, 1, 0, 1], 1),
    "all the grid": ([1] * 9, 9),
    "all the grid but its last day": ([1] * 8 + [0], 8),
}


@pytest.mark.requirement("SRV-13")
@pytest.mark.parametrize("values, streak", STREAKS.values(), ids=STREAKS.keys())
def test_a_streak_is_not_broken_by_a_last_day_without_tokens_yet(
    values: list[int], streak: int
) -> None:
    assert drawn(values, weeks=2).streak_days == streak


@pytest.mark.requirement("SRV-13")
def test_days_outside_the_grid_change_nothing() -> None:
    before = date(2026, 8, 8)
    outside = {before: 9, MONDAY + timedelta(days=1): 9}
    inside = {MONDAY: 1}
    first = first_day(MONDAY, 1, "sun")
    assert heatmap(inside | outside, first, MONDAY) == heatmap(inside, first, MONDAY)

"""What the trend and the activity heatmap draw, and say when asked, is what the database holds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import pytest
from chart import Chart, note_words
from playwright.sync_api import Locator, expect
from screen import Screen, tokens_of
from serving import NOW, Person, Server, row
from stored import Stored, rows_before

BERLIN = "Europe/Berlin"
TODAY = date(2026, 11, 18)
"""A Wednesday."""

SYNCED = "2026-11-18T08:20:00Z"
"""09:20 in Berlin, where it is 13:00 NOW: hours from 10:00 on are missing."""

NOTHING_YET = "not synced yet"

Look = Callable[..., Screen]

pytestmark = pytest.mark.usefixtures("noon")


@pytest.fixture(scope="module")
def ada(server: Server) -> Person:
    """A computer of hers has sent figures of more than two years, and none for some hours."""
    server.set_clock(SYNCED)
    ada = server.sign_up("Ada")
    ada.link().send(*rows_before(SYNCED, days=760, count=400))
    return ada


@pytest.fixture
def draw(look: Look) -> Look:
    """The same, and what is written on canvases is noted."""
    return partial(look, prepare=note_words)


class Point(NamedTuple):
    """A time, and the tokens of it; None where they are not synced."""

    when: str
    tokens: int | None

    def tip(self, zone: str = BERLIN) -> str:
        value = NOTHING_YET if self.tokens is None else f"{self.tokens:,} tokens"
        return f"{value}\n{self.when} · {zone}"


class Curve(NamedTuple):
    """Points up to now, and what stands below; there are slots after now, too."""

    points: list[Point]
    slots: int
    labels: dict[int, str]


def hours(stored: Stored, now: str, synced: str | None) -> list[Point]:
    day = dated(datetime.fromisoformat(now).astimezone(stored.zone))
    return [
        Point(f"{day}, {its.start}–{its.end}{its.offset}", its.tokens and its.tokens.total)
        for its in stored.hours(now, synced)
    ]


def days(stored: Stored, first: date) -> list[Point]:
    return [Point(dated(day), tokens.total) for day, tokens in stored.days(first, TODAY)]


def months(stored: Stored) -> list[Point]:
    return [Point(f"{month:%b %Y}", tokens.total) for month, tokens in stored.months(TODAY)]


def dated(day: date) -> str:
    """`Mon 10 Aug 2026`."""
    return f"{day:%a} {day.day} {day:%b %Y}"


def curves(person: Person, synced: str | None = SYNCED) -> dict[str, Curve]:
    """All that a person has to see NOW, by the database."""
    stored = Stored.of(person, BERLIN)
    week = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    thirds = ("Jan 25", "May 25", "Sep 25", "Jan 26", "May 26", "Sep 26")
    return {
        "day": Curve(hours(stored, NOW, synced), 24, {at: f"{at:02d}" for at in range(0, 24, 4)}),
        "week": Curve(days(stored, TODAY - timedelta(2)), 7, dict(enumerate(week))),
        "month": Curve(
            days(stored, TODAY.replace(day=1)),
            30,
            {day - 1: str(day) for day in (1, 5, 10, 15, 20, 25, 30)},
        ),
        "total": Curve(months(stored), 24, dict(zip(range(1, 24, 4), thirds, strict=True))),
    }


def is_drawn(screen: Screen, curve: Curve) -> None:
    """The curve stands there as it has to, from the first slot to the last."""
    chart = Chart.of(screen, curve.slots)
    assert chart.x_labels == curve.labels
    known = [its.tokens is not None for its in curve.points]
    after = [False] * (curve.slots - len(known))
    assert [chart.is_drawn(slot) for slot in range(curve.slots)] == known + after
    assert [chart.is_hatched(slot) for slot in range(curve.slots)] == [
        *(not each for each in known),
        *after,
    ]
    between = [one and other for one, other in pairwise(known)]
    halves = [chart.is_drawn(slot + 0.5) for slot in range(curve.slots - 1)]
    assert halves == between + [False] * (len(halves) - len(between))
    for slot, its in enumerate(curve.points):
        assert its.tokens is None or chart.passes(slot, its.tokens), its


@pytest.mark.requirement("DSH-07", "DSH-19", "SRV-09")
def test_the_curve_goes_through_what_the_database_holds(ada: Person, draw: Look) -> None:
    screen = draw(ada, "day")
    for period, curve in curves(ada).items():
        screen.show(period)
        is_drawn(screen, curve)
    today = [its.tokens for its in curves(ada)["day"].points]
    assert 0 in today
    assert today[10:] == [None] * 4


@pytest.mark.requirement("DSH-07")
def test_the_axis_has_few_round_steps_in_thousands_millions_and_billions(
    server: Server, draw: Look
) -> None:
    ben = server.sign_up()
    laptop = ben.link()
    screen = draw(ben, "week")
    for most, unit in ((7, ""), (73_000, "K"), (6_100_000, "M"), (2_345_678_901, "B")):
        laptop.send(row(input=most))
        with screen.refreshed():
            screen.page.keyboard.press("r")
        labels = Chart.of(screen, 7).y_labels
        assert 4 <= len(labels) <= 5
        assert all(re.fullmatch(r"[0-9]+(\.[0-9])?[KMB]?", each) for each in labels)
        assert labels[-1].endswith(unit)
        steps = [tokens_of(each) for each in labels]
        assert steps == [steps[1] * nth for nth in range(len(steps))]
        assert steps[-2] < most <= steps[-1]


@pytest.mark.requirement("DSH-05", "DSH-07")
def test_arrow_keys_read_every_value_with_its_date_and_zone(ada: Person, draw: Look) -> None:
    screen = draw(ada, "day")
    for period, curve in curves(ada).items():
        screen.show(period)
        assert walked(screen, "Home", "ArrowRight", len(curve.points)) == [
            its.tip() for its in curve.points
        ]
        assert walked(screen, "End", "ArrowLeft", 2) == [its.tip() for its in curve.points[:-3:-1]]


def walked(screen: Screen, first: str, onward: str, count: int) -> list[str]:
    """What is said on the way through the trend, from the focus on it to the focus elsewhere."""
    picture = screen.panel("Trend").get_by_role("application", name="Tokens over time")
    picture.focus()
    said = []
    for key in (first, *[onward] * (count - 1)):
        screen.page.keyboard.press(key)
        said.append(tip_of(screen).inner_text())
    picture.blur()
    expect(tip_of(screen)).to_have_count(0)
    return said


def tip_of(screen: Screen, panel: str = "Trend") -> Locator:
    return screen.panel(panel).get_by_role("status")


@pytest.mark.requirement("DSH-07")
def test_the_pointer_gets_a_line_a_mark_and_the_value(ada: Person, draw: Look) -> None:
    screen = draw(ada, "day")
    curve = curves(ada)["day"]
    chart = Chart.of(screen, curve.slots)
    for slot in (0, 9, 10, 13):
        its = curve.points[slot]
        point_at(screen, chart, slot)
        expect(tip_of(screen)).to_have_text(its.tip(), use_inner_text=True)
        assert is_near(middle(screen, ".u-cursor-x")[0], chart.x(slot))
        expect(mark(screen)).to_be_visible(visible=its.tokens is not None)
        if its.tokens is not None:
            x, y = middle(screen, ".u-cursor-pt")
            assert is_near(x, chart.x(slot))
            assert is_near(y, chart.y(its.tokens))
    for slot in (14, 23):
        point_at(screen, chart, slot)
        expect(tip_of(screen)).to_have_count(0)
        expect(mark(screen)).to_be_hidden()
    point_at(screen, chart, 3)
    expect(tip_of(screen)).to_be_visible()
    screen.panel("Details").hover()
    expect(tip_of(screen)).to_have_count(0)


def is_near(one: float, other: float) -> bool:
    return abs(one - other) <= 2


def point_at(screen: Screen, chart: Chart, slot: int) -> None:
    frame = screen.panel("Trend").locator("canvas").bounding_box()
    assert frame
    screen.page.mouse.move(frame["x"] + chart.x(slot), frame["y"] + frame["height"] / 2)


def mark(screen: Screen) -> Locator:
    return screen.panel("Trend").locator(".u-cursor-pt")


def middle(screen: Screen, selector: str) -> tuple[float, float]:
    """Of something in the trend, in pixels of the canvas."""
    frame = screen.panel("Trend").locator("canvas").bounding_box()
    box = screen.panel("Trend").locator(selector).bounding_box()
    assert frame
    assert box
    return (
        box["x"] + box["width"] / 2 - frame["x"],
        box["y"] + box["height"] / 2 - frame["y"],
    )


@pytest.mark.requirement("DSH-07")
def test_without_figures_there_are_axes_and_a_flat_line(server: Server, draw: Look) -> None:
    idle = server.sign_up()
    idle.link().send()
    screen = draw(idle, "day")
    for period, curve in curves(idle, NOW).items():
        assert {its.tokens for its in curve.points} == {0}
        screen.show(period)
        is_drawn(screen, curve)
        assert Chart.of(screen, curve.slots).y_labels == ["0", "1", "2", "3", "4"]


@pytest.mark.requirement("DSH-07", "SRV-09")
def test_who_never_synced_has_a_day_of_gaps(server: Server, draw: Look) -> None:
    newcomer = server.sign_up()
    screen = draw(newcomer, "day", zone="UTC")
    points = hours(Stored.of(newcomer, "UTC"), NOW, None)
    assert {its.tokens for its in points} == {None}
    is_drawn(screen, Curve(points, 24, {at: f"{at:02d}" for at in range(0, 24, 4)}))
    assert walked(screen, "End", "ArrowLeft", 1) == [
        f"{NOTHING_YET}\nWed 18 Nov 2026, 12:00–13:00 · UTC"
    ]


class Turn(NamedTuple):
    """A day on which clocks are set."""

    zone: str
    now: str
    synced: str
    slots: int
    labels: dict[int, str]


TURNS = {
    "25 hours": Turn(
        BERLIN,
        "2026-10-25T13:10:00Z",
        "2026-10-25T11:20:00Z",
        25,
        {0: "00", 5: "04", 9: "08", 13: "12", 17: "16", 21: "20"},
    ),
    "23 hours": Turn(
        "America/New_York",
        "2026-03-08T20:10:00Z",
        "2026-03-08T18:20:00Z",
        23,
        {0: "00", 3: "04", 7: "08", 11: "12", 15: "16", 19: "20"},
    ),
}


@pytest.mark.requirement("DSH-05", "DSH-07", "SRV-08", "SRV-09")
@pytest.mark.parametrize("turn", TURNS.values(), ids=TURNS.keys())
def test_a_day_on_which_clocks_are_set_has_all_of_its_hours(
    server: Server, draw: Look, turn: Turn
) -> None:
    server.set_clock(turn.synced)
    person = server.sign_up()
    person.link().send(*rows_before(turn.synced, days=1, count=60))
    screen = draw(person, "day", at=turn.now, zone=turn.zone)
    points = hours(Stored.of(person, turn.zone), turn.now, turn.synced)
    is_drawn(screen, Curve(points, turn.slots, turn.labels))
    said = walked(screen, "Home", "ArrowRight", len(points))
    assert said == [its.tip(turn.zone) for its in points]
    assert len(set(said)) == len(said)


@pytest.mark.requirement("DSH-01", "DSH-07")
@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_a_scan_sweeps_over_the_trend_unless_motion_is_unwelcome(
    ada: Person, draw: Look, motion: str
) -> None:
    screen = draw(ada, "day", reduced_motion=motion)
    expect(screen.panel("Trend").get_by_role("heading")).to_have_text("Trend")
    running = screen.panel("Trend").evaluate(
        "panel => panel.getAnimations({ subtree: true }).map(each => each.animationName)"
    )
    assert running == ([] if motion == "reduce" else ["trend-sweep"])


DAYS_SHOWN = [TODAY - timedelta(51 * 7 + 2 - day) for day in range(51 * 7 + 3)]
"""52 weeks from Monday on, the last one up to today."""


def levels_of(tokens: Iterable[int]) -> list[int]:
    """By the quantiles of the days with tokens (SRV-13)."""
    counts = list(tokens)
    active = sorted(filter(None, counts))
    limits = [active[(len(active) - 1) * part // 100] for part in (50, 75, 90)]
    return [0 if not each else 1 + sum(each > limit for limit in limits) for each in counts]


CELLS = "cells => cells.map(({ dataset: its }) => [its.week, its.day, its.level].map(Number))"


@pytest.mark.requirement("DSH-04", "DSH-19", "SRV-13")
def test_the_heatmap_has_a_level_for_each_day_of_52_weeks(ada: Person, draw: Look) -> None:
    screen = draw(ada, "week")
    used = Stored.of(ada, BERLIN).days(DAYS_SHOWN[0], TODAY)
    shown = screen.panel("Activity").locator("rect[data-day]").evaluate_all(CELLS)
    levels = levels_of(tokens.total for _, tokens in used)
    assert shown == [[at // 7, at % 7, level] for at, level in enumerate(levels)]
    assert set(levels) == {0, 1, 2, 3, 4}
    assert len({week for week, _, _ in shown}) == 52
    active = sum(bool(tokens.total) for _, tokens in used)
    expect(screen.panel("Activity").get_by_text(re.compile(rf"^{active} days · "))).to_be_visible()


@pytest.mark.requirement("DSH-04")
def test_the_legend_of_the_heatmap_has_its_colours_from_less_to_more(
    ada: Person, draw: Look
) -> None:
    panel = draw(ada, "week").panel("Activity")
    fills = "cells => cells.map(cell => getComputedStyle(cell).fill)"
    legend = panel.get_by_text("less").locator("rect").evaluate_all(fills)
    assert len(set(legend)) == len(legend) == 5
    expect(panel.get_by_text("less")).to_have_text("lessmore")
    for level, fill in enumerate(legend):
        cells = panel.locator(f"rect[data-level='{level}']").evaluate_all(fills)
        assert set(cells) == {fill}


@pytest.mark.requirement("DSH-04", "DSH-05")
def test_every_day_of_the_heatmap_says_its_tokens(ada: Person, draw: Look) -> None:
    screen = draw(ada, "week")
    tips = [
        f"{tokens.total:,} tokens\n{dated(day)}"
        for day, tokens in Stored.of(ada, BERLIN).days(DAYS_SHOWN[0], TODAY)
    ]
    panel = screen.panel("Activity")
    for at in (0, 6, 7, 200, len(tips) - 1):
        panel.locator(f"rect[data-week='{at // 7}'][data-day='{at % 7}']").first.hover()
        expect(tip_of(screen, "Activity")).to_have_text(tips[at], use_inner_text=True)
    screen.panel("Trend").hover()
    expect(tip_of(screen, "Activity")).to_have_count(0)
    panel.get_by_role("application").focus()
    back = ["ArrowUp"] * 21 + ["ArrowLeft"] * 51
    said = [tip_after(screen, key) for key in back]
    weeks = tips[-21 - 7 :: -7]
    assert said == [*tips[:-22:-1], *weeks, *weeks[-1:] * (51 - len(weeks))]
    assert tip_after(screen, "ArrowDown") == tips[tips.index(weeks[-1]) + 1]


def tip_after(screen: Screen, key: str) -> str:
    screen.page.keyboard.press(key)
    return tip_of(screen, "Activity").inner_text()

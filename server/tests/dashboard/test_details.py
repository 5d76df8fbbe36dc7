"""The rows of the details are those of the database, by the clocks of the browser's place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import NamedTuple

import pytest
from playwright.sync_api import Locator, expect
from screen import PANELS, Questions, Screen
from serving import NOW, Person, Server, row
from stored import HourOfDay, Stored, Tokens, rows_before

BERLIN = "Europe/Berlin"
TODAY = date(2026, 11, 18)
SYNCED = "2026-11-18T08:20:00Z"
"""09:20 in Berlin, where it is 13:00 NOW."""

COLUMNS = ("Total", "Input", "Cached", "Output", "Reasoning")

Look = Callable[..., Screen]

pytestmark = pytest.mark.usefixtures("noon")


@pytest.fixture(scope="module")
def ada(server: Server) -> Person:
    """A computer of hers has sent figures of more than two years, and none for some hours."""
    server.set_clock(SYNCED)
    ada = server.sign_up("Ada")
    ada.link().send(*rows_before(SYNCED, days=760, count=400))
    return ada


def hour_row(hour: HourOfDay) -> list[str]:
    cells = hour.tokens.cells if hour.tokens else ["not synced yet"]
    return [hour.start + hour.offset, *cells]


def hour_rows(stored: Stored, now: str, synced: str) -> list[list[str]]:
    return [hour_row(hour) for hour in reversed(stored.hours(now, synced))]


def day_rows(stored: Stored, first: date) -> list[list[str]]:
    return [
        [f"{day:%a} {day.day} {day:%b %Y}", *tokens.cells]
        for day, tokens in reversed(stored.days(first, TODAY))
    ]


def month_rows(stored: Stored) -> list[list[str]]:
    return [[f"{month:%b %Y}", *tokens.cells] for month, tokens in reversed(stored.months(TODAY))]


@pytest.mark.requirement("DSH-08", "DSH-19", "SRV-09")
def test_the_rows_are_those_of_the_database_newest_first(ada: Person, look: Look) -> None:
    screen = look(ada, "day")
    stored = Stored.of(ada, BERLIN)
    for period, rows in {
        "day": hour_rows(stored, NOW, SYNCED),
        "week": day_rows(stored, TODAY - timedelta(2)),
        "month": day_rows(stored, TODAY.replace(day=1)),
        "total": month_rows(stored),
    }.items():
        screen.show(period)
        assert screen.all_rows() == rows
        assert marks(screen) == {"When": "descending"}
    assert screen.rows() == month_rows(stored)[12:]
    screen.show("day")
    assert [cells[1] for cells in screen.rows()[:5]] == ["not synced yet"] * 4 + [
        f"{stored.hours(NOW, SYNCED)[9].tokens.total:,}"  # type: ignore[union-attr]
    ]


HEADS = "table => [...table.tHead.rows[0].cells].map(cell => [cell.innerText, cell.ariaSort])"


def marks(screen: Screen) -> dict[str, str]:
    """Columns that say that they are in order, and how; the sign beside them says the same."""
    found = {}
    for text, order in screen.details.evaluate(HEADS):
        name, _, sign = text.partition(" ")
        assert sign == {None: "", "ascending": "↑", "descending": "↓"}[order]
        if order:
            found[name] = order
    return found


@pytest.mark.requirement("DSH-08")
def test_hours_and_months_come_in_pages_of_twelve(ada: Person, look: Look) -> None:
    screen = look(ada, "day")
    for period, pages in (("day", [12, 2]), ("total", [12, 12])):
        screen.show(period)
        for number, rows in enumerate(pages, start=1):
            expect(screen.panel("Details").get_by_text(f"Page {number} of 2")).to_be_visible()
            assert len(screen.rows()) == rows
            expect(turn(screen, "Previous")).to_be_enabled(enabled=number > 1)
            expect(turn(screen, "Next")).to_be_enabled(enabled=number < 2)
            if number < 2:
                turn(screen, "Next").press("Enter")
        turn(screen, "Previous").click()
        expect(screen.panel("Details").get_by_text("Page 1 of 2")).to_be_visible()
    for period, days in (("week", 3), ("month", 18)):
        screen.show(period)
        assert len(screen.rows()) == days
        expect(turn(screen, "Next")).to_have_count(0)


def turn(screen: Screen, name: str) -> Locator:
    return screen.panel("Details").get_by_role("button", name=name, exact=True)


@pytest.mark.requirement("DSH-08")
def test_months_begin_with_the_first_use(server: Server, look: Look) -> None:
    ben = server.sign_up()
    laptop = ben.link()
    screen = look(ben, "total")
    assert screen.rows() == []
    expect(screen.panel("Details").get_by_text("Nothing was used yet.")).to_be_visible()
    laptop.send(row("2026-06-30T22:30:00Z", input=3), row("2026-09-01T10:00:00Z", input=1_000))
    with screen.refreshed():
        screen.page.keyboard.press("r")
    assert screen.rows() == month_rows(Stored.of(ben, BERLIN))[:5]
    assert screen.rows()[-1][:2] == ["Jul 2026", "3"]
    expect(turn(screen, "Next")).to_have_count(0)


@pytest.mark.requirement("DSH-08")
def test_a_column_orders_the_rows_and_alone_has_the_mark(ada: Person, look: Look) -> None:
    screen = look(ada, "day")
    newest = list(reversed(Stored.of(ada, BERLIN).hours(NOW, SYNCED)))
    assert screen.details.get_by_role("columnheader").all_inner_texts() == ["When ↓", *COLUMNS]
    for place, column in enumerate(COLUMNS):
        for order in ("descending", "ascending"):
            turn(screen, "Next").click()
            turn(screen, column).click()
            assert marks(screen) == {column: order}
            expect(screen.panel("Details").get_by_text("Page 1 of 2")).to_be_visible()
            assert screen.all_rows() == ordered(newest, place, -1 if order == "descending" else 1)
            turn(screen, "Previous").click()
    turn(screen, "When").press("Enter")
    turn(screen, "When").press("Enter")
    assert marks(screen) == {"When": "ascending"}
    assert screen.all_rows() == [hour_row(hour) for hour in reversed(newest)]


def ordered(newest: list[HourOfDay], place: int, sign: int) -> list[list[str]]:
    """By one of the counts, the newest of equal ones first; what is not known comes last."""
    known = [hour for hour in newest if hour.tokens]
    known.sort(key=lambda hour: sign * (hour.tokens or Tokens())[place])
    return [hour_row(hour) for hour in [*known, *(hour for hour in newest if not hour.tokens)]]


ENDS = """
table => [...table.rows].map(row => [...row.cells].map(cell => {
  const words = document.createRange();
  words.selectNodeContents(cell);
  return [getComputedStyle(cell).textAlign, Math.round(words.getBoundingClientRect().right)];
}))
"""


@pytest.mark.requirement("DSH-08")
def test_numbers_end_at_the_right_of_their_column(ada: Person, look: Look) -> None:
    screen = look(ada, "day")
    head, *rows = screen.details.evaluate(ENDS)
    assert [align for align, _ in head] == ["left", *["right"] * 5]
    numbers = [cells for cells in rows if len(cells) == 6]
    gaps = [cells for cells in rows if len(cells) == 2]
    assert (len(numbers), len(gaps)) == (8, 4)
    for cells in numbers:
        assert cells[1:] == head[1:]
    for cells in gaps:
        assert cells[1] == head[-1]


class Place(NamedTuple):
    """A zone, when it is looked at, and what day, offset and hour of the day it is there then."""

    zone: str
    now: str
    today: str
    offset: str
    hours: int
    """Rows of the day; those of the last hour and ten minutes are missing."""


PLACES = (
    Place("America/Los_Angeles", "2026-11-18T06:30:00Z", "2026-11-17", " (UTC-08:00)", 23),
    Place("Asia/Kathmandu", "2026-11-18T20:20:00Z", "2026-11-19", " (UTC+05:45)", 3),
    Place("Pacific/Auckland", "2026-11-18T13:30:00Z", "2026-11-19", " (UTC+13:00)", 3),
    Place("UTC", "2026-11-18T12:00:00Z", "2026-11-18", "", 13),
    Place("Europe/Berlin", "2026-10-25T13:10:00Z", "2026-10-25", " (UTC+01:00)", 16),
    Place("America/New_York", "2026-03-08T20:10:00Z", "2026-03-08", " (UTC-04:00)", 16),
)
"""The last two are days of 25 and of 23 hours."""


@pytest.mark.requirement("DSH-05", "DSH-08", "DSH-19", "SRV-08", "SRV-09")
@pytest.mark.parametrize("place", PLACES, ids=[place.zone for place in PLACES])
def test_the_zone_on_the_page_is_that_of_the_questions_and_of_the_figures(
    server: Server, look: Look, place: Place
) -> None:
    synced = f"{datetime.fromisoformat(place.now) - timedelta(minutes=70):%Y-%m-%dT%H:%M:%SZ}"
    server.set_clock(synced)
    person = server.sign_up()
    person.link().send(*rows_before(synced, days=3, count=120))
    screen = look(person, "day", at=place.now, zone=place.zone)
    name = screen.page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone")
    questions = Questions(screen.page)
    for period in ("week", "month", "total", "day"):
        screen.show(period)
        for panel in PANELS:
            expect(screen.panel(panel)).to_contain_text(f"· {name}{place.offset}")
    with screen.refreshed():
        screen.page.keyboard.press("r")
    asked = [each.params for each in questions.taken() if each.question.startswith("usage-")]
    assert {params["tz"] for params in asked} == {name}
    assert {params.get("to", params.get("day")) for params in asked} == {place.today}

    hours = Stored.of(person, place.zone).hours(place.now, synced)
    rows = screen.all_rows()
    assert rows == [hour_row(hour) for hour in reversed(hours)]
    assert len({when for when, *_ in rows}) == len(rows) == place.hours
    assert rows[0][1:] == ["not synced yet"]
    assert rows[-1][1:] != ["not synced yet"]


@pytest.mark.requirement("DSH-05", "DSH-08", "SRV-08")
def test_an_hour_that_comes_twice_is_told_apart_by_its_offset(server: Server, look: Look) -> None:
    now = "2026-10-25T02:10:00Z"
    server.set_clock(now)
    person = server.sign_up()
    person.link().send(
        row("2026-10-25T00:00:00Z", input=7),
        row("2026-10-25T01:30:00Z", input=11),
        row("2026-10-25T02:00:00Z", input=13),
    )
    screen = look(person, "day", at=now)
    assert [cells[:2] for cells in screen.rows()] == [
        ["03:00", "13"],
        ["02:00 UTC+01:00", "11"],
        ["02:00 UTC+02:00", "7"],
        ["01:00", "0"],
        ["00:00", "0"],
    ]

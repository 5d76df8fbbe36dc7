"""The dashboard of somebody in a browser, at a time and a place, and what is to be read there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import parse_qsl, quote, urlsplit

from pages import Pages
from playwright.sync_api import Locator, Page, Request, expect
from serving import Person

PERIODS = ("day", "week", "month", "total")
PANELS = ("Core index", "Trend", "Activity", "Details", "Models")
"""Those of figures that follow the time zone."""

UNITS = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}

CELLS = "table => [...table.tBodies[0].rows].map(row => [...row.cells].map(cell => cell.innerText))"

PAINTED = """
() => new Promise((done) => {
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done)));
})
"""
"""What follows from new figures has been drawn."""


@dataclass(frozen=True)
class Screen:
    """A dashboard that has been opened."""

    page: Page

    @classmethod
    def of(cls, page: Page, person: Person, period: str = "week", *, at: str) -> Screen:
        """It is ``at``, for the server too; somebody signs in, and is led to the figures of a
        period.
        """
        person.server.set_clock(at)
        page.clock.set_fixed_time(at)
        page.goto(f"{person.server.url}/sign-in?next={quote(f'/?p={period}', safe='')}")
        Pages(page).sign_in(person.email)
        screen = cls(page)
        screen.settle()
        return screen

    def settle(self) -> None:
        """Every panel has its answer, and has drawn it."""
        expect(self.panel("Core index")).to_be_visible()
        expect(self.page.locator("[aria-busy=true]")).to_have_count(0)
        self.page.evaluate(PAINTED)

    def show(self, period: str) -> None:
        """By the key of the period."""
        self.page.keyboard.press(period[0])
        expect(self.tab(period)).to_have_attribute("aria-current", "page")
        self.settle()

    @contextmanager
    def refreshed(self) -> Iterator[None]:
        """What is done there makes the page ask again, and it has got all answers after that."""
        with self.page.expect_response(lambda answer: "usage-heatmap" in answer.url):
            yield
        self.settle()

    def tab(self, period: str) -> Locator:
        tabs = self.page.get_by_role("navigation", name="Period")
        return tabs.get_by_role("link", name=period.capitalize(), exact=True)

    def panel(self, title: str) -> Locator:
        heading = self.page.get_by_role("heading", name=title, exact=True)
        return self.page.get_by_role("region").filter(has=heading)

    @property
    def details(self) -> Locator:
        return self.page.get_by_role("table", name="Details", exact=True)

    def rows(self) -> list[list[str]]:
        """The texts in the cells of the details, this page of them."""
        found: list[list[str]] = self.details.evaluate(CELLS)
        return found

    def all_rows(self) -> list[list[str]]:
        """Those of all pages, from the first one on."""
        rows = self.rows()
        onward = self.page.get_by_role("button", name="Next", exact=True)
        while onward.count() and onward.is_enabled():
            onward.click()
            rows += self.rows()
        return rows

    def measures(self) -> dict[str, list[str]]:
        """What stands behind each name in the core index."""
        names = self.panel("Core index").get_by_role("term").all()
        return {name.inner_text(): name.locator("xpath=../dd").all_inner_texts() for name in names}

    @property
    def total(self) -> str:
        """All tokens of the period, as exactly as they are shown."""
        text = self.panel("Core index").get_by_text(re.compile("^[0-9,]+ exactly$")).inner_text()
        return text.removesuffix(" exactly")


def tokens_of(short: str) -> int:
    """What `1.2M` stands for."""
    number, unit = re.fullmatch(r"([0-9.,]+)([KMBT]?)", short).groups()  # type: ignore[union-attr]
    return int(Decimal(number.replace(",", "")) * UNITS[unit])


def is_short_for(short: str, tokens: int) -> bool:
    """Whether `1.2M` is right to the first decimal."""
    return abs(tokens_of(short) - tokens) * 20 <= UNITS[short.lstrip("0123456789.,")]


@dataclass(frozen=True)
class Asked:
    """A request of a page: the question, and the parameters that came with it."""

    question: str
    params: dict[str, str]


class Questions:
    """What a page asks its server, from now on."""

    def __init__(self, page: Page) -> None:
        self.asked: list[Asked] = []
        page.on("request", self._note)

    def _note(self, request: Request) -> None:
        if request.resource_type == "fetch":
            address = urlsplit(request.url)
            question = address.path.removeprefix("/functions/vibescore-")
            self.asked.append(Asked(question, dict(parse_qsl(address.query))))

    def taken(self) -> list[Asked]:
        """Those since the last time, by name."""
        asked, self.asked = self.asked, []
        return sorted(asked, key=lambda each: each.question)

"""Sums, costs, models and people on the dashboard are those of the database."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from urllib.parse import urlencode
from uuid import UUID

import pytest
from playwright.sync_api import Locator, Page, expect
from screen import CELLS, PERIODS, Screen, is_short_for
from serving import NOW, Person, Server, row
from stored import Stored, Tokens, rows_before
from test_costs import Prices

BERLIN = "Europe/Berlin"
FIRST_DAYS = {
    "day": "2026-11-18",
    "week": "2026-11-16",
    "month": "2026-11-01",
    "total": "2024-12-01",
}
"""Of each period when it is NOW, a Wednesday."""

EDGES = (
    row("2026-11-17T22:30:00Z", input=1),
    row("2026-11-17T23:00:00Z", input=10),
    row("2026-11-15T22:30:00Z", input=100),
    row("2026-11-15T23:00:00Z", input=1_000),
    row("2026-10-31T22:30:00Z", input=10_000),
    row("2026-10-31T23:00:00Z", input=100_000),
    row("2024-11-30T22:30:00Z", input=1_000_000),
    row("2024-11-30T23:00:00Z", input=10_000_000),
)
"""The last half-hour before each period in Berlin, and the first one in it."""

Look = Callable[..., Screen]

pytestmark = pytest.mark.usefixtures("noon")


@pytest.fixture(scope="module")
def ada(server: Server) -> Person:
    """Two computers of hers have sent figures of more than two years."""
    server.set_clock(NOW)
    ada = server.sign_up("Ada")
    ada.link("laptop").send(*rows_before(NOW, days=760, count=400))
    ada.link("tower").send(*EDGES, *rows_before(NOW, days=90, count=60, seed=2))
    return ada


def stored(person: Person, period: str) -> Stored:
    return Stored.of(person, BERLIN).within(FIRST_DAYS[period], "2026-11-18")


@pytest.mark.requirement("DSH-06", "DSH-09", "DSH-19")
def test_the_core_index_of_a_period_is_the_sum_of_its_days(ada: Person, look: Look) -> None:
    screen = look(ada)
    for period in PERIODS:
        screen.show(period)
        shows(screen, stored(ada, period).sum)


def shows(screen: Screen, sums: Tokens) -> None:
    """The core index has these, also in short."""
    hero = screen.panel("Core index").get_by_title(f"{sums.total:,}", exact=True).first
    assert is_short_for(hero.inner_text().removesuffix("tokens"), sums.total)
    assert screen.total == f"{sums.total:,}"
    assert screen.measures() == {
        "Input, new": [f"{sums.input - sums.cached:,}", share(sums.input - sums.cached, sums)],
        "Input, cached": [f"{sums.cached:,}", share(sums.cached, sums)],
        "Output": [f"{sums.output:,}", share(sums.output, sums)],
        "Reasoning": [f"{sums.reasoning:,}", share(sums.reasoning, sums)],
    }


def share(part: int, whole: Tokens) -> str:
    """`12.3%`, without `.0`; neither nothing nor everything unless it is that."""
    if 0 < part * 1000 < whole.total:
        return "<0.1%"
    if whole.total * 999 < part * 1000 < whole.total * 1000:
        return ">99.9%"
    percent = Decimal(part * 100) / whole.total
    return f"{percent.quantize(Decimal('0.1'), ROUND_HALF_UP)}%".replace(".0%", "%")


@pytest.mark.requirement("DSH-09", "DSH-19")
def test_what_is_sent_meanwhile_is_there_after_a_refresh(server: Server, look: Look) -> None:
    ben = server.sign_up()
    laptop = ben.link()
    laptop.send(row(input=5))
    screen = look(ben, "day")
    assert screen.total == "5"
    laptop.send(row(input=7, output=2), row("2026-11-18T11:00:00Z", input=1))
    with screen.refreshed():
        screen.page.keyboard.press("r")
    shows(screen, stored(ben, "day").sum)
    assert screen.total == "10"


PRICES = {
    "gpt-5.2-codex": (Decimal("1.75"), Decimal("0.175"), Decimal(14)),
    "gemini-3-pro": (Decimal(2), Decimal("0.2"), Decimal(12)),
}
"""USD per million tokens: new input, cached input, output."""


def cost(source: str, model: str, tokens: Tokens) -> Decimal:
    """USD; only Gemini counts reasoning beside the output."""
    fresh, cached, output = PRICES.get(model, (Decimal(0),) * 3)
    written = tokens.output + (tokens.reasoning if source == "gemini" else 0)
    spent = fresh * (tokens.input - tokens.cached) + cached * tokens.cached + output * written
    return spent / 1_000_000


def dollars(usd: Decimal) -> str:
    return f"${usd.quantize(Decimal('0.01'), ROUND_HALF_UP):,}"


def by_model(stored: Stored) -> list[tuple[str, str, Tokens]]:
    """Source, model and tokens, most tokens first."""
    used = stored.by(lambda its: (its.source, its.model))
    rows = [(source, model, tokens) for (source, model), tokens in used.items()]
    return sorted(rows, key=lambda each: -each[2].total)


@pytest.mark.requirement("DSH-09", "DSH-14")
def test_what_it_costs_stands_in_the_total_and_nowhere_else(ada: Person, look: Look) -> None:
    screen = look(ada, "day")
    for period in ("day", "week", "month"):
        screen.show(period)
        assert "$" not in screen.page.locator("body").inner_text()
    screen.show("total")
    truth = sum(cost(*each) for each in by_model(stored(ada, "total")))
    assert truth
    assert prices_on(screen.page) == [dollars(Decimal(truth))]


def prices_on(page: Page) -> list[str]:
    return re.findall(r"\$\S*", page.locator("body").inner_text())


@pytest.mark.requirement("DSH-14")
def test_the_cost_of_each_model_opens_from_the_total(ada: Person, look: Look) -> None:
    screen = look(ada, "total")
    bill = screen.page.get_by_role("dialog", name="Cost by model")
    expect(bill).to_have_count(0)
    cost_button(screen).click()
    expect(bill).to_be_visible()
    assert bill.get_by_role("table").evaluate(CELLS) == [
        [model, source, f"{tokens.total:,}", price(source, model, tokens)]
        for source, model, tokens in by_model(stored(ada, "total"))
    ]
    expect(bill).to_contain_text("not in the sum: house-model, unknown")
    screen.page.keyboard.press("Escape")
    expect(bill).to_have_count(0)


def cost_button(screen: Screen) -> Locator:
    return screen.panel("Core index").get_by_role("button", name="cost")


def price(source: str, model: str, tokens: Tokens) -> str:
    return dollars(cost(source, model, tokens)) if model in PRICES else "no price"


@pytest.mark.requirement("DSH-14", "SRV-12")
def test_a_price_that_came_later_leaves_earlier_days_out(server: Server, look: Look) -> None:
    ben = server.sign_up()
    ben.link().send(
        *(row(f"2026-11-1{day}T10:00:00Z", model="late", input=1_000_000) for day in (7, 8))
    )
    Prices(server).profile("late", "2026-11-18")
    screen = look(ben, "total")
    cost_button(screen).click()
    bill = screen.page.get_by_role("dialog")
    assert bill.get_by_role("table").evaluate(CELLS) == [
        ["late", "codex", "2,000,000", "in part $1.00"]
    ]
    expect(bill).to_contain_text("not in the sum: late")
    assert prices_on(screen.page) == ["$1.00", "$1.00"]


@pytest.mark.requirement("DSH-14")
def test_the_cost_of_each_model_goes_with_the_total(ada: Person, look: Look) -> None:
    screen = look(ada, "week")
    screen.tab("total").click()
    screen.settle()
    cost_button(screen).click()
    screen.page.go_back()
    screen.settle()
    assert prices_on(screen.page) == []
    expect(screen.page.get_by_role("dialog")).to_have_count(0)
    screen.page.go_forward()
    screen.settle()
    expect(screen.page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.requirement("DSH-14")
def test_models_are_shown_with_tokens_and_shares(ada: Person, look: Look) -> None:
    screen = look(ada)
    for period in PERIODS:
        screen.show(period)
        truth = stored(ada, period)
        rows = screen.panel("Models").get_by_role("listitem").all()
        for item, (source, model, tokens) in zip(rows, by_model(truth), strict=True):
            name, short, percent = item.inner_text().split("\n")
            assert (name, percent) == (f"{model} {source}", share(tokens.total, truth.sum))
            assert is_short_for(short, tokens.total)
            expect(item.get_by_title(f"{tokens.total:,}", exact=True)).to_have_text(short)


BOARD_DAYS = {
    "day": "2026-11-20",
    "week": "2026-11-15",
    "month": "2026-11-01",
    "total": "1970-01-01",
}
"""The first of each period of the leaderboard, which goes by UTC, on Friday 2026-11-20."""


@pytest.mark.requirement("DSH-13")
def test_a_person_is_named_with_id_and_rank(server: Server, ada: Person, look: Look) -> None:
    server.set_clock("2026-11-20T23:30:00Z")
    grace, alan = server.sign_up("Grace"), server.sign_up()
    for person, tokens in ((grace, 4_000_000), (alan, 5_000_000)):
        person.link().send(row("2026-11-20T20:00:00Z", input=tokens))
    screen = look(grace, at="2026-11-20T23:45:00Z")
    for period in PERIODS:
        screen.show(period)
        rank = rank_of(grace, since=BOARD_DAYS[period])
        assert identity(screen) == ["Grace", grace.id, f"#{rank}", "4M", "2026-11-21"]
    assert rank_of(grace, since=BOARD_DAYS["day"]) == 2
    nameless = look(alan, "day", at="2026-11-20T23:45:00Z")
    assert identity(nameless)[:3] == [alan.email, alan.id, "#1"]
    absent = look(ada, "day", at="2026-11-20T23:45:00Z")
    assert identity(absent)[2] == "none yet"


def identity(screen: Screen) -> list[str]:
    """Name, id, rank, tokens on the board, first day."""
    panel = screen.panel("Identity")
    return [
        *panel.get_by_role("paragraph").all_inner_texts(),
        *panel.get_by_role("definition").all_inner_texts(),
    ]


def rank_of(person: Person, *, since: str) -> int:
    """Among all who used anything since a UTC day, by the database."""
    start = int(datetime.fromisoformat(f"{since}T00:00Z").timestamp())
    used = person.server.sql(
        "SELECT user_id, SUM(total_tokens) FROM usage_half_hour"
        f" WHERE hour_start >= {start} GROUP BY user_id"
    )
    sums = {str(UUID(user)): tokens for user, tokens in used}
    return 1 + len({tokens for tokens in sums.values() if tokens > sums[person.id]})


@pytest.mark.requirement("DSH-13")
def test_the_rank_is_that_of_the_board_which_a_job_makes(server: Server, look: Look) -> None:
    noon = "2026-12-01T12:00:00Z"
    server.set_clock(noon)
    grace, alan = server.sign_up("Grace"), server.sign_up("Alan")
    laptop = grace.link()
    alan.link().send(row("2026-12-01T09:00:00Z", input=50))
    laptop.send(row("2026-12-01T09:00:00Z", input=10))
    assert server.command("jobs", "run", "leaderboard").returncode == 0
    screen = look(grace, "day", at=noon)
    assert identity(screen)[2:4] == ["#2", "10"]

    laptop.send(row("2026-12-01T10:00:00Z", input=90))
    with screen.refreshed():
        screen.page.keyboard.press("r")
    assert screen.total == "100"
    assert identity(screen)[2:4] == ["#2", "10"]

    assert server.command("jobs", "run", "leaderboard").returncode == 0
    with screen.refreshed():
        screen.page.keyboard.press("r")
    assert identity(screen)[2:4] == ["#1", "100"]


HUGE = 2**62 + 1


@pytest.mark.requirement("DSH-08", "DSH-09", "DSH-14")
def test_numbers_beyond_what_a_double_holds_are_shown_exactly(server: Server, look: Look) -> None:
    eve = server.sign_up()
    half_hours = {"08:00": "house-model", "09:00": "gpt-5.2-codex", "09:30": "unknown"}
    eve.link().send(
        *(
            row(f"2026-11-18T{start}:00Z", model=model, input=HUGE, cached_input=HUGE - 2)
            for start, model in half_hours.items()
        )
    )
    screen = look(eve, "day")
    shows(screen, stored(eve, "day").sum)
    assert screen.total == "13,835,058,055,282,163,715"
    assert [cells[:4] for cells in screen.rows() if cells[1] != "0"] == [
        ["10:00", *[f"{2 * HUGE:,}"] * 2, f"{2 * HUGE - 4:,}"],
        ["09:00", *[f"{HUGE:,}"] * 2, f"{HUGE - 2:,}"],
    ]
    expect(screen.panel("Models").get_by_title(f"{HUGE:,}", exact=True)).to_have_count(3)
    for chart, keys, tokens in (
        ("Trend", ("ArrowLeft",) * 4, 2 * HUGE),
        ("Activity", ("ArrowUp",), 3 * HUGE),
    ):
        picture = screen.panel(chart).get_by_role("application")
        for key in keys:
            picture.press(key)
        expect(picture.get_by_role("status")).to_contain_text(f"{tokens:,} tokens")
    screen.show("total")
    shows(screen, stored(eve, "total").sum)
    spent = Tokens(HUGE, HUGE, HUGE - 2)
    assert prices_on(screen.page) == [dollars(cost("codex", "gpt-5.2-codex", spent))]


HOSTILE = (
    '"><img src=x onerror=alert(1)><script>alert(2)</script>',
    "</title><svg onload=alert(3)>'{{alert(4)}}&lt;",
)


@pytest.mark.requirement("DSH-01", "SRV-20")
@pytest.mark.parametrize("words", HOSTILE)
def test_markup_in_names_is_shown_as_the_text_that_it_is(
    server: Server, look: Look, words: str
) -> None:
    mallory = server.sign_up(words)
    mallory.link(words).send(row(input=2**50, model=words, source=words))
    mallory.post("leaderboard-settings", leaderboard_public=True)
    screen = look(mallory, "total")
    page = screen.page
    cost_button(screen).click()
    is_only_text(page, words, 6)
    asks = {"device_name": words, "platform": words, "redirect_uri": "http://127.0.0.1:9/"}
    for path, times in (("/leaderboard", 1), ("/devices", 1), (f"/link?{urlencode(asks)}", 2)):
        page.goto(server.url + path)
        is_only_text(page, words, times)


def is_only_text(page: Page, words: str, times: int) -> None:
    """They stand on the page at least so often, and have made no element."""
    expect(page.get_by_text(words).nth(times - 1)).to_be_visible()
    expect(page.locator("body").locator("img, script, object, iframe, [onload]")).to_have_count(0)

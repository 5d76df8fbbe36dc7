"""What tokens cost: exact, additive, billed once, and never at the price of another model."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vibescore.model import TokenTotals
from vibescore.pricing import (
    Price,
    PriceList,
    Rates,
    cost,
    dollars,
    exact,
    parse_prices,
    spellings,
)

CODEX = Rates(1_750_000, 175_000, 14_000_000, 14_000_000)
DEAR = Rates(2_000_000, 200_000, 12_000_000, 30_000_000)
MILLION = 1_000_000

COUNTS = st.integers(0, 2**48)
TOKENS = st.builds(TokenTotals, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS)
RATES = st.builds(Rates, *[st.integers(0, 10**12)] * 4)
SOURCES = st.sampled_from(["codex", "gemini", "every-code", "claude"])

BILLS = {
    "cached input once, at its own rate": (
        "codex",
        CODEX,
        (1_000_000, 200_000, 500_000, 0),
        "8.435",
    ),
    "reasoning inside the output": ("codex", CODEX, (0, 0, 500_000, 500_000), "7"),
    "reasoning inside for every other source": ("toy", DEAR, (0, 0, 500_000, 400_000), "6"),
    "reasoning beside the output": ("gemini", CODEX, (0, 0, 500_000, 500_000), "14"),
    "reasoning beside at its own rate": ("gemini", DEAR, (0, 0, 0, 100_000), "3"),
    "even where it could not be inside": ("codex", CODEX, (0, 0, 0, 500_000), "0"),
    "even where it could be inside": ("gemini", DEAR, (0, 0, 1_000_000, 1), "12.00003"),
    "all input cached": ("codex", CODEX, (1_000_000, 1_000_000, 0, 0), "0.175"),
    "one token": ("codex", CODEX, (1, 0, 0, 0), "0.00000175"),
    "no token": ("codex", CODEX, (0, 0, 0, 0), "0"),
    "more than a float can tell": ("codex", CODEX, (2**48 + 1, 0, 0, 0), "492581209.24364975"),
}


@pytest.mark.requirement("SRV-11", "SRV-12", "CLI-09")
@pytest.mark.parametrize("source, rates, counters, usd", BILLS.values(), ids=BILLS.keys())
def test_every_token_is_billed_once(
    source: str, rates: Rates, counters: tuple[int, int, int, int], usd: str
) -> None:
    assert exact(dollars(cost(TokenTotals(*counters), source=source, rates=rates))) == usd


@pytest.mark.requirement("SRV-11")
@given(one=TOKENS, other=TOKENS, rates=RATES, source=SOURCES)
def test_the_cost_of_a_sum_is_the_sum_of_the_costs(
    one: TokenTotals, other: TokenTotals, rates: Rates, source: str
) -> None:
    apart = cost(one, source=source, rates=rates) + cost(other, source=source, rates=rates)
    assert cost(one + other, source=source, rates=rates) == apart


@pytest.mark.requirement("SRV-11")
@given(picodollars=st.integers(0, 2**120))
def test_dollars_are_exact(picodollars: int) -> None:
    text = exact(dollars(picodollars))
    assert Fraction(text) == Fraction(picodollars, 10**12)
    assert not text.endswith(".")
    assert "e" not in text.lower()


SPELLINGS = {
    "gpt-5": ["gpt-5"],
    "claude-opus-4-5-20251101": ["claude-opus-4-5-20251101", "claude-opus-4-5"],
    "gpt-5-2025-12-01": ["gpt-5-2025-12-01", "gpt-5"],
    "claude-opus-4-5@20251101": ["claude-opus-4-5@20251101", "claude-opus-4-5"],
    "gemini-3-pro-preview": ["gemini-3-pro-preview", "gemini-3-pro"],
    "claude-3-5-haiku-latest": ["claude-3-5-haiku-latest", "claude-3-5-haiku"],
    "openai/gpt-5": ["openai/gpt-5", "gpt-5"],
    "models/gemini-3-pro-preview": [
        "models/gemini-3-pro-preview",
        "models/gemini-3-pro",
        "gemini-3-pro-preview",
        "gemini-3-pro",
    ],
    "gpt-5-mini": ["gpt-5-mini"],
    "gpt-5-codex-fast": ["gpt-5-codex-fast"],
    "kimi-k2-0905": ["kimi-k2-0905"],
}


@pytest.mark.requirement("SRV-12")
@pytest.mark.parametrize("model, names", SPELLINGS.items())
def test_a_model_is_looked_up_by_its_name_without_its_date_and_without_its_provider(
    model: str, names: list[str]
) -> None:
    assert list(spellings(model)) == names


def price(model: str, usd: int, source: str | None = None, since: date = date.min) -> Price:
    return Price(model, Rates(usd, usd, usd, usd), source, since)


def at(day: str) -> float:
    return datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()


BUNDLED = (
    price("a", 1),
    price("a", 2, since=date(2026, 2, 1)),
    price("a", 3, since=date(2027, 1, 1)),
    price("a-latest", 4),
    price("b", 5, since=date(2026, 2, 1)),
    price("c", 6),
    price("c", 7, source="codex"),
)
OWN = (price("c", 8), price("d", 9), price("a", 10, since=date(2026, 3, 1)))

LOOKED_UP = [
    ("a", "codex", "2026-01-31T23:30", 1),
    ("a", "codex", "2026-02-01T00:00", 2),
    ("a", "codex", "2026-03-01T00:00", 10),
    ("a", "codex", "2027-03-01T00:00", 10),
    ("a-20260101", "codex", "2026-02-28T23:30", 2),
    ("a-latest", "codex", "2026-02-01T00:00", 4),
    ("x/a-latest", "codex", "2026-02-01T00:00", 4),
    ("b", "codex", "2026-01-31T23:30", None),
    ("b", "codex", "2026-02-01T00:00", 5),
    ("c", "codex", "2026-02-01T00:00", 8),
    ("c", "gemini", "2026-02-01T00:00", 8),
    ("x/d", "gemini", "2026-02-01T00:00", 9),
    ("ab", "codex", "2026-02-01T00:00", None),
    ("A", "codex", "2026-02-01T00:00", None),
    ("unknown", "codex", "2026-02-01T00:00", None),
]


@pytest.mark.requirement("SRV-12", "CLI-09")
@pytest.mark.parametrize("model, source, day, usd", LOOKED_UP)
def test_the_latest_price_that_is_not_in_the_future_holds_and_own_prices_come_first(
    model: str, source: str, day: str, usd: int | None
) -> None:
    prices = PriceList(OWN, BUNDLED)
    rates = prices.rates(source, model, at(day))
    price = prices.price(source, model, at(day))
    assert (rates and rates.input) == usd
    assert rates == (price and price.rates)


@pytest.mark.requirement("SRV-12")
def test_a_price_for_one_source_comes_before_one_for_all() -> None:
    prices = PriceList(BUNDLED)
    assert prices.rates("codex", "c", 0) == Rates(7, 7, 7, 7)
    assert prices.rates("gemini", "c", 0) == Rates(6, 6, 6, 6)


@pytest.mark.requirement("SRV-12")
@given(prices=st.permutations(BUNDLED), day=st.dates(date(2025, 1, 1), date(2028, 1, 1)))
def test_the_order_of_entries_is_irrelevant(prices: list[Price], day: date) -> None:
    start = at(day.isoformat())
    for model in ("a", "b", "c"):
        there, here = PriceList(prices), PriceList(BUNDLED)
        assert there.rates("codex", model, start) == here.rates("codex", model, start)


@pytest.mark.requirement("SRV-12")
def test_what_an_entry_leaves_out_costs_what_its_kind_costs() -> None:
    (price,) = parse_prices({"price": [{"model": "m", "input": "1.75", "output": 14}]})
    assert price.rates == Rates(1_750_000, 1_750_000, 14_000_000, 14_000_000)


@pytest.mark.requirement("SRV-12")
@given(usd=st.decimals(0, 1_000_000, places=6))
def test_rates_are_kept_to_the_micro_dollar(usd: Decimal) -> None:
    (price,) = parse_prices({"price": [{"model": "m", "input": str(usd), "output": usd}]})
    assert price.rates == Rates(*[int(usd * MILLION)] * 4)

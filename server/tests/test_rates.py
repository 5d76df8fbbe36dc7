"""What usage is billed by: the right model, the right day, every token once, nothing rounded."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vibescore.calendar import sum_by
from vibescore.pricing import Price, Rates, TokenTotals
from vibescore_server.bill import Bill, Usage, bill
from vibescore_server.bundled import BUNDLED, bundled
from vibescore_server.rates import Alias, Tariff

LAST = date(2026, 12, 31)
"""Day whose rates are shown."""

DEFAULT = "gpt-5.2-codex"


def at(moment: str) -> int:
    return int(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp())


def flat(model: str, dollars: int, since: str = "0001-01-01", **more: str) -> Price:
    """Every token costs so many micro-dollars."""
    rate = dollars * 1_000_000
    return Price(model, Rates(rate, rate, rate, rate), None, date.fromisoformat(since), **more)


def synced(model: str, dollars: int, since: str) -> Price:
    return flat(model, dollars, since, origin="openrouter")


def shipped(model: str, dollars: int, since: str = "0001-01-01") -> Price:
    return flat(model, dollars, since, origin=BUNDLED)


def alias(usage_model: str, pricing_model: str, since: str) -> Alias:
    return Alias(usage_model, pricing_model, date.fromisoformat(since))


TARIFF = Tariff(
    [
        synced("openai/gpt-9", 11, "2026-03-01"),
        synced("openai/gpt-9", 12, "2026-05-01"),
        synced("openai/gpt-9-codex", 13, "2026-03-01"),
        synced("anthropic/claude-opus-9", 14, "2026-03-01"),
        synced("exact", 15, "2026-03-01"),
        synced("vendor/exact", 16, "2026-03-01"),
        synced("first/name", 17, "2026-03-01"),
        synced("second/name", 18, "2026-04-01"),
        synced("first/twins", 19, "2026-03-01"),
        synced("second/twins", 20, "2026-03-01"),
        synced("dated", 21, "2026-03-01"),
        synced("vendor/unknown", 22, "2026-03-01"),
        synced("a/b/nested", 23, "2026-03-01"),
    ],
    [
        alias("gpt-9-turbo", "openai/gpt-9", "2026-03-01"),
        alias("gpt-9-turbo", "openai/gpt-9-codex", "2026-04-01"),
        alias("gpt-9-turbo", "exact", "2027-01-01"),
        alias("gpt-9", "openai/gpt-9-codex", "2026-06-01"),
        alias("only-bundled", "nowhere/to-be-found", "2026-03-01"),
        alias("astray", "nowhere/to-be-found", "2026-03-01"),
        alias("early", "exact", "2026-02-01"),
        alias("unknown", "exact", "2026-02-01"),
    ],
    [
        shipped("gpt-9", 1),
        shipped("claude-opus-9", 2),
        shipped("only-bundled", 3),
        shipped("only-bundled", 4, "2026-04-01"),
        shipped("dated-20260101", 5),
        shipped("twins", 6),
        shipped("unknown", 7),
    ],
)

LOOKED_UP = {
    "a synced profile holds from its day on": ("gpt-9", "2026-03-01", 11),
    "until a later one": ("gpt-9", "2026-05-01", 12),
    "and prices no older day where the bundled list knows": ("gpt-9", "2026-02-28T23:30", 1),
    "or where nothing is known": ("gpt-9-codex", "2026-02-28T23:30", None),
    "an exact name comes before a suffix": ("exact", "2026-03-01", 15),
    "a whole name of the wire is exact": ("vendor/exact", "2026-03-01", 16),
    "another vendor of the wire is left out": ("azure/gpt-9", "2026-03-01", 11),
    "a suffix is a whole name": ("9-codex", "2026-03-01", None),
    "and the last part": ("nested", "2026-03-01", 23),
    "without its date it is the same model": ("claude-opus-9-20260201", "2026-03-01", 14),
    "also in the bundled list": ("claude-opus-9-20260201", "2026-02-01", 2),
    "a date that a list names comes first": ("dated-20260101", "2026-03-01", 5),
    "a name stays with the vendor who had it first": ("name", "2026-04-01", 17),
    "and is nobody's when two had it at once": ("twins", "2026-03-01", 6),
    "an alias holds from its day on": ("gpt-9-turbo", "2026-03-01", 11),
    "not before": ("gpt-9-turbo", "2026-02-28T23:30", None),
    "until a later one, not one in the future": ("gpt-9-turbo", "2026-12-31T23:30", 13),
    "an alias comes before an exact profile": ("gpt-9", "2026-06-01", 13),
    "an alias to nothing redirects nothing": ("only-bundled", "2026-03-01", 3),
    "and prices nothing": ("astray", "2026-03-01", None),
    "an alias waits for its profile": ("early", "2026-02-28T23:30", None),
    "which prices it then": ("early", "2026-03-01", 15),
    "an alias is for one name": ("gpt-9-turbo-20260301", "2026-03-01", None),
    "unknown is unpriced": ("unknown", "2026-03-01", None),
    "no name of another case": ("GPT-9", "2026-03-01", None),
}


@pytest.mark.requirement("SRV-12")
@pytest.mark.parametrize("model, day, dollars", LOOKED_UP.values(), ids=LOOKED_UP.keys())
def test_a_model_is_billed_by_alias_then_exact_profile_then_suffix_and_never_as_another(
    model: str, day: str, dollars: int | None
) -> None:
    price = TARIFF.price("codex", model, at(day))
    assert (price and price.rates.input) == (dollars and dollars * 1_000_000)


@pytest.mark.requirement("SRV-12")
def test_the_bundled_list_prices_without_any_database() -> None:
    price = Tariff([], [], bundled()).price("codex", "gpt-5.2-codex", at("2026-01-01"))
    assert price is not None
    assert price.rates == Rates(1_750_000, 175_000, 14_000_000, 14_000_000)
    assert price.origin == "bundled"


@pytest.mark.requirement("SRV-12")
def test_epochs_begin_where_a_price_or_an_alias_changes() -> None:
    since, until = at("2026-02-15T18:15"), at("2026-06-01")
    assert TARIFF.epochs(since, until) == [
        since,
        at("2026-03-01"),
        at("2026-04-01"),
        at("2026-05-01"),
    ]
    assert TARIFF.epochs(at("2026-03-01"), at("2026-04-01")) == [at("2026-03-01")]


@pytest.mark.requirement("SRV-12")
def test_what_a_sync_only_repeats_begins_no_epoch() -> None:
    daily = [f"2026-03-{day:02}" for day in range(1, 31)]
    tariff = Tariff(
        [synced("openai/gpt-9", 1 + (day >= "2026-03-20"), day) for day in daily],
        [alias("gpt-9-turbo", "openai/gpt-9", day) for day in daily],
        [],
    )
    since, changed = at("2026-03-01"), at("2026-03-20")
    assert tariff.epochs(since, at("2026-04-01")) == [since, changed]
    assert TARIFF.alias("gpt-9-turbo", changed) == "openai/gpt-9"


def billed(
    *rows: tuple[str, str, str, tuple[int, int, int, int]], by: Tariff = TARIFF, on: date = LAST
) -> Bill:
    """The bill of rows (source, model, time, counters without total), with the rates of a day."""
    usage = [
        Usage(source, model, at(moment), TokenTotals(*counters, counters[0] + counters[2]))
        for source, model, moment, counters in rows
    ]
    return bill(usage, by, on=on, default=DEFAULT)


OFFLINE = Tariff([], [], bundled())
MILLION = 1_000_000

BILLS = {
    "cached input once, at its own rate": (
        [("codex", "gpt-5.2-codex", "2026-01-01", (MILLION, 200_000, 500_000, 0))],
        "8.435000",
        [],
    ),
    "codex counts reasoning inside the output": (
        [("codex", "gpt-5.2-codex", "2026-01-01", (MILLION, 200_000, 500_000, 400_000))],
        "8.435000",
        [],
    ),
    "gemini counts it beside the output": (
        [("gemini", "gemini-2.5-pro", "2026-01-01", (MILLION, 200_000, 500_000, 100_000))],
        "7.025000",
        [],
    ),
    "whatever the model": (
        [("gemini", "gpt-5.2-codex", "2026-01-01", (0, 0, 500_000, 500_000))],
        "14.000000",
        [],
    ),
    "unknown costs nothing and is named": (
        [
            ("codex", "gpt-5.2-codex", "2026-01-01", (MILLION, 0, 0, 0)),
            ("codex", "unknown", "2026-01-01", (MILLION, 0, MILLION, 0)),
        ],
        "1.750000",
        ["unknown"],
    ),
    "so does a model without a price": (
        [
            ("codex", "gpt-5.2-codexx", "2026-01-01", (MILLION, 0, 0, 0)),
            ("codex", "gpt-5.2-codex", "2026-01-01", (MILLION, 0, 0, 0)),
            ("codex", "a-toy", "2026-01-01", (1, 0, 0, 0)),
        ],
        "1.750000",
        ["a-toy", "gpt-5.2-codexx"],
    ),
    "what was retracted is not named": (
        [("codex", "a-toy", "2026-01-01", (0, 0, 0, 0))],
        "0.000000",
        [],
    ),
    "a price that changes": (
        [
            ("codex", "gpt-5.6", "2026-08-20T23:30", (MILLION, 0, 0, 0)),
            ("codex", "gpt-5.6", "2026-08-21", (MILLION, 0, 0, 0)),
        ],
        "9.000000",
        [],
    ),
    "less than can be shown": (
        [("codex", "gpt-5-nano", "2026-01-01", (0, 0, 1, 0))],
        "0.000000",
        [],
    ),
    "is not lost in a sum": (
        [(source, "gpt-5-nano", "2026-01-01", (0, 0, 1, 0)) for source in ("a", "b", "c")],
        "0.000001",
        [],
    ),
    "more than a float can tell": (
        [("codex", "gpt-5.2-codex", "2026-01-01", (2**62 + 1, 0, 0, 0))],
        "8070450532247.928834",
        [],
    ),
    "nothing": ([], "0.000000", []),
}


@pytest.mark.requirement("SRV-11", "SRV-12")
@pytest.mark.parametrize("rows, usd, unpriced", BILLS.values(), ids=BILLS.keys())
def test_every_token_is_billed_once_and_what_has_no_price_is_named(
    rows: list[tuple[str, str, str, tuple[int, int, int, int]]], usd: str, unpriced: list[str]
) -> None:
    bill = billed(*rows, by=OFFLINE)
    assert bill.total_cost_usd == usd
    assert bill.pricing.unpriced_models == unpriced


@pytest.mark.requirement("SRV-12")
def test_an_alias_that_changes_bills_each_day_by_what_held() -> None:
    bill = billed(
        ("codex", "gpt-9-turbo", "2026-02-28T23:30", (MILLION, 0, 0, 0)),
        ("codex", "gpt-9-turbo", "2026-03-01", (MILLION, 0, 0, 0)),
        ("codex", "gpt-9-turbo", "2026-04-01", (MILLION, 0, 0, 0)),
    )
    assert bill.total_cost_usd == "24.000000"
    assert bill.pricing.unpriced_models == ["gpt-9-turbo"]
    assert bill.pricing.rates.input == "13.000000"


@pytest.mark.requirement("SRV-07", "SRV-11")
def test_costs_are_told_by_source_and_model() -> None:
    bill = billed(
        ("codex", "gpt-9", "2026-03-01", (MILLION, 0, 0, 0)),
        ("codex", "gpt-9", "2026-05-01", (MILLION, 0, 0, 0)),
        ("codex", "exact", "2026-05-01", (MILLION, 0, 0, 0)),
        ("gemini", "gpt-9", "2026-03-01", (0, 0, MILLION, MILLION)),
        ("toy", "astray", "2026-03-01", (MILLION, 0, 0, 0)),
    )
    assert bill.of_model("codex", "gpt-9") == "23.000000"
    assert bill.of_model("codex", "exact") == "15.000000"
    assert bill.of_source("codex") == "38.000000"
    assert bill.of_model("gemini", "gpt-9") == bill.of_source("gemini") == "22.000000"
    assert bill.of_source("toy") == bill.of_model("toy", "retracted") == "0.000000"
    assert bill.total_cost_usd == "60.000000"


@pytest.mark.requirement("SRV-11")
def test_the_pricing_is_that_of_the_model_with_most_tokens() -> None:
    pricing = billed(
        ("codex", "gpt-5-mini", "2026-01-01", (300, 0, 0, 0)),
        ("codex", "gpt-5.2-codex", "2026-01-01", (200, 0, 0, 0)),
        ("every-code", "gpt-5.2-codex", "2026-01-01", (200, 0, 0, 0)),
        by=OFFLINE,
    ).pricing
    rates = {
        "input": "1.750000",
        "cached_input": "0.175000",
        "output": "14.000000",
        "reasoning_output": "14.000000",
    }
    assert msgspec.to_builtins(pricing) == {
        "model": "gpt-5.2-codex",
        "pricing_mode": "overlap",
        "source": "bundled",
        "effective_from": None,
        "rates": rates,
        "rates_per_million_usd": rates,
        "unpriced_models": [],
    }


@pytest.mark.requirement("SRV-11")
def test_of_models_with_as_many_tokens_the_smaller_name_is_described() -> None:
    rows = [("codex", model, "2026-05-01", (5, 0, 0, 0)) for model in ("gpt-9", "exact", "name")]
    assert billed(*rows).pricing.model == "exact"


@pytest.mark.requirement("SRV-11", "SRV-12")
@pytest.mark.parametrize(
    "day, since, usd",
    [("2026-04-30", "2026-03-01", "11.000000"), ("2026-05-31", "2026-05-01", "12.000000")],
)
def test_a_price_is_described_as_it_is_on_the_day_asked_for(day: str, since: str, usd: str) -> None:
    usage = ("codex", "gpt-9", "2026-03-20", (1, 0, 0, 0))
    pricing = billed(usage, on=date.fromisoformat(day)).pricing
    assert (pricing.source, pricing.effective_from) == ("openrouter", date.fromisoformat(since))
    assert pricing.rates.input == usd
    assert pricing.rates_per_million_usd == pricing.rates


@pytest.mark.requirement("SRV-12")
def test_a_price_that_an_alias_has_left_by_then_is_described_as_it_was() -> None:
    tariff = Tariff(
        [synced("exact", 15, "2026-03-01")],
        [
            alias("turbo", "exact", "2026-03-01"),
            alias("turbo", "nowhere/to-be-found", "2026-04-01"),
        ],
        [],
    )
    pricing = billed(("codex", "turbo", "2026-03-20", (1, 0, 0, 0)), by=tariff).pricing
    assert (pricing.model, pricing.rates.input) == ("turbo", "15.000000")


@pytest.mark.requirement("SRV-12")
def test_a_model_without_a_price_is_not_described_however_much_it_was_used() -> None:
    pricing = billed(
        ("gemini", "unknown", "2026-05-01", (7, 0, 0, 0)),
        ("codex", "gpt-9-turbo", "2026-02-01", (7, 0, 0, 0)),
        ("codex", "gpt-9-turbo", "2026-05-01", (2, 0, 0, 0)),
        ("codex", "name", "2026-05-01", (3, 0, 0, 0)),
    ).pricing
    assert (pricing.model, pricing.rates.input) == ("name", "17.000000")
    assert pricing.unpriced_models == ["gpt-9-turbo", "unknown"]
    assert pricing.pricing_mode == "mixed"


@pytest.mark.requirement("SRV-11", "SRV-12")
def test_where_nothing_has_a_price_the_default_model_is_described() -> None:
    usage = ("gemini", "unknown", "2026-05-01", (2, 0, 0, 0))
    pricing = billed(usage, by=OFFLINE).pricing
    assert (pricing.model, pricing.rates.input) == (DEFAULT, "1.750000")
    assert (pricing.pricing_mode, pricing.unpriced_models) == ("add", ["unknown"])


@pytest.mark.requirement("SRV-12")
def test_a_default_model_without_a_price_says_so() -> None:
    pricing = bill([], OFFLINE, on=LAST, default="a-toy").pricing
    assert (pricing.model, pricing.source, pricing.effective_from) == ("a-toy", None, None)
    assert set(msgspec.to_builtins(pricing.rates).values()) == {"0.000000"}


@pytest.mark.requirement("SRV-11")
def test_without_usage_the_pricing_is_that_of_the_model_given() -> None:
    pricing = bill([], OFFLINE, on=LAST, default=DEFAULT).pricing
    assert (pricing.model, pricing.rates.input) == ("gpt-5.2-codex", "1.750000")
    assert (pricing.pricing_mode, pricing.unpriced_models) == ("overlap", [])


MODES = {
    "overlap": ["codex", "every-code"],
    "add": ["gemini"],
    "mixed": ["codex", "gemini"],
}


@pytest.mark.requirement("SRV-11")
@pytest.mark.parametrize("mode, sources", MODES.items())
def test_the_mode_is_that_of_the_sources(mode: str, sources: list[str]) -> None:
    rows = [(source, "gpt-9", "2026-05-01", (1, 0, 1, 1)) for source in sources]
    retracted = ("gemini", "gpt-9", "2026-05-01", (0, 0, 0, 0))
    assert billed(*rows, retracted).pricing.pricing_mode == mode


DAYS = st.dates(date(2026, 1, 1), date(2026, 1, 12))
MODELS = st.sampled_from(["m", "n", "v/m", "w/m", "v/n", "m-20260101", "unknown"])
COUNTS = st.integers(0, 2**40)
TOKENS = st.builds(TokenTotals, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS)
PRICES = st.builds(
    Price,
    MODELS,
    st.builds(Rates, *[st.integers(0, 3 * 10**6)] * 4),
    st.sampled_from([None, None, "codex"]),
    DAYS,
)
TARIFFS = st.builds(
    Tariff,
    st.lists(PRICES, max_size=8, unique_by=lambda price: (price.model, price.effective_from)),
    st.lists(
        st.builds(Alias, MODELS, MODELS, DAYS),
        max_size=5,
        unique_by=lambda alias: (alias.usage_model, alias.effective_from),
    ),
    st.lists(PRICES, max_size=3, unique_by=lambda price: (price.model, price.effective_from)),
)
SINCE = at("2026-01-02T18:30")
UNTIL = at("2026-01-11T18:30")
ROWS = st.lists(
    st.builds(
        Usage,
        st.sampled_from(["codex", "gemini"]),
        MODELS,
        st.integers(SINCE // 1800, UNTIL // 1800 - 1).map(lambda number: number * 1800),
        TOKENS,
    ),
    max_size=20,
)


@pytest.mark.requirement("SRV-10", "SRV-11", "SRV-12")
@given(tariff=TARIFFS, rows=ROWS)
def test_usage_summed_by_epoch_costs_what_its_rows_cost(tariff: Tariff, rows: list[Usage]) -> None:
    epochs = tariff.epochs(SINCE, UNTIL)
    sums = sum_by(
        ((row.source, row.model, epochs[bisect_right(epochs, row.epoch) - 1]), row.tokens)
        for row in rows
    )
    grouped = [Usage(*key, tokens) for key, tokens in sums.items()]
    summed, single = (bill(usage, tariff, on=LAST, default=DEFAULT) for usage in (grouped, rows))
    assert summed.costs == single.costs
    assert summed.pricing.unpriced_models == single.pricing.unpriced_models
    assert summed.pricing.model == single.pricing.model


@pytest.mark.requirement("SRV-12")
@given(tariff=TARIFFS, model=MODELS, day=DAYS)
def test_a_price_holds_for_whole_utc_days(tariff: Tariff, model: str, day: date) -> None:
    first = at(day.isoformat())
    held = {tariff.price("codex", model, first + half * 1800) for half in range(48)}
    assert len(held) == 1


@pytest.mark.requirement("SRV-11")
@given(tariff=TARIFFS, rows=ROWS, data=st.data())
def test_the_order_of_usage_is_irrelevant(
    tariff: Tariff, rows: list[Usage], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(rows))
    there, here = (bill(usage, tariff, on=LAST, default=DEFAULT) for usage in (shuffled, rows))
    assert there.costs == here.costs
    assert there.pricing == here.pricing


@pytest.mark.requirement("SRV-11")
@given(tariff=TARIFFS, rows=ROWS)
def test_sums_are_made_before_rounding(tariff: Tariff, rows: list[Usage]) -> None:
    whole = bill(rows, tariff, on=LAST, default=DEFAULT)
    exactly = Decimal(sum(whole.costs.values())).scaleb(-12)
    assert abs(Decimal(whole.total_cost_usd) - exactly) <= Decimal("0.0000005")
    assert len(whole.total_cost_usd.partition(".")[2]) == 6


@pytest.mark.requirement("SRV-12")
@given(profiles=st.lists(PRICES, max_size=5), model=MODELS, day=DAYS, later=st.integers(1, 20))
def test_what_is_synced_later_changes_no_older_day(
    profiles: list[Price], model: str, day: date, later: int
) -> None:
    known = [price for price in profiles if price.effective_from <= day]
    news = day + timedelta(later)
    added = [synced(name, 99, news.isoformat()) for name in ("m", "v/m", "u/m", "n")]
    before = Tariff(known, [], [])
    after = Tariff([*known, *added], [Alias(model, "v/n", news)], [])
    start = at(day.isoformat())
    assert before.price("codex", model, start) == after.price("codex", model, start)

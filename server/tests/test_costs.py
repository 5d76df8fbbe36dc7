"""What usage costs, end to end: prices in the database, rows from a tracker (SRV-11, SRV-12)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from serving import Machine, Person, Server, row

from vibescore_server.db import open_database
from vibescore_server.models import PricingAlias, PricingProfile
from vibescore_server.queries import tariff
from vibescore_server.settings import load_settings

MILLION = 1_000_000
PER_MILLION = (1 * MILLION, MILLION // 10, 4 * MILLION, 5 * MILLION)
"""Micro-USD: a dollar, ten cents, 4 and 5 dollars."""

Named = Callable[[str], str]


class Prices:
    """Prices of a pricing source as a sync writes them, while the server runs."""

    def __init__(self, server: Server) -> None:
        flags = {"database_url": server.database_url, "data_dir": server.data_dir}
        self._db = open_database(load_settings(**flags))

    def profile(
        self, model: str, since: str, *rates: int, source: str = "openrouter", active: bool = True
    ) -> None:
        names = ("input", "cached_input", "output", "reasoning")
        self._keep(
            PricingProfile.insert(
                model=model,
                source=source,
                effective_from=since,
                active=active,
                **dict(zip(names, rates or PER_MILLION, strict=True)),
            ),
            source,
        )

    def alias(self, usage_model: str, pricing_model: str, since: str) -> None:
        self._keep(
            PricingAlias.insert(
                usage_model=usage_model,
                pricing_source="openrouter",
                effective_from=since,
                pricing_model=pricing_model,
                active=True,
            ),
            "openrouter",
        )

    def _keep(self, insert: Any, source: str) -> None:
        with self._db.connection_context(), self._db.atomic():
            insert.execute(self._db)
            tariff.changed(self._db, source)


@pytest.fixture
def prices(server: Server) -> Prices:
    return Prices(server)


@pytest.fixture
def named() -> Named:
    """Names of models that no other test uses."""
    mark = uuid4().hex
    return lambda name: f"{name}-{mark}x"


@pytest.fixture
def machine(server: Server) -> Machine:
    return server.sign_up().link()


def summary(person: Person, **parameters: str) -> Any:
    """Totals and pricing of November."""
    asked = {"from": "2026-11-01", "to": "2026-11-18", **parameters}
    return person.get("usage-summary", **asked).json


def cost(person: Person, **parameters: str) -> str:
    usd: str = summary(person, **parameters)["totals"]["total_cost_usd"]
    return usd


COUNTS: dict[str, Any] = {"input": MILLION, "cached_input": 200_000, "output": 500_000}

CASES = {
    "cached input once, at its own rate": ({}, "8.435000", "overlap", []),
    "codex counts reasoning inside the output": (
        {"reasoning_output": 400_000},
        "8.435000",
        "overlap",
        [],
    ),
    "every-code does as well": (
        {"reasoning_output": 400_000, "source": "every-code"},
        "8.435000",
        "overlap",
        [],
    ),
    "gemini counts it beside the output": (
        {"reasoning_output": 100_000, "source": "gemini", "model": "gemini-2.5-pro"},
        "7.025000",
        "add",
        [],
    ),
    "whatever the model": (
        {"reasoning_output": 100_000, "source": "gemini"},
        "9.835000",
        "add",
        [],
    ),
    "unknown has no price": ({"model": "unknown"}, "0.000000", "overlap", ["unknown"]),
    "nor has a model that nobody lists": ({"model": "toy"}, "0.000000", "overlap", ["toy"]),
    "nor a longer name of one that is": (
        {"model": "gpt-5.2-codexx"},
        "0.000000",
        "overlap",
        ["gpt-5.2-codexx"],
    ),
}


@pytest.mark.requirement("SRV-11", "SRV-12")
@pytest.mark.parametrize("fields, usd, mode, unpriced", CASES.values(), ids=CASES.keys())
def test_every_token_is_billed_once(
    machine: Machine, fields: dict[str, Any], usd: str, mode: str, unpriced: list[str]
) -> None:
    machine.send(row(**COUNTS, **fields))
    answer = summary(machine.owner)
    assert answer["totals"]["total_cost_usd"] == usd
    assert answer["pricing"]["pricing_mode"] == mode
    assert answer["pricing"]["unpriced_models"] == unpriced


@pytest.mark.requirement("SRV-11")
def test_several_sources_are_billed_each_by_its_rule(machine: Machine) -> None:
    machine.send(
        row(**COUNTS, reasoning_output=100_000),
        row(**COUNTS, reasoning_output=100_000, source="gemini", model="gemini-2.5-pro"),
        row(**COUNTS, model="toy"),
    )
    answer = summary(machine.owner)
    assert answer["totals"]["total_cost_usd"] == "15.460000"
    assert answer["pricing"]["pricing_mode"] == "mixed"
    assert answer["pricing"]["unpriced_models"] == ["toy"]


@pytest.mark.requirement("SRV-12")
def test_an_alias_that_changes_within_the_days_bills_each_row_by_what_held(
    machine: Machine, prices: Prices, named: Named
) -> None:
    old, new, used = named("vendor/old"), named("vendor/new"), named("house")
    prices.profile(old, "2026-11-05")
    prices.profile(new, "2026-11-05", *(2 * rate for rate in PER_MILLION))
    prices.alias(used, old, "2026-11-05")
    prices.alias(used, new, "2026-11-10")
    for day in ("04T23:30", "05T00:00", "09T23:30", "10T00:00"):
        machine.send(row(f"2026-11-{day}:00Z", input=MILLION, model=used))

    answer = summary(machine.owner)

    assert answer["totals"]["total_cost_usd"] == "4.000000"
    assert answer["pricing"] | {"rates_per_million_usd": {}} == {
        "model": used,
        "pricing_mode": "overlap",
        "source": "openrouter",
        "effective_from": "2026-11-05",
        "rates": {
            "input": "2.000000",
            "cached_input": "0.200000",
            "output": "8.000000",
            "reasoning_output": "10.000000",
        },
        "rates_per_million_usd": {},
        "unpriced_models": [used],
    }
    before = summary(machine.owner, to="2026-11-09")
    assert before["pricing"]["rates"]["input"] == "1.000000", "that of the last day asked for"
    assert before["totals"]["total_cost_usd"] == "2.000000"
    daily = machine.owner.get("usage-daily", **{"from": "2026-11-01"}).json["summary"]
    assert daily["totals"] == answer["totals"]


@pytest.mark.requirement("SRV-12")
def test_prices_hold_by_the_utc_day_wherever_the_user_is(
    machine: Machine, prices: Prices, named: Named
) -> None:
    model = named("vendor/house")
    prices.profile(model, "2026-11-10")
    prices.profile(model, "2026-11-11", *(10 * rate for rate in PER_MILLION))
    machine.send(
        row("2026-11-10T23:30:00Z", input=MILLION, model=model),
        row("2026-11-11T00:00:00Z", input=MILLION, model=model),
    )
    one_day = {"from": "2026-11-10", "to": "2026-11-10", "tz": "America/Los_Angeles"}
    assert cost(machine.owner, **one_day) == "11.000000"
    assert cost(machine.owner, **one_day | {"tz": "UTC"}) == "1.000000"


@pytest.mark.requirement("SRV-12", "SRV-26")
def test_a_price_written_elsewhere_holds_with_the_next_question(
    machine: Machine, prices: Prices, named: Named
) -> None:
    model = named("house")
    machine.send(row(input=MILLION, model=model))
    assert summary(machine.owner)["pricing"]["unpriced_models"] == [model]

    prices.profile(named("vendor/house"), "2026-11-01")
    assert cost(machine.owner) == "1.000000"
    assert summary(machine.owner)["pricing"]["unpriced_models"] == []

    prices.profile(named("vendor/house"), "2026-11-02", *(3 * rate for rate in PER_MILLION))
    assert cost(machine.owner) == "3.000000"


@pytest.mark.requirement("SRV-12")
def test_only_active_prices_of_the_pricing_source_hold(
    machine: Machine, prices: Prices, named: Named
) -> None:
    model = named("house")
    machine.send(row(input=MILLION, model=model))
    prices.profile(model, "2026-11-01", active=False)
    prices.profile(model, "2026-11-01", source="elsewhere")
    assert cost(machine.owner) == "0.000000"


@pytest.mark.requirement("SRV-07", "SRV-12")
def test_a_price_that_changes_every_day_costs_what_its_days_cost(
    machine: Machine, prices: Prices, named: Named
) -> None:
    model = named("vendor/house")
    for day in range(1, 18):
        prices.profile(model, f"2026-11-{day:02}", *(day * rate for rate in PER_MILLION))
        machine.send(row(f"2026-11-{day:02}T12:00:00Z", input=MILLION, model=model))
    assert cost(machine.owner) == f"{sum(range(1, 18))}.000000"
    assert cost(machine.owner, to="2026-11-03") == "6.000000"


@pytest.mark.requirement("SRV-12")
def test_the_setting_names_whose_prices_are_shown_without_usage(
    fresh_server: Callable[..., Server],
) -> None:
    server = fresh_server(pricing_model="gemini-2.5-pro")
    pricing = summary(server.sign_up())["pricing"]
    assert (pricing["model"], pricing["rates"]["input"]) == ("gemini-2.5-pro", "1.250000")
    assert (pricing["source"], pricing["effective_from"]) == ("bundled", None)

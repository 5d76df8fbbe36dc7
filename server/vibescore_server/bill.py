"""What usage costs, and by which rates: ``total_cost_usd`` and ``pricing`` of the wire (SRV-11).

Everything is summed in picodollars and rounded, to six decimals, only where it is shown.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import compress
from typing import Literal, NamedTuple

from msgspec import Struct

from vibescore.calendar import sum_by
from vibescore.pricing import (
    REASONING_BESIDE_OUTPUT,
    Price,
    Rates,
    TokenTotals,
    cost,
    day_start,
    dollars,
)
from vibescore_server.rates import Tariff

Mode = Literal["overlap", "add", "mixed"]
NOTHING = Rates(0, 0, 0, 0)


class Usage(NamedTuple):
    """Tokens of a source and a model within an epoch (UTC seconds; ``Tariff.epochs``)."""

    source: str
    model: str
    epoch: int
    tokens: TokenTotals


class ShownRates(Struct, frozen=True):
    """USD per million tokens, with six decimals."""

    input: str
    cached_input: str
    output: str
    reasoning_output: str


class Pricing(Struct, frozen=True):
    """By which rates a cost came about: those of the model with most tokens that have a price.

    Reasoning is inside the output (``overlap``), beside it (``add``), or each in another source
    (``mixed``). ``source`` is the pricing source; ``effective_from`` is null where a price has
    always held. Without a price for ``model`` both are null and the rates are zero.
    ``unpriced_models`` names all whose tokens have no price, at least in part.
    """

    model: str
    pricing_mode: Mode
    source: str | None
    effective_from: date | None
    rates: ShownRates
    rates_per_million_usd: ShownRates
    unpriced_models: list[str]


@dataclass(frozen=True, slots=True)
class Bill:
    """Picodollars by source and model, and by source alone; and the pricing behind them."""

    costs: Mapping[tuple[str, str], int]
    sources: Mapping[str, int]
    pricing: Pricing

    @property
    def total_cost_usd(self) -> str:
        return usd(sum(self.sources.values()))

    def of_source(self, source: str) -> str:
        """What all models of a source cost in USD."""
        return usd(self.sources.get(source, 0))

    def of_model(self, source: str, model: str) -> str:
        """What a model costs in USD as far as a source used it."""
        return usd(self.costs.get((source, model), 0))


def bill(usage: Iterable[Usage], tariff: Tariff, *, on: date, default: str) -> Bill:
    """What ``usage``, in any order, costs. Usage without tokens (retracted) is no usage.

    ``pricing`` has the rates of the UTC day ``on``; when nothing in ``usage`` has a price, it is
    that of the model ``default``.
    """
    used = [each for each in usage if each.tokens]
    prices = [tariff.price(each.source, each.model, each.epoch) for each in used]
    costs = sum_by(
        ((each.source, each.model), _cost(each, price))
        for each, price in zip(used, prices, strict=True)
    )
    unpriced = {each.model for each, price in zip(used, prices, strict=True) if not price}
    shown = _foremost(compress(used, prices)) or Usage("", default, day_start(on), TokenTotals())
    return Bill(
        costs,
        sum_by((source, picodollars) for (source, _), picodollars in costs.items()),
        _pricing(
            shown.model,
            _mode({each.source for each in used}),
            _shown_price(shown, tariff, on),
            sorted(unpriced),
        ),
    )


def usd(picodollars: int) -> str:
    """Dollars with six decimals."""
    return f"{dollars(picodollars):.6f}"


def _cost(usage: Usage, price: Price | None) -> int:
    return cost(usage.tokens, source=usage.source, rates=price.rates) if price else 0


def _foremost(priced: Iterable[Usage]) -> Usage | None:
    """The last usage of the model with most tokens; of equals, the smaller name."""
    usage = list(priced)
    tokens = sum_by((each.model, each.tokens.total_tokens) for each in usage)
    return min(
        usage,
        key=lambda each: (-tokens[each.model], each.model, -each.epoch, each.source),
        default=None,
    )


def _shown_price(shown: Usage, tariff: Tariff, on: date) -> Price | None:
    """What holds on a day, else what its tokens were billed by: an alias may have left them."""
    later = tariff.price(shown.source, shown.model, day_start(on))
    return later or tariff.price(shown.source, shown.model, shown.epoch)


def _pricing(model: str, mode: Mode, price: Price | None, unpriced: list[str]) -> Pricing:
    rates = _shown(price.rates if price else NOTHING)
    return Pricing(
        model=model,
        pricing_mode=mode,
        source=price.origin if price else None,
        effective_from=_since(price) if price else None,
        rates=rates,
        rates_per_million_usd=rates,
        unpriced_models=unpriced,
    )


def _since(price: Price) -> date | None:
    return None if price.effective_from == date.min else price.effective_from


def _mode(sources: set[str]) -> Mode:
    beside = sources & REASONING_BESIDE_OUTPUT
    if not beside:
        return "overlap"
    return "add" if beside == sources else "mixed"


def _shown(rates: Rates) -> ShownRates:
    return ShownRates(*(usd(rate * 1_000_000) for rate in rates))

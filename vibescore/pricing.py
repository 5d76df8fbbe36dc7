"""What tokens cost at list prices, in exact integers (SRV-11, SRV-12).

A rate is in micro-USD per million tokens, so a token costs ``rate`` picodollars (10^-12 USD).
Costs are summed in picodollars and become dollars only to be shown: no float, nothing rounded.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta, Struct

from vibescore.model import UNKNOWN as UNKNOWN  # noqa: PLC0414  # the server has it from here
from vibescore.model import TokenTotals as TokenTotals  # noqa: PLC0414  # and this

REASONING_BESIDE_OUTPUT = frozenset({"gemini"})
"""Sources that count reasoning beside the output; all others count it inside (COL-06)."""

SNAPSHOT = re.compile(r"[-@](?:\d{8}|\d{4}-\d\d-\d\d|preview|latest)$")
EPOCH = date(1970, 1, 1)
MOST = Decimal(1_000_000)
"""A dollar a token: whoever writes more has mistaken the unit."""


class Rates(NamedTuple):
    """Micro-USD per million tokens; ``reasoning`` holds where it is counted beside the output."""

    input: int
    cached_input: int
    output: int
    reasoning: int

    @classmethod
    def of_usd(
        cls,
        *,
        input: Decimal,
        output: Decimal,
        cached_input: Decimal | None = None,
        reasoning: Decimal | None = None,
    ) -> "Rates":
        """Rates of USD per million tokens; what is left out costs what its kind costs.

        Raises ValueError, which names the field.
        """
        rates = {
            "input": input,
            "cached_input": input if cached_input is None else cached_input,
            "output": output,
            "reasoning": output if reasoning is None else reasoning,
        }
        return cls(**{name: _micro(name, usd) for name, usd in rates.items()})


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs from a UTC day on; ``source`` is None when it holds for every source.

    ``origin`` names the list that says so, where several are asked.
    """

    model: str
    rates: Rates
    source: str | None = None
    effective_from: date = date.min
    origin: str = ""


class PriceList:
    """Prices in layers: what an earlier layer says of a name is asked before a later one."""

    def __init__(self, *layers: Iterable[Price]) -> None:
        self._layers = [_by_name(layer) for layer in layers]
        self._known: dict[tuple[str, str], list[tuple[int, Price]]] = {}

    def rates(self, source: str, model: str, start: float) -> Rates | None:
        """What a half-hour (UTC seconds) is billed by; None when the model is unpriced.

        A price holds when its ``effective_from`` is the latest that is not after the half-hour.
        Answers quickly, and keeps something for every source and model it is asked for.
        """
        if (source, model) not in self._known:
            self._known[source, model] = list(self._candidates(source, model))
        for since, price in self._known[source, model]:
            if since <= start:
                return price.rates
        return None

    def price(self, source: str, model: str, start: float) -> Price | None:
        """The price with the ``rates``; keeps nothing."""
        candidates = self._candidates(source, model)
        return next((price for since, price in candidates if since <= start), None)

    def _candidates(self, source: str, model: str) -> Iterator[tuple[int, Price]]:
        """All that could hold, and from which UTC second on; the one to prefer first."""
        for name in spellings(model):
            for layer in self._layers:
                for price in (*layer.get((source, name), ()), *layer.get((None, name), ())):
                    yield day_start(price.effective_from), price


def _by_name(prices: Iterable[Price]) -> dict[tuple[str | None, str], list[Price]]:
    named: dict[tuple[str | None, str], list[Price]] = {}
    for price in sorted(prices, key=lambda price: price.effective_from, reverse=True):
        named.setdefault((price.source, price.model), []).append(price)
    return named


def day_start(day: date) -> int:
    """The UTC second with which a day begins."""
    return (day - EPOCH).days * 86_400


def spellings(model: str) -> tuple[str, ...]:
    """The names under which a model is looked up, in this order and no other (SRV-12).

    As it is; without the date or the word of a snapshot (``-20251101``, ``-2025-12-01``,
    ``-preview``, ``-latest``) at its end; then both without a provider before it (``openai/``).
    """
    bare = model.rpartition("/")[2]
    names = (model, SNAPSHOT.sub("", model), bare, SNAPSHOT.sub("", bare))
    return tuple(dict.fromkeys(names))


def cost(tokens: TokenTotals, *, source: str, rates: Rates) -> int:
    """Picodollars. Cached input is billed at its own rate alone; reasoning is billed with the
    output, or beside it where ``source`` counts it there.
    """
    beside = tokens.reasoning_output_tokens if source in REASONING_BESIDE_OUTPUT else 0
    return (
        (tokens.input_tokens - tokens.cached_input_tokens) * rates.input
        + tokens.cached_input_tokens * rates.cached_input
        + tokens.output_tokens * rates.output
        + beside * rates.reasoning
    )


def dollars(picodollars: int) -> Decimal:
    """USD, exactly."""
    return Decimal(f"{picodollars}e-12")


def exact(amount: Decimal) -> str:
    """All digits that say something: ``8.435``."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


class Entry(Struct, frozen=True, forbid_unknown_fields=True, rename={"effective_from": "from"}):
    """An entry of a price file: USD per million tokens."""

    model: Annotated[str, Meta(min_length=1)]
    input: Decimal
    output: Decimal
    cached_input: Decimal | None = None
    reasoning: Decimal | None = None
    source: Annotated[str, Meta(min_length=1)] | None = None
    effective_from: date = date.min


def parse_prices(table: Mapping[str, Any]) -> list[Price]:
    """The prices of a decoded price file. Raises ValueError, which names entry and field."""
    if unknown := sorted(table.keys() - {"as_of", "price"}):
        raise ValueError(f"it has {unknown[0]!r}, where only [[price]] entries can stand")
    entries = table.get("price", [])
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        raise ValueError("'price' is not a list of entries: begin each with [[price]]")
    prices = [_price(number, entry) for number, entry in enumerate(entries, 1)]
    names = [(price.model, price.source, price.effective_from) for price in prices]
    for number, name in enumerate(names, 1):
        if (first := names.index(name) + 1) < number:
            raise ValueError(f"price {number} ({name[0]!r}) says again what price {first} said")
    return prices


def _price(number: int, raw: Mapping[str, Any]) -> Price:
    named = f"price {number}" + (f" ({raw['model']!r})" if raw.get("model") else "")
    try:
        entry = msgspec.convert(raw, Entry)
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at `$.")
        raise ValueError(f"{named}{_field(place.rstrip('`'))}: {what}") from None
    try:
        rates = Rates.of_usd(
            input=entry.input,
            output=entry.output,
            cached_input=entry.cached_input,
            reasoning=entry.reasoning,
        )
    except ValueError as error:
        raise ValueError(f"{named}, {error}") from None
    return Price(entry.model, rates, entry.source, entry.effective_from)


def _field(name: str) -> str:
    return f", field '{name}'" if name else ""


def _micro(name: str, usd: Decimal) -> int:
    if not usd.is_finite() or not 0 <= usd <= MOST:
        raise ValueError(f"field '{name}': {usd} is not a number of USD from 0 to {MOST:,}")
    if usd != round(usd, 6):
        raise ValueError(f"field '{name}': {usd} has more than six decimals")
    return int(usd.scaleb(6))

"""What a model is billed by on a UTC day (SRV-12).

    alias → exact profile → the model in ``vendor/model`` → unpriced

An alias holds for the very name in the usage rows, and only while what it points at has a price. A
profile is looked up under all ``spellings`` of a name, the most exact first. Under each of them the
profiles of the database, which the operator asked for, come before the bundled list.

Nothing holds before its ``effective_from``: what is synced today leaves the cost of older days as
it was, by the bundled list or unpriced. ``unknown`` is always unpriced.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol, TypeVar

from vibescore.pricing import UNKNOWN, Price, PriceList, day_start


class Dated(Protocol):
    """What holds from a UTC day on."""

    @property
    def effective_from(self) -> date: ...


Entry = TypeVar("Entry", bound=Dated)
Name = TypeVar("Name", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Alias:
    """From a UTC day on, usage of one model is billed as that of another."""

    usage_model: str
    pricing_model: str
    effective_from: date


class Tariff:
    """Profiles and aliases of a pricing source, and the bundled list.

    Only active ones belong in it. It keeps nothing of what it is asked for, so it may live long.
    """

    def __init__(
        self, profiles: Iterable[Price], aliases: Iterable[Alias], bundled: Iterable[Price]
    ) -> None:
        synced = list(_changes(profiles, _whose, lambda price: price.rates))
        renamed = list(_changes(aliases, _renamed, lambda alias: alias.pricing_model))
        shipped = list(bundled)
        self._prices = PriceList(synced, _without_vendor(synced), shipped)
        self._aliases = _grouped(reversed(renamed), _renamed)
        dated: list[Dated] = [*synced, *renamed, *shipped]
        self._days = sorted({day_start(entry.effective_from) for entry in dated})

    def price(self, source: str, model: str, start: int) -> Price | None:
        """What a half-hour (UTC seconds) of a source and a model is billed by; None: unpriced."""
        if model == UNKNOWN:
            return None
        alias = self.alias(model, start)
        billed = alias and self.price_of_name(source, alias, start)
        return billed or self.price_of_name(source, model, start)

    def alias(self, model: str, start: int) -> str | None:
        """The name by which a model is billed in a half-hour (UTC seconds), if it has another."""
        aliases = self._aliases.get(model, ())
        holding = (alias for alias in aliases if day_start(alias.effective_from) <= start)
        return next((alias.pricing_model for alias in holding), None)

    def price_of_name(self, source: str, model: str, start: int) -> Price | None:
        """What a model would be billed by if it had no alias."""
        return self._prices.price(source, model, start)

    def epochs(self, since: int, until: int) -> list[int]:
        """The stretches of a range of UTC seconds within which no price or alias changes: where
        each begins, the first at ``since``; the last ends before ``until``.

        Tokens summed by source, model and epoch cost what their rows cost one by one.
        """
        return [since, *(day for day in self._days if since < day < until)]


def _changes(
    entries: Iterable[Entry], whose: Callable[[Entry], Hashable], says: Callable[[Entry], object]
) -> Iterator[Entry]:
    """In order of time, without those that say what held anyway: a sync a day changes little."""
    said: dict[Hashable, object] = {}
    for entry in sorted(entries, key=lambda entry: entry.effective_from):
        if said.get(whose(entry)) != says(entry):
            said[whose(entry)] = says(entry)
            yield entry


def _whose(price: Price) -> tuple[str | None, str]:
    return price.source, price.model


def _renamed(alias: Alias) -> str:
    return alias.usage_model


def _bare(price: Price) -> str:
    return price.model.rpartition("/")[2]


def _grouped(entries: Iterable[Entry], name: Callable[[Entry], Name]) -> dict[Name, list[Entry]]:
    groups: dict[Name, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(name(entry), []).append(entry)
    return groups


def _without_vendor(prices: Iterable[Price]) -> Iterator[Price]:
    """The prices of ``vendor/model`` under the name ``model``.

    Where several vendors use a name, it means the model of the one who had it first; where they had
    it from the same day on, it means none.
    """
    with_vendor = (price for price in prices if "/" in price.model)
    for name, rivals in _grouped(with_vendor, _bare).items():
        first = min(price.effective_from for price in rivals)
        owners = {price.model for price in rivals if price.effective_from == first}
        if len(owners) == 1:
            yield from (replace(price, model=name) for price in rivals if price.model in owners)

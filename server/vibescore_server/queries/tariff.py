"""Reading prices: profiles and aliases of a pricing source as a tariff (SRV-12)."""

from datetime import date
from typing import Any

from vibescore.pricing import Price, Rates
from vibescore_server.bundled import bundled
from vibescore_server.models import PricingAlias, PricingProfile, PricingVersion
from vibescore_server.rates import Alias, Tariff


class Tariffs:
    """The tariff of a pricing source, read again when its version is another: whoever writes
    profiles or aliases counts it on (``changed``), so every process bills by what is written.

    ``default`` names the model whose prices are shown where no model used has one.
    """

    def __init__(self, source: str, default: str) -> None:
        self.default = default
        self._source = source
        self._bundled = bundled()
        self._kept: tuple[int, Tariff] | None = None

    def current(self, db: Any) -> Tariff:
        """What is billed by now; the version is read first, so that nothing new stays unseen."""
        number = version(db, self._source)
        kept = self._kept
        if kept is None or kept[0] != number:
            self._kept = kept = number, self._read(db)
        return kept[1]

    def _read(self, db: Any) -> Tariff:
        return Tariff(profiles(db, self._source), aliases(db, self._source), self._bundled)


def version(db: Any, source: str) -> int:
    """How often the prices of a source have changed."""
    asked = PricingVersion.select(PricingVersion.number).where(PricingVersion.source == source)
    number: int = asked.bind(db).scalar() or 0
    return number


def changed(db: Any, source: str) -> None:
    """Note that profiles or aliases of a source are other ones; part of the transaction in which
    they are written.
    """
    PricingVersion.insert(source=source, number=1).on_conflict(
        conflict_target=(PricingVersion.source,),
        update={PricingVersion.number: PricingVersion.number + 1},
    ).execute(db)


def profiles(db: Any, source: str) -> list[Price]:
    """The prices that a pricing source gave, as far as they are active."""
    columns = [getattr(PricingProfile, name) for name in Rates._fields]
    asked: Any = PricingProfile.select(
        PricingProfile.model, PricingProfile.effective_from, *columns
    ).where(PricingProfile.source == source, PricingProfile.active)
    return [
        Price(model, Rates(*rates), effective_from=date.fromisoformat(day), origin=source)
        for model, day, *rates in asked.tuples().bind(db)
    ]


def aliases(db: Any, source: str) -> list[Alias]:
    """The names under which prices of a pricing source stand, as far as they are active."""
    columns = (PricingAlias.usage_model, PricingAlias.pricing_model, PricingAlias.effective_from)
    asked: Any = PricingAlias.select(*columns).where(
        PricingAlias.pricing_source == source, PricingAlias.active
    )
    rows = asked.tuples().bind(db)
    return [Alias(usage, pricing, date.fromisoformat(day)) for usage, pricing, day in rows]

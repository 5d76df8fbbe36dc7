"""Writing prices: what a pricing source says models cost, and by whose name (SRV-12)."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from peewee import Select, Tuple, chunked, fn

from vibescore.pricing import UNKNOWN, Price
from vibescore_server.models import PricingAlias, PricingProfile, Usage
from vibescore_server.queries import tariff

CHUNK = 500
MOST_MODELS = 2_000
"""Devices may send any name; no server has seen more that mean a model."""


def usage_models(db: Any) -> list[str]:
    """The names of models in usage, those with most rows first; reads all of it."""
    asked = Usage.select(Usage.model).where(Usage.model != UNKNOWN).group_by(Usage.model)
    ordered = asked.order_by(fn.COUNT(Usage.hour_start).desc(), Usage.model).limit(MOST_MODELS)
    rows: Any = ordered.tuples().bind(db)
    return [model for (model,) in rows]


def keep(
    db: Any,
    source: str,
    day: date,
    prices: Iterable[Price],
    names: Mapping[str, str],
    *,
    retention: date | None,
) -> int:
    """Keep what a pricing source says from a day on: prices, and the pricing model by usage model.
    Answers how many profiles were retired, which with ``retention`` are those that a newer one
    replaced by that day; what holds from it on is left as it is.
    """
    from_day = day.isoformat()
    _upsert(
        db,
        PricingProfile,
        [
            {"model": price.model, "source": source, "effective_from": from_day, "active": True}
            | price.rates._asdict()
            for price in prices
        ],
    )
    _upsert(
        db,
        PricingAlias,
        [
            {"usage_model": usage, "pricing_source": source, "effective_from": from_day}
            | {"pricing_model": pricing, "active": True}
            for usage, pricing in names.items()
        ],
    )
    tariff.changed(db, source)
    return _retire(db, source, retention) if retention else 0


def _upsert(db: Any, table: Any, rows: list[dict[str, Any]]) -> None:
    key = table._meta.primary_key.field_names  # noqa: SLF001 Peewee's documented way
    columns = [name for name in table._meta.sorted_field_names if name not in key]  # noqa: SLF001
    for chunk in chunked(rows, CHUNK):
        inserted = table.insert_many(chunk)
        inserted.on_conflict(
            conflict_target=key, preserve=[getattr(table, name) for name in columns]
        ).execute(db)


def _retire(db: Any, source: str, until: date) -> int:
    profile = PricingProfile
    following = fn.LEAD(profile.effective_from).over(
        partition_by=[profile.model], order_by=[profile.effective_from]
    )
    mine = (profile.source == source) & profile.active
    columns = (profile.model, profile.effective_from, following.alias("following"))
    dated = profile.select(*columns).where(mine).alias("dated")
    replaced = Select([dated], [dated.c.model, dated.c.effective_from]).where(
        dated.c.following <= until.isoformat()
    )
    key = Tuple(profile.model, profile.effective_from)
    retired: int = profile.update(active=False).where(mine, key.in_(replaced)).execute(db)
    return retired

"""Reports as pure functions: half-hour rows and prices in, answers out (CLI-09).

rows → selected → priced → summed by period, model or source → answer
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from functools import cached_property, reduce
from operator import add
from typing import Any

from msgspec import Struct

from vibescore.answers import (
    By,
    ModelReport,
    ModelRow,
    Overview,
    PeriodReport,
    PeriodRow,
    SourceReport,
    SourceRow,
    Span,
    SpanName,
    Totals,
)
from vibescore.calendar import (
    day_of,
    fold,
    hour_of,
    local_day,
    month_of,
    sum_by,
    week_of,
)
from vibescore.model import ZERO, Bucket, TokenTotals
from vibescore.pricing import PriceList, cost, dollars, exact

PERIODS: Mapping[By, Callable[[datetime], str]] = {
    "hourly": hour_of,
    "daily": day_of,
    "weekly": week_of,
    "monthly": month_of,
}


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows a report is about.

    ``zone`` None is the computer's own; ``since`` and ``until`` are local days, both included,
    None for no bound; without ``sources`` or ``models``, all of them.
    """

    zone: tzinfo | None = None
    zone_name: str = ""
    since: date | None = None
    until: date | None = None
    sources: tuple[str, ...] = ()
    models: tuple[str, ...] = ()

    @property
    def names_days(self) -> bool:
        """Whether it has a first or a last day."""
        return bool(self.since or self.until)

    def between(self, since: date, until: date) -> "Selection":
        """The same of other days."""
        return replace(self, since=since, until=until)

    def holds(self, bucket: Bucket) -> bool:
        if self.sources and bucket.source not in self.sources:
            return False
        if self.models and bucket.model not in self.models:
            return False
        if not self.names_days:
            return True
        day = local_day(bucket.start, self.zone)
        return (self.since or day) <= day <= (self.until or day)


class Spending(Struct, frozen=True):
    """What some half-hours used together; ``cost`` is in picodollars, ``unpriced`` are the tokens
    of those models that have no price.
    """

    tokens: TokenTotals = ZERO
    cost: int = 0
    unpriced: int = 0
    models: frozenset[str] = frozenset()

    def __add__(self, other: "Spending") -> "Spending":
        return Spending(
            self.tokens + other.tokens,
            self.cost + other.cost,
            self.unpriced + other.unpriced,
            self.models | other.models,
        )

    @property
    def totals(self) -> "Totals":
        """As it is answered; where no token has a price there is no cost."""
        total = self.tokens.total_tokens
        usd = None if total and total == self.unpriced else exact(dollars(self.cost))
        return Totals(*self.tokens.counters, usd, self.unpriced)


Spent = list[tuple[Bucket, Spending]]


def spent(
    rows: Iterable[tuple[Bucket, TokenTotals]], selection: Selection, prices: PriceList
) -> Spent:
    """The rows that a selection holds, with their cost."""
    return [
        (bucket, _spending(bucket, tokens, prices))
        for bucket, tokens in rows
        if selection.holds(bucket)
    ]


def _spending(bucket: Bucket, tokens: TokenTotals, prices: PriceList) -> Spending:
    source, model, start = bucket
    models = frozenset((model,))
    rates = prices.rates(source, model, start)
    if rates is None:
        return Spending(tokens, unpriced=tokens.total_tokens, models=models)
    return Spending(tokens, cost(tokens, source=source, rates=rates), models=models)


@dataclass(frozen=True)
class Usage:
    """What the half-hours of a selection used, all together, and the reports of it."""

    rows: Spent
    selection: Selection
    prices_as_of: date

    @cached_property
    def whole(self) -> Spending:
        """All of it."""
        return reduce(add, (its for _, its in self.rows), Spending())

    def on(self, day: date) -> "Usage":
        """That of one of its local days."""
        zone = self.selection.zone
        rows = [row for row in self.rows if local_day(row[0].start, zone) == day]
        return replace(self, rows=rows, selection=self.selection.between(day, day))

    def by_period(self, by: By) -> PeriodReport:
        """The local periods with usage, in order of time."""
        starts = ((bucket.start, its) for bucket, its in self.rows)
        sums = fold(starts, PERIODS[by], self.selection.zone)
        rows = tuple(
            PeriodRow(period, tuple(sorted(its.models)), its.totals) for period, its in sums.items()
        )
        return PeriodReport(report=by, rows=rows, totals=self.whole.totals, **self.frame)

    def by_model(self) -> ModelReport:
        """Source and model, the most tokens first."""
        return ModelReport(
            report="models", rows=self._models, totals=self.whole.totals, **self.frame
        )

    def by_source(self) -> SourceReport:
        """The sources, the most tokens first."""
        sums = sum_by((bucket.source, its) for bucket, its in self.rows)
        rows = tuple(
            SourceRow(source, self._share(its), its.totals) for source, its in _most_first(sums)
        )
        return SourceReport(report="sources", rows=rows, totals=self.whole.totals, **self.frame)

    def overview(self) -> Overview:
        """Source and model, of the days that were asked for."""
        return Overview(report="overview", spans=(self.span("selection"),), **self.frame)

    def overview_of_week(self, today: date) -> Overview:
        """Source and model, of today and of all its days: the week so far."""
        spans = (self.on(today).span("today"), self.span("week"))
        return Overview(report="overview", spans=spans, **self.frame)

    def span(self, name: SpanName) -> Span:
        """One of the parts of an overview."""
        since, until = self.selection.since, self.selection.until
        return Span(name, since, until, self._models, self.whole.totals)

    @property
    def frame(self) -> dict[str, Any]:
        """What every answer tells of the question, and what has no price."""
        asked = self.selection
        unpriced = {bucket.model for bucket, its in self.rows if its.unpriced}
        return {
            "timezone": asked.zone_name,
            "since": asked.since,
            "until": asked.until,
            "sources": asked.sources,
            "models": asked.models,
            "prices_as_of": self.prices_as_of,
            "unpriced_models": tuple(sorted(unpriced)),
        }

    @property
    def _models(self) -> tuple[ModelRow, ...]:
        sums = sum_by(((bucket.source, bucket.model), its) for bucket, its in self.rows)
        return tuple(
            ModelRow(source, model, self._share(its), its.totals)
            for (source, model), its in _most_first(sums)
        )

    def _share(self, part: Spending) -> float:
        return round(part.tokens.total_tokens / (self.whole.tokens.total_tokens or 1), 4)


def _most_first(sums: Mapping[Any, Spending]) -> list[tuple[Any, Spending]]:
    return sorted(sums.items(), key=lambda item: (-item[1].tokens.total_tokens, item[0]))

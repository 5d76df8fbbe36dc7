"""Usage: what somebody used by local hour, day and month, and what it costs (SRV-07 to SRV-13)."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from vibescore.calendar import (
    Hour,
    days,
    fold,
    hour_of,
    hours,
    local_day,
    local_time,
    months,
    sum_by,
)
from vibescore.pricing import TokenTotals
from vibescore_server.api import Call, Routes
from vibescore_server.auth import UserCaller
from vibescore_server.bill import Pricing
from vibescore_server.heatmap import Cell, WeekStart, first_day
from vibescore_server.heatmap import heatmap as draw
from vibescore_server.queries import usage
from vibescore_server.queries.usage import Scope, Spent
from vibescore_server.routes.words import instant, utc
from vibescore_server.span import Parameters, Span, day_of, number_of, span, word_of, zone_of

MOST_MONTHS = 24
MOST_WEEKS, USUAL_WEEKS = 104, 52
WEEK_STARTS: tuple[WeekStart, ...] = ("sun", "mon")
NOTHING = TokenTotals()

Named = TypeVar("Named", str, tuple[str, str])
Name = Annotated[str, Meta(pattern=r"^[^\x00]*$", description="Only this one; empty: all")]
Day = Annotated[str, Meta(description="A local day, such as 2026-08-10")]

routes = Routes("Usage")


class Asked(Struct):
    """What every question about usage may say; what is empty counts as absent."""

    tz: Annotated[str, Meta(description="IANA name of the time zone, such as Europe/Berlin")] = ""
    tz_offset_minutes: Annotated[
        str, Meta(description="Without tz: minutes to add to UTC, from -840 to 840")
    ] = ""
    source: Name = ""
    model: Name = ""

    @property
    def parameters(self) -> Parameters:
        """As they stand in the address."""
        parameters: dict[str, str] = msgspec.to_builtins(self)
        return parameters


class Days(Asked, rename={"from_": "from"}):
    from_: Day = ""
    to: Day = ""


class OneDay(Asked):
    day: Day = ""


class Months(Asked):
    months: Annotated[str, Meta(description=f"How many, from 1 to {MOST_MONTHS}")] = ""
    to: Day = ""


class Weeks(Asked):
    weeks: Annotated[str, Meta(description=f"How many, from 1 to {MOST_WEEKS}")] = ""
    to: Day = ""
    week_starts_on: Annotated[str, Meta(description=" or ".join(WEEK_STARTS))] = ""


class Tokens(Struct):
    """Counters, as decimal numbers of any length."""

    total_tokens: str
    input_tokens: str
    cached_input_tokens: str
    output_tokens: str
    reasoning_output_tokens: str


class Totals(Tokens):
    total_cost_usd: str


class Summary(Struct, rename={"from_": "from"}):
    from_: date
    to: date
    days: int
    totals: Totals
    pricing: Pricing


class TokensOfDay(Tokens):
    day: date


class Billed(Struct):
    totals: Totals
    pricing: Pricing


class Daily(Struct, rename={"from_": "from"}):
    from_: date
    to: date
    data: list[TokensOfDay]
    summary: Billed


class TokensOfHour(Tokens):
    """A local hour; ``missing`` when no device has synced in it or later (SRV-09)."""

    hour: str
    hour_start_utc: str
    missing: Literal[True] | UnsetType = UNSET


class LastSync(Struct):
    last_sync_at: str | None
    min_interval_minutes: int


class Hourly(Struct):
    day: date
    data: list[TokensOfHour]
    sync: LastSync


class TokensOfMonth(Tokens):
    month: str


class Monthly(Struct, rename={"from_": "from"}):
    from_: date
    to: date
    months: int
    data: list[TokensOfMonth]


class DayCell(Struct):
    day: date
    value: str
    level: int


class Heatmap(Struct, rename={"from_": "from"}):
    from_: date
    to: date
    week_starts_on: WeekStart
    weeks: list[list[DayCell | None]]
    thresholds: list[str]
    active_days: int
    streak_days: int


class ModelTotals(Struct):
    model: str
    totals: Totals


class SourceTotals(Struct):
    source: str
    totals: Totals
    models: list[ModelTotals]


class Breakdown(Struct, rename={"from_": "from"}):
    from_: date
    to: date
    days: int
    sources: list[SourceTotals]
    pricing: Pricing


@routes.get("/functions/vibescore-usage-summary", summary="Tokens and cost of some days")
async def summary(call: Call, user: UserCaller, query: Days) -> Summary:
    asked = span(query.parameters, call.now)
    spent = await call.db.read(usage.by_model, scope(user, query, asked), call.services.tariffs)
    billed = in_all(spent)
    return Summary(asked.first, asked.last, asked.days, billed.totals, billed.pricing)


@routes.get("/functions/vibescore-usage-daily", summary="Tokens by local day")
async def daily(call: Call, user: UserCaller, query: Days) -> Daily:
    asked = span(query.parameters, call.now)
    used, spent = await call.db.read(
        usage.by_day_and_model, scope(user, query, asked), call.services.tariffs
    )
    data = [
        TokensOfDay(*shown(used.get(day, NOTHING)), day) for day in days(asked.first, asked.last)
    ]
    return Daily(asked.first, asked.last, data, in_all(spent))


@routes.get("/functions/vibescore-usage-hourly", summary="Tokens by the local hours of a day")
async def hourly(call: Call, user: UserCaller, query: OneDay) -> Hourly:
    zone = zone_of(query.parameters)
    day = day_of(query.parameters, "day", default=local_day(call.now, zone))
    rows, last_sync = await call.db.read(
        usage.by_half_hour, scope(user, query, Span(day, day, zone))
    )
    used = fold(rows, hour_of, zone)
    synced = None if last_sync is None else hour_of(local_time(last_sync, zone))
    data = [
        TokensOfHour(
            *shown(used.get(hour.period, NOTHING)),
            hour.name,
            instant(int(datetime.fromisoformat(hour.period).timestamp())),
            True if is_missing(hour, last_sync, synced) else UNSET,
        )
        for hour in hours(day, zone)
    ]
    return Hourly(day, data, LastSync(utc(last_sync), call.settings.min_interval_minutes))


def is_missing(hour: Hour, last_sync: int | None, synced: str | None) -> bool:
    """Whether an hour comes after the one (``synced``) that holds the last sync (SRV-09)."""
    return last_sync is None or (hour.start > last_sync and hour.period != synced)


@routes.get("/functions/vibescore-usage-monthly", summary="Tokens by local month")
async def monthly(call: Call, user: UserCaller, query: Months) -> Monthly:
    zone = zone_of(query.parameters)
    last = day_of(query.parameters, "to", default=local_day(call.now, zone))
    count = number_of(query.parameters, "months", most=MOST_MONTHS, default=MOST_MONTHS)
    names = months(last, count)
    first = date.fromisoformat(f"{names[0]}-01")
    by_day = await call.db.read(usage.by_day, scope(user, query, Span(first, last, zone)))
    used = sum_by((day.isoformat()[:7], tokens) for day, tokens in by_day.items())
    data = [TokensOfMonth(*shown(used.get(name, NOTHING)), name) for name in names]
    return Monthly(first, last, count, data)


@routes.get("/functions/vibescore-usage-heatmap", summary="Weeks of local days, in five levels")
async def heatmap(call: Call, user: UserCaller, query: Weeks) -> Heatmap:
    zone = zone_of(query.parameters)
    last = day_of(query.parameters, "to", default=local_day(call.now, zone))
    weeks = number_of(query.parameters, "weeks", most=MOST_WEEKS, default=USUAL_WEEKS)
    begin = word_of(query.parameters, "week_starts_on", WEEK_STARTS)
    first = first_day(last, weeks, begin)
    used = await call.db.read(usage.by_day, scope(user, query, Span(first, last, zone)))
    drawn = draw({day: tokens.total_tokens for day, tokens in used.items()}, first, last)
    return Heatmap(
        first,
        last,
        begin,
        [[cell and cell_of(cell) for cell in week] for week in drawn.weeks],
        [str(threshold) for threshold in drawn.thresholds],
        drawn.active_days,
        drawn.streak_days,
    )


def cell_of(cell: Cell) -> DayCell:
    return DayCell(cell.day, str(cell.value), cell.level)


@routes.get("/functions/vibescore-usage-model-breakdown", summary="Tokens and cost by model")
async def model_breakdown(call: Call, user: UserCaller, query: Days) -> Breakdown:
    asked = span(query.parameters, call.now)
    spent = await call.db.read(usage.by_model, scope(user, query, asked), call.services.tariffs)
    sources = by_source(spent)
    return Breakdown(asked.first, asked.last, asked.days, sources, spent.bill.pricing)


def by_source(spent: Spent) -> list[SourceTotals]:
    """Sources and their models, each of them by tokens; what was retracted is in neither."""
    used = [each for each in spent.usage if each.tokens]
    sources = sum_by((each.source, each.tokens) for each in used)
    models: dict[str, list[ModelTotals]] = {source: [] for source in sources}
    by_model = sum_by(((each.model, each.source), each.tokens) for each in used)
    for (model, source), tokens in most_first(by_model.items()):
        totals = Totals(*shown(tokens), spent.bill.of_model(source, model))
        models[source].append(ModelTotals(model, totals))
    return [
        SourceTotals(source, Totals(*shown(tokens), spent.bill.of_source(source)), models[source])
        for source, tokens in most_first(sources.items())
    ]


def most_first(used: Iterable[tuple[Named, TokenTotals]]) -> list[tuple[Named, TokenTotals]]:
    return sorted(used, key=lambda each: (-each[1].total_tokens, each[0]))


def scope(user: UserCaller, asked: Asked, days: Span) -> Scope:
    """The usage that a question is about; names as ingest keeps them."""
    return Scope(user.id, days, asked.source.strip().lower(), asked.model.strip())


def in_all(spent: Spent) -> Billed:
    """The sum of all that was used, and what it costs."""
    tokens = TokenTotals.total(each.tokens for each in spent.usage)
    return Billed(Totals(*shown(tokens), spent.bill.total_cost_usd), spent.bill.pricing)


def shown(tokens: TokenTotals) -> tuple[str, str, str, str, str]:
    """The counters in the order of ``Tokens``."""
    return (
        str(tokens.total_tokens),
        str(tokens.input_tokens),
        str(tokens.cached_input_tokens),
        str(tokens.output_tokens),
        str(tokens.reasoning_output_tokens),
    )

"""``vibescore report``: usage in local days, from the store alone, without any server (CLI-09)."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from vibescore.cli.asking import Asked, asking, check
from vibescore.cli.table import print_heading, print_table, print_text

if TYPE_CHECKING:
    from datetime import date

    from vibescore.answers import Answer, By, Span, Table, Totals
    from vibescore.report import Usage

NOTHING = "Nothing was collected yet: 'vibescore sync --offline' reads the logs on this computer."
COUNTED = ("Input", "Cached", "Output", "Reasoning", "Total", "Est. cost")
COLUMNS = {
    "overview": ("Source", "Model", *COUNTED),
    "hourly": ("Hour", "Models", *COUNTED),
    "daily": ("Day", "Models", *COUNTED),
    "weekly": ("Week of", "Models", *COUNTED),
    "monthly": ("Month", "Models", *COUNTED),
    "models": ("Source", "Model", *COUNTED, "Share"),
    "sources": ("Source", *COUNTED, "Share"),
}
SPARE = (("Models",), ("Cached", "Reasoning"), ("Input", "Output"), ("Share",))
"""What goes first where there is no room."""
FIELDS = {
    "overview": ("span", "source", "model", "share"),
    "models": ("source", "model", "share"),
    "sources": ("source", "share"),
}
"""What a row of ``--csv`` begins with, beside the period."""


@click.group("report", invoke_without_command=True)
@asking
def command(asked: Asked) -> None:
    """Show today and this week, by source and model.

    With --since or --until it shows those days instead. The options hold for every report. Days
    follow your time zone; costs are estimates from public list prices ('vibescore prices').

    \b
    Examples:
      vibescore report
      vibescore report daily --since 7d
      vibescore report models --since 2026-08-01 --json
    """
    from vibescore.calendar import monday_of

    if asked.selection.names_days:
        _report(asked, lambda usage: usage.overview())
    else:
        week = asked.on(monday_of(asked.today), asked.today)
        _report(week, lambda usage: usage.overview_of_week(asked.today))


@command.command("daily")
@asking
def daily(asked: Asked) -> None:
    """Show each local day with usage.

    \b
    Examples:
      vibescore report daily
      vibescore report daily --since 7d --timezone Asia/Kathmandu
    """
    _by_period(asked, "daily")


@command.command("weekly")
@asking
def weekly(asked: Asked) -> None:
    """Show each week with usage, named by its Monday.

    \b
    Example:
      vibescore report weekly
    """
    _by_period(asked, "weekly")


@command.command("monthly")
@asking
def monthly(asked: Asked) -> None:
    """Show each month with usage.

    \b
    Example:
      vibescore report monthly --csv
    """
    _by_period(asked, "monthly")


@command.command("hourly")
@asking
def hourly(asked: Asked) -> None:
    """Show each local hour with usage, of today.

    With --since or --until it shows those days instead. An hour stands with its offset from UTC,
    because the night that sets clocks back has one hour twice.

    \b
    Examples:
      vibescore report hourly
      vibescore report hourly --since yesterday
    """
    if not asked.selection.names_days:
        asked = asked.on(asked.today, asked.today)
    _by_period(asked, "hourly")


@command.command("models")
@asking
def models(asked: Asked) -> None:
    """Show what each model used, and its share of all tokens.

    \b
    Example:
      vibescore report models --since 7d
    """
    _report(asked, lambda usage: usage.by_model())


@command.command("sources")
@asking
def sources(asked: Asked) -> None:
    """Show what each source used, and its share of all tokens.

    \b
    Example:
      vibescore report sources
    """
    _report(asked, lambda usage: usage.by_source())


def _by_period(asked: Asked, by: "By") -> None:
    _report(asked, lambda usage: usage.by_period(by))


def _report(asked: Asked, make: Callable[["Usage"], "Answer"]) -> None:
    from vibescore.prices import load_prices
    from vibescore.report import Usage, spent

    prices = load_prices(asked.app.home)
    with asked.app.store() as store:
        rows = [row for row in store.rows() if row[1]] if store else []
    check(asked.selection, (bucket for bucket, _ in rows))
    its = spent(rows, asked.selection, prices.in_layers())
    answer = make(Usage(its, asked.selection, prices.as_of))
    if asked.form == "json":
        _print_json(answer)
    elif asked.form == "csv":
        _print_csv(answer)
    elif rows:
        _print_tables(answer)
    else:
        click.echo(NOTHING)


def _print_json(answer: "Answer") -> None:
    from msgspec import json

    click.echo(json.format(json.encode(answer)))


def _print_csv(answer: "Answer") -> None:
    """A heading and the rows, no totals: the sum of a column is the sum of its rows."""
    import csv

    from msgspec.structs import asdict

    from vibescore.answers import Totals

    fields = (*FIELDS.get(answer.report, ("period",)), *Totals.__struct_fields__)
    writer = csv.DictWriter(sys.stdout, fields, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for part in _parts(answer):
        span = {"span": getattr(part, "name", None)}
        writer.writerows(span | asdict(row) | asdict(row.totals) for row in part.rows)


def _parts(answer: "Answer") -> "Sequence[Span | Table]":
    """What becomes a table of its own."""
    from vibescore.answers import Overview

    return answer.spans if isinstance(answer, Overview) else [answer]


def _print_tables(answer: "Answer") -> None:
    from vibescore.answers import Span

    for part in _parts(answer):
        if isinstance(part, Span):
            print_heading(_title(part))
        if part.rows:
            _print_table(COLUMNS[answer.report], part)
        else:
            click.echo("  no usage\n")
    for note in _notes(answer):
        print_text(note)


def _title(span: "Span") -> str:
    if span.name == "today":
        return f"Today, {span.since:%A} {span.since}"
    if span.name == "week":
        return f"This week, since Monday {span.since}"
    return f"Usage {_days(span.since, span.until)}"


def _print_table(headings: Sequence[str], part: "Span | Table") -> None:
    first = headings.index(COUNTED[0])
    print_table(
        headings,
        [[CELLS[heading](row) for heading in headings] for row in part.rows],
        numbers=len(headings) - first,
        total=["Total", *(CELLS[h](part) if h in COUNTED else "" for h in headings[1:])],
        spare=SPARE,
    )


def _notes(answer: "Answer") -> Iterator[str]:
    """What the numbers are, and what they leave out."""
    unit = "hour" if answer.report == "hourly" else "day"
    days = "" if answer.report == "overview" else _days(answer.since, answer.until)
    limits = [days, *_only(answer.sources), *_only(answer.models)]
    shown = "".join(f", {limit}" for limit in limits if limit)
    yield (
        f"Tokens by local {unit} ({answer.timezone}){shown}. Costs are estimates in USD from list "
        f"prices of {answer.prices_as_of} ('vibescore prices')."
    )
    if names := ", ".join(answer.unpriced_models):
        yield f"No price is known for {names}: costs leave it out (≥), or there is none (–)."


def _only(names: Sequence[str]) -> Iterator[str]:
    if names:
        yield f"only {' and '.join(names)}"


def _days(since: "date | None", until: "date | None") -> str:
    if since == until:
        return f"on {since}" if since else ""
    ends = (("from", since), ("to", until))
    return " ".join(f"{word} {day}" for word, day in ends if day)


def _period(period: str) -> str:
    """``2026-10-25 01:00 +02:00``; other periods as they are."""
    return f"{period[:10]} {period[11:16]} {period[16:]}".rstrip()


def _cost(totals: "Totals") -> str:
    """``≥`` before a cost that leaves out tokens without a price; ``–`` when it would be all."""
    if totals.cost_usd is None:
        return "–"
    from decimal import Decimal

    usd = Decimal(totals.cost_usd)
    shown = "<$0.01" if 0 < usd < Decimal("0.005") else f"${usd:,.2f}"
    return f"≥{shown}" if totals.unpriced_tokens else shown


CELLS: Mapping[str, Callable[[Any], str]] = {
    "Source": lambda row: row.source,
    "Model": lambda row: row.model,
    "Models": lambda row: ", ".join(row.models),
    **dict.fromkeys(("Hour", "Day", "Week of", "Month"), lambda row: _period(row.period)),
    "Input": lambda row: f"{row.totals.input_tokens:,}",
    "Cached": lambda row: f"{row.totals.cached_input_tokens:,}",
    "Output": lambda row: f"{row.totals.output_tokens:,}",
    "Reasoning": lambda row: f"{row.totals.reasoning_output_tokens:,}",
    "Total": lambda row: f"{row.totals.total_tokens:,}",
    "Est. cost": lambda row: _cost(row.totals),
    "Share": lambda row: f"{row.share:.1%}",
}
"""What stands below each heading."""

"""``vibescore report``: usage in local days, from the store alone, without any server (CLI-09)."""

import json
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from vibescore.cli.app import App, pass_app
from vibescore.cli.table import print_heading, print_table

if TYPE_CHECKING:
    from vibescore.model import Bucket, TokenTotals

HEADINGS = ("Input", "Cached", "Output", "Reasoning", "Total")
NOTHING = "Nothing was collected yet: 'vibescore sync --offline' reads the logs on this computer."

Rows = list[tuple["Bucket", "TokenTotals"]]


@click.group("report", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """Show today and this week, by source and model, in this computer's time zone.

    \b
    Examples:
      vibescore report
      vibescore report daily
      vibescore report daily --json
    """
    if ctx.invoked_subcommand is None:
        _overview(ctx.obj, as_json)


@command.command("daily")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@pass_app
def daily(app: App, as_json: bool) -> None:
    """Show each local day with usage.

    \b
    Example:
      vibescore report daily
    """
    from vibescore.calendar import fold_days
    from vibescore.model import ZERO

    rows = _rows(app)
    days = sorted(fold_days(((bucket.start, tokens) for bucket, tokens in rows), None).items())
    total = sum((tokens for _, tokens in days), ZERO)
    if as_json:
        listed = [{"day": day.isoformat(), **_fields(tokens)} for day, tokens in days]
        _print_json({"timezone": _zone(), "days": listed, "total": _fields(total)})
    elif not days:
        click.echo(NOTHING)
    else:
        table = [[day.isoformat(), *_numbers(tokens)] for day, tokens in days]
        print_table(("Day", *HEADINGS), table, numbers=5, total=("Total", *_numbers(total)))
        click.echo(f"Tokens by local day ({_zone()}).")


def _overview(app: App, as_json: bool) -> None:
    from vibescore.calendar import local_day, week_of

    today = local_day(time.time(), None)
    monday = week_of(today)
    rows = [pair for pair in _rows(app) if monday <= local_day(pair[0].start, None) <= today]
    todays = [pair for pair in rows if local_day(pair[0].start, None) == today]
    if as_json:
        week = {
            "from": monday.isoformat(),
            "to": (monday + timedelta(days=6)).isoformat(),
            **_period(rows),
        }
        _print_json(
            {
                "timezone": _zone(),
                "today": {"day": today.isoformat(), **_period(todays)},
                "week": week,
            }
        )
        return
    _print_period(f"Today, {today:%A} {today.isoformat()}", todays)
    _print_period(f"This week, since Monday {monday.isoformat()}", rows)
    click.echo(f"Tokens by local day ({_zone()}). 'vibescore report daily' shows every day.")


def _rows(app: App) -> Rows:
    with app.store() as store:
        return [pair for pair in store.rows() if pair[1]] if store else []


def _by_model(rows: Rows) -> dict[tuple[str, str], "TokenTotals"]:
    from vibescore.model import ZERO

    sums: dict[tuple[str, str], TokenTotals] = {}
    for bucket, tokens in rows:
        key = (bucket.source, bucket.model)
        sums[key] = sums.get(key, ZERO) + tokens
    return dict(sorted(sums.items(), key=lambda item: (-item[1].total_tokens, item[0])))


def _sum(sums: Iterable["TokenTotals"]) -> "TokenTotals":
    from vibescore.model import ZERO

    return sum(sums, ZERO)


def _period(rows: Rows) -> dict[str, Any]:
    sums = _by_model(rows)
    models = [
        {"source": source, "model": model, **_fields(sums[source, model])} for source, model in sums
    ]
    return {"models": models, "total": _fields(_sum(sums.values()))}


def _print_period(title: str, rows: Rows) -> None:
    print_heading(title)
    sums = _by_model(rows)
    if not sums:
        click.echo("  no usage\n")
        return
    table = [[*key, *_numbers(tokens)] for key, tokens in sums.items()]
    total = ("Total", "", *_numbers(_sum(sums.values())))
    print_table(("Source", "Model", *HEADINGS), table, numbers=5, total=total)


def _fields(tokens: "TokenTotals") -> dict[str, int]:
    from msgspec.structs import asdict

    return asdict(tokens)


def _numbers(tokens: "TokenTotals") -> list[str]:
    return [f"{count:,}" for count in tokens.counters]


def _print_json(value: dict[str, Any]) -> None:
    click.echo(json.dumps(value, indent=2))


def _zone() -> str:
    """The local time zone as people write it: name and offset from UTC."""
    now = datetime.now(UTC).astimezone()
    return "UTC" if now.tzname() == "UTC" else f"{now.tzname()}, UTC{now.isoformat()[-6:]}"

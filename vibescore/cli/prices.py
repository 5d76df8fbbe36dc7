"""``vibescore prices``: what the estimated costs are made of (CLI-09, SRV-12)."""

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from vibescore.cli.app import App, pass_app
from vibescore.cli.table import print_table, print_text

if TYPE_CHECKING:
    from vibescore.prices import Prices
    from vibescore.pricing import Price

RATES = ("input", "cached_input", "output", "reasoning")
COLUMNS = {
    "Model": "model",
    "Source": "source",
    "From": "from",
    "Origin": "origin",
    "Input": "input",
    "Cached": "cached_input",
    "Output": "output",
    "Reasoning": "reasoning",
}
SPARE = (("Reasoning",), ("Origin",))


@click.command("prices")
@click.argument("model", required=False)
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@pass_app
def command(app: App, model: str | None, as_json: bool) -> None:
    """Show the prices behind the estimated costs.

    With MODEL it shows those that this model can be billed by, and those of models whose name
    contains it. They are in USD per million tokens.

    A model is looked up by its name; without a date, -preview or -latest at its end; and without
    a provider such as openai/ before it. Prices of your own come first. They stand in prices.toml
    in the home, one entry for each:

    \b
      [[price]]
      model = "my-model"       # source = "codex" and from = 2026-08-01 are optional
      input = 1.25
      cached_input = 0.125     # as input, unless it is there
      output = 10              # reasoning costs the same, unless it is there

    \b
    Examples:
      vibescore prices
      vibescore prices gpt-5.2-codex
    """
    from vibescore.prices import OWN, load_prices

    prices = load_prices(app.home)
    rows = [row for row in _rows(prices) if model is None or _is_meant(row["model"], model)]
    own = app.home / OWN
    if as_json:
        shown = {"as_of": prices.as_of.isoformat(), "own_file": str(own), "prices": rows}
        click.echo(json.dumps(shown, indent=2, ensure_ascii=False))
        return
    if rows:
        _print_table(rows)
    else:
        print_text(f"No price is known for {model!r}.")
    print_text(
        f"USD per million tokens. The bundled list is of {prices.as_of}; prices of your own go to "
        f"{app.short(own)} ('vibescore prices --help' shows how)."
    )


def _rows(prices: "Prices") -> list[dict[str, Any]]:
    return [
        *(_row(price, "your file") for price in prices.own),
        *(_row(price, "bundled") for price in prices.bundled),
    ]


def _row(price: "Price", origin: str) -> dict[str, Any]:
    from decimal import Decimal

    from vibescore.pricing import exact

    since = None if price.effective_from == date.min else price.effective_from.isoformat()
    usd = (exact(Decimal(rate).scaleb(-6)) for rate in price.rates)
    named = {"model": price.model, "source": price.source, "from": since, "origin": origin}
    return named | dict(zip(RATES, usd, strict=True))


def _is_meant(name: str, model: str) -> bool:
    from vibescore.pricing import spellings

    return model.lower() in name.lower() or name in spellings(model)


def _print_table(rows: list[dict[str, Any]]) -> None:
    """A column that would be empty is left out."""
    used = {heading: name for heading, name in COLUMNS.items() if any(row[name] for row in rows)}
    cells = [[row[name] or "" for name in used.values()] for row in rows]
    print_table(list(used), cells, numbers=len(RATES), spare=SPARE)

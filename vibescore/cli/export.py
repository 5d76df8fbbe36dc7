"""``vibescore export``: the half-hour rows, for other programs."""

import json
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from vibescore.cli.app import App, pass_app

if TYPE_CHECKING:
    from vibescore.model import Bucket, TokenTotals

FIELDS = (
    "source",
    "model",
    "hour_start",
    "input_tokens",
    "cached_input_tokens",
    "output_tokens",
    "reasoning_output_tokens",
    "total_tokens",
)


@click.command("export")
@click.option(
    "--format", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl", help="Default: jsonl."
)
@click.option("--all", "everything", is_flag=True, help="Also rows that were set back to zero.")
@pass_app
def command(app: App, form: str, everything: bool) -> None:
    """Print the half-hour sums, one row for each source, model and UTC half-hour.

    \b
    Examples:
      vibescore export > usage.jsonl
      vibescore export --format csv > usage.csv
    """
    with app.store() as store:
        rows = (row(*pair) for pair in (store.rows() if store else ()) if everything or pair[1])
        (_print_csv if form == "csv" else _print_json)(rows)


def row(bucket: "Bucket", tokens: "TokenTotals") -> dict[str, Any]:
    """A published row with the names of the wire."""
    from vibescore.model import iso_utc

    values = (bucket.source, bucket.model, iso_utc(bucket.start), *tokens.counters)
    return dict(zip(FIELDS, values, strict=True))


def as_line(each: dict[str, Any]) -> str:
    """A row as JSON, as it is sent."""
    return json.dumps(each, ensure_ascii=False, separators=(",", ":"))


def _print_json(rows: Iterable[dict[str, Any]]) -> None:
    for each in rows:
        click.echo(as_line(each))


def _print_csv(rows: Iterable[dict[str, Any]]) -> None:
    import csv

    writer = csv.DictWriter(sys.stdout, FIELDS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)

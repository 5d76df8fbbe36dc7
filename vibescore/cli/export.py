"""``vibescore export``: the half-hour rows, for other programs."""

import sys
from collections.abc import Iterable
from typing import Any

import click

from vibescore.cli.app import App, pass_app


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
    from vibescore.wire import row

    with app.store() as store:
        rows = (row(*pair) for pair in (store.rows() if store else ()) if everything or pair[1])
        (_print_csv if form == "csv" else _print_json)(rows)


def _print_json(rows: Iterable[dict[str, Any]]) -> None:
    from vibescore.wire import as_line

    for each in rows:
        click.echo(as_line(each))


def _print_csv(rows: Iterable[dict[str, Any]]) -> None:
    import csv

    from vibescore.wire import FIELDS

    writer = csv.DictWriter(sys.stdout, FIELDS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)

"""Tables for people: aligned, plain when piped, without colour where nobody wants any (CLI-11)."""

import os
import sys
from collections.abc import Sequence

import click

WIDTH_WHEN_PIPED = 200


def print_table(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    numbers: int = 0,
    total: Sequence[str] = (),
) -> None:
    """Print rows under their headings; the last ``numbers`` columns are right-aligned, ``total``
    is set apart.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    console = Console(
        color_system="auto" if _is_styled() else None,
        width=None if sys.stdout.isatty() else WIDTH_WHEN_PIPED,
        highlight=False,
        markup=False,
        emoji=False,
    )
    table = Table(
        box=SIMPLE_HEAD,
        show_footer=bool(total),
        header_style="bold",
        footer_style="bold",
        pad_edge=False,
    )
    for place, heading in enumerate(headings):
        right = place >= len(headings) - numbers
        table.add_column(
            heading,
            total[place] if total else "",
            justify="right" if right else "left",
            no_wrap=right,
            overflow="fold",
        )
    for row in rows:
        table.add_row(*row)
    with console.capture() as capture:
        console.print(table)
    for line in capture.get().splitlines():
        click.echo(line.rstrip())


def print_heading(text: str) -> None:
    """Print a line that stands above a table."""
    click.secho(text, bold=True) if _is_styled() else click.echo(text)


def _is_styled() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")

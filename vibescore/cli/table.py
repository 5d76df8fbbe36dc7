"""Tables for people: aligned, plain when piped, without colour where nobody wants any (CLI-11)."""

import os
import sys
import textwrap
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, NamedTuple

import click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

WIDTH_WHEN_PIPED = 200
LEAST_TEXT = 12
"""How far a column of text may be folded."""
GAP = 3


class Column(NamedTuple):
    """A column: its heading, its cells, and what stands below them."""

    heading: str
    cells: Sequence[str]
    total: str
    is_number: bool

    @property
    def width(self) -> int:
        """How wide it is when nothing is folded, with the space before it."""
        from rich.cells import cell_len

        return GAP + max(map(cell_len, (self.heading, self.total, *self.cells)))

    @property
    def least_width(self) -> int:
        """How narrow it may become."""
        return self.width if self.is_number else min(self.width, LEAST_TEXT)


def print_table(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    numbers: int = 0,
    total: Sequence[str] = (),
    spare: Sequence[Collection[str]] = (),
) -> None:
    """Print rows under their headings; the last ``numbers`` columns are right-aligned, ``total``
    is set apart.

    Where the terminal is too narrow, the columns of ``spare`` go, one group after the other; then
    text is folded. A number is never cut: rather a line gets longer than the terminal.
    """
    first = len(headings) - numbers
    columns = [
        Column(heading, [row[at] for row in rows], total[at] if total else "", at >= first)
        for at, heading in enumerate(headings)
    ]
    console = _console()
    columns = _fitting(columns, spare, console.width)
    console.width = max(console.width, sum(column.least_width for column in columns))
    with console.capture() as capture:
        console.print(_table(columns, shows_total=bool(total)))
    for line in capture.get().splitlines():
        click.echo(line.rstrip())


def _fitting(columns: list[Column], spare: Sequence[Collection[str]], width: int) -> list[Column]:
    for group in spare:
        if sum(column.width for column in columns) <= width:
            break
        columns = [column for column in columns if column.heading not in group]
    return columns


def _console() -> "Console":
    from rich.console import Console

    return Console(
        color_system="auto" if _is_styled() else None,
        width=None if sys.stdout.isatty() else WIDTH_WHEN_PIPED,
        highlight=False,
        markup=False,
        emoji=False,
    )


def _table(columns: Sequence[Column], *, shows_total: bool) -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(
        box=SIMPLE_HEAD,
        show_footer=shows_total,
        header_style="bold",
        footer_style="bold",
        pad_edge=False,
    )
    for column in columns:
        table.add_column(
            column.heading,
            column.total,
            justify="right" if column.is_number else "left",
            no_wrap=column.is_number,
            overflow="fold",
        )
    for row in zip(*(column.cells for column in columns), strict=True):
        table.add_row(*row)
    return table


def print_text(text: str) -> None:
    """Print a paragraph, folded between words where somebody watches."""
    if sys.stdout.isatty():
        import shutil

        width = shutil.get_terminal_size().columns
        text = textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False)
    click.echo(text)


def print_heading(text: str) -> None:
    """Print a line that stands above a table."""
    click.secho(text, bold=True) if _is_styled() else click.echo(text)


def _is_styled() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")

"""Asking before anything is changed (CLI-03)."""

import sys

import click


def ask(question: str, *, is_given: bool) -> None:
    """Go on if somebody says so, or said so before. Ends with 1 when the answer is no, and with 2
    where nobody can be asked.
    """
    if is_given:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(
            "Nobody can be asked here: --yes does what is said above, --dry-run only says it."
        )
    if not click.confirm(question):
        click.echo("Nothing was changed.")
        raise click.exceptions.Exit(1)

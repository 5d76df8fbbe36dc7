"""The ``vibescore-server`` command: one command a file, imported when it is called."""

import importlib
import sys
import time
from collections.abc import Callable

import click

from vibescore_server.errors import ApiError

COMMANDS = ("run", "migrate", "user", "jobs", "settings", "openapi")


class LazyGroup(click.Group):
    """Imports a command's module when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"vibescore_server.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Keeps the half-hour sums that vibescore sends, and answers what was used.

    \b
    Examples:
      vibescore-server run                     on this computer, SQLite, no settings
      vibescore-server user create me@example.org --admin
      vibescore-server jobs run leaderboard
      vibescore-server migrate --check
    """


def main(now: Callable[[], float] = time.time) -> None:
    """Run the command line; an error ends here, as a plain sentence. ``now`` gives UTC seconds."""
    try:
        cli(prog_name="vibescore-server", obj=now)
    except ApiError as error:
        click.echo(f"vibescore-server: {error}", err=True)
        sys.exit(1)

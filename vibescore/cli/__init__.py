"""The ``vibescore`` command: one command a file, imported when it is called."""

import importlib
import os
import sys
from contextlib import suppress
from typing import NoReturn

import click

from vibescore import __version__
from vibescore.cli.app import App
from vibescore.errors import UploadError, VibescoreError

COMMANDS = (
    "init",
    "up",
    "sync",
    "report",
    "status",
    "doctor",
    "prices",
    "export",
    "plugins",
    "config",
    "unlink",
    "uninstall",
    "completion",
)


class LazyGroup(click.Group):
    """Imports a command's module when it is asked for; other distributions may add commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS, *sorted(_installed().keys() - set(COMMANDS))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return _added(cmd_name)
        command = importlib.import_module(f"vibescore.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            hint = f"{error.message} 'vibescore --help' lists them all."
            raise click.UsageError(hint, ctx) from error


def _installed() -> dict[str, str]:
    from vibescore.cli.installed import installed_commands

    return installed_commands(App.here().home)


def _added(name: str) -> click.Command | None:
    """A command of another distribution, such as the server's ``serve``."""
    from vibescore.cli.installed import load_command

    place = _installed().get(name)
    return load_command(name, place) if place else None


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, message="vibescore %(version)s")
@click.option(
    "--debug", is_flag=True, help="Show the trace behind an error (or VIBESCORE_DEBUG=1)."
)
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> None:
    """Token usage of your AI coding tools, counted from their logs on this computer.

    Only sums leave the logs: never what was said, typed or done.

    \b
    Examples:
      vibescore init --dry-run     what linking this computer to a server would change
      vibescore sync --offline     collect what the tools wrote since the last time
      vibescore report             today and this week
      vibescore report daily       day by day
    """
    ctx.obj = App.here(debug=debug)
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def program() -> NoReturn:
    """The installed program: it ends at once. Nothing is left to tidy up, and taking Python down in
    order takes as long as looking at 500 log files.
    """
    code: object = 1
    try:
        main()
    except SystemExit as ended:
        code = ended.code
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # nobody listens any more
            stream.flush()
    os._exit(code if isinstance(code, int) else 0)


def main() -> None:
    """Run the command line; every error ends here, as one plain sentence (CLI-05)."""
    try:
        code = cli.main(prog_name="vibescore", standalone_mode=False)
    except click.exceptions.Abort:
        _fail("Stopped. What was collected so far is kept; nothing is lost.", 130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except Exception as error:
        _explain(error)
    sys.exit(code if isinstance(code, int) else 0)


def _explain(error: Exception) -> None:
    debug = App.here(debug="--debug" in sys.argv).wants_debug
    if debug:
        import traceback

        traceback.print_exception(error)
        _show_answer(error)
    if isinstance(error, VibescoreError):
        _fail(f"vibescore: {error}", 1)
    hint = "" if debug else " 'vibescore --debug …' shows where."
    _fail(f"vibescore: this is a mistake in vibescore itself ({type(error).__name__}).{hint}", 1)


def _show_answer(error: Exception) -> None:
    """What the server answered (CLI-05)."""
    if isinstance(error, UploadError):
        for name, value in (("Status", error.status), ("Code", error.code)):
            if value is not None:
                click.echo(f"{name}: {value}", err=True)


def _fail(text: str, code: int) -> NoReturn:
    click.echo(text, err=True)
    sys.exit(code)

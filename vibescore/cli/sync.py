"""``vibescore sync``: read what is new in the logs."""

import time
from typing import TYPE_CHECKING

import click

from vibescore.cli.app import App, on_terminal, pass_app

if TYPE_CHECKING:
    from vibescore.collect import Progress, Summary

SECONDS_TO_WAIT = 600


@click.command("sync")
@click.option("--offline", is_flag=True, help="Only collect; upload nothing.")
@click.option("--rebuild", is_flag=True, help="Count all logs that still exist again.")
@click.option("--quiet", "-q", is_flag=True, help="Say nothing unless something fails.")
@pass_app
def command(app: App, offline: bool, rebuild: bool, quiet: bool) -> None:
    """Collect what the tools wrote since the last sync.

    Half-hours whose logs are gone keep their totals, also with --rebuild.

    \b
    Examples:
      vibescore sync --offline
      vibescore sync --offline --rebuild
    """
    from vibescore.collect import collect
    from vibescore.lock import exclusive
    from vibescore.plugins import FAILED, INCOMPATIBLE, LOADED
    from vibescore.store import Store

    app.make_home()
    plugins = app.plugins()
    with (
        exclusive(app.lock_path, wait=SECONDS_TO_WAIT, waiting=lambda: _waiting(quiet)),
        Store.open(app.store_path) as store,
        _progress(quiet) as progress,
    ):
        summary = collect(
            store, plugins, app.environment, now=time.time(), rebuild=rebuild, progress=progress
        )
    for plugin in plugins:
        if plugin.state in (FAILED, INCOMPATIBLE):
            click.echo(f"Plugin {plugin.name} was left out: {plugin.problem}", err=True)
    if not any(plugin.state == LOADED for plugin in plugins):
        click.echo(
            "No plugin is in use, so nothing was read: pip install 'vibescore[all]' brings them.",
            err=True,
        )
    if not quiet:
        _tell(app, summary)
        if not offline:
            click.echo("This computer is not linked to a server, so nothing was uploaded.")


def _waiting(quiet: bool) -> None:
    if not quiet:
        click.echo("Another sync is running; waiting for it to end.", err=True)


def _tell(app: App, summary: "Summary") -> None:
    if summary.changed_rows:
        click.echo(
            f"Read {summary.files_read:,} of {summary.files:,} log files: "
            f"{summary.events:,} usage events, {summary.changed_rows:,} half-hour rows changed."
        )
    else:
        places = ", ".join(map(app.short, summary.roots))
        where = f"in {summary.files:,} log files" if summary.files else f"below {places}"
        click.echo(f"Nothing new {where}: 0 inserted, nothing to upload.")
    for problem in summary.problems[:3]:
        where = f"{app.short(problem.path)}: " if problem.path else ""
        click.echo(f"Left out: {where}{problem.what}", err=True)
    if len(summary.problems) > 3:
        more = len(summary.problems) - 3
        click.echo(f"… and {more:,} more: 'vibescore status --diagnostics' lists them.", err=True)


def _progress(quiet: bool) -> "Progress":
    """A bar with rate and time left when somebody watches (CLI-10)."""
    if quiet or not on_terminal():
        from vibescore.collect import NoProgress

        return NoProgress()
    from vibescore.cli.progress import Bar

    return Bar()

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
    app.make_home()
    if rebuild or not _found_nothing_new(app, quiet):
        _collect(app, rebuild=rebuild, quiet=quiet)
    if not (quiet or offline):
        click.echo("This computer is not linked to a server, so nothing was uploaded.")


def _found_nothing_new(app: App, quiet: bool) -> bool:
    """Whether that can be told, and was told, without loading a plugin."""
    from vibescore.survey import nothing_new

    if app.settings.trace_plugins:
        return False
    last = nothing_new(app.store_path, app.depends, now=time.time())
    if last is not None and not quiet:
        _tell_nothing_new(app, last["files"], last["roots"])
    return last is not None


def _collect(app: App, *, rebuild: bool, quiet: bool) -> None:
    from vibescore.collect import collect
    from vibescore.lock import exclusive
    from vibescore.plugins import FAILED, INCOMPATIBLE, LOADED
    from vibescore.store import Store
    from vibescore.survey import OUTLOOK

    plugins = app.plugins()
    with (
        exclusive(app.lock_path, wait=SECONDS_TO_WAIT, waiting=lambda: _waiting(quiet)),
        Store.open(app.store_path) as store,
        _progress(quiet) as progress,
    ):
        summary = collect(
            store,
            plugins,
            app.environment,
            now=time.time(),
            rebuild=rebuild,
            progress=progress,
        )
        if summary.outlook:
            key = app.depends(summary.outlook)
            store.keep(OUTLOOK, summary.outlook._replace(depends=key))
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
        _tell_nothing_new(app, summary.files, summary.roots)
    for problem in summary.problems[:3]:
        where = f"{app.short(problem.path)}: " if problem.path else ""
        click.echo(f"Left out: {where}{problem.what}", err=True)
    if len(summary.problems) > 3:
        more = len(summary.problems) - 3
        click.echo(f"… and {more:,} more: 'vibescore status --diagnostics' lists them.", err=True)


def _tell_nothing_new(app: App, files: int, roots: list[str]) -> None:
    where = f"in {files:,} log files" if files else f"below {', '.join(map(app.short, roots))}"
    click.echo(f"Nothing new {where}: 0 inserted, nothing to upload.")


def _progress(quiet: bool) -> "Progress":
    """A bar with rate and time left when somebody watches (CLI-10)."""
    if quiet or not on_terminal():
        from vibescore.collect import NoProgress

        return NoProgress()
    from vibescore.cli.progress import Bar

    return Bar()

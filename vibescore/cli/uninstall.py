"""``vibescore uninstall``: give the tools back what they had (NTF-03)."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import click

from vibescore.cli.app import App, pass_app

OWN = (
    "vibescore.db*",
    "*.snapshot.json",
    "*.lock",
    ".link.*",
    "bin",
    "config.toml",
    "link.json",
    "notify",
    "prices.toml",
    "retry",
    ".retry.*",
    "runtime",
    "server.log",
)
"""All that vibescore, or its user for it, puts into the home."""


@click.command("uninstall")
@click.option("--purge", is_flag=True, help="Also remove what was collected, settings and link.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@pass_app
def command(app: App, purge: bool, yes: bool) -> None:
    """Put back what the tools called before, and stop all that runs by itself.

    What was collected stays, unless --purge removes it; the program itself goes as it came, for
    instance with 'pipx uninstall vibescore'.

    \b
    Examples:
      vibescore uninstall
      vibescore uninstall --yes --purge
    """
    from vibescore.cli.consent import ask
    from vibescore.cli.setting_up import tell_done
    from vibescore.notify import Entries
    from vibescore.plugins import notify_targets
    from vibescore.retry import cancel

    entries, targets = Entries(app.home), notify_targets(app.plugins(), app.environment)
    _announce(app, entries.installed(targets), purge=purge)
    ask("Go on?", is_given=yes)
    cancel(app.home)
    done = entries.remove(targets)
    tell_done(app, done, "is as it was before")
    _remove_runtime(app)
    if any(each.problem for each in done):
        click.echo(
            "Mend what is said above, and run this again; nothing else was removed.", err=True
        )
        raise click.exceptions.Exit(1)
    if purge:
        _purge(app)
    else:
        click.echo(f"What was collected stays in {app.short(app.home)}.")


def _announce(app: App, configs: list[Path], *, purge: bool) -> None:
    click.echo("Settings that get back what was there before:" if configs else "No tool calls us.")
    for config in configs:
        click.echo(f"  {app.short(config)}")
    if purge:
        click.echo(f"Everything that vibescore keeps in {app.short(app.home)} will be REMOVED.")


def _remove_runtime(app: App) -> None:
    """The environment that only the tools called, unless it is the one that runs this."""
    from vibescore.runtime import FOLDER

    folder = app.home / FOLDER
    if Path(sys.prefix).resolve() != folder.resolve():
        shutil.rmtree(folder, ignore_errors=True)


def _purge(app: App) -> None:
    """Remove our files, and the home if nobody else's are in it. A sync that runs ends first."""
    from vibescore.lock import exclusive

    if not app.home.is_dir():
        return
    with exclusive(app.lock_path, wait=60):
        for path in _own(app.home):
            _remove(path)
    with suppress(OSError):
        app.home.rmdir()
    if app.home.exists():
        click.echo(f"In {app.short(app.home)} only files stay that are not vibescore's.")
    else:
        click.echo(f"{app.short(app.home)} is gone.")


def _own(home: Path) -> Iterator[Path]:
    for pattern in OWN:
        yield from home.glob(pattern)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()

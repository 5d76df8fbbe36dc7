"""``vibescore unlink``: forget the server."""

import click

from vibescore.cli.app import App, pass_app
from vibescore.link import FILE, VARIABLE, forget_link


@click.command("unlink")
@pass_app
def command(app: App) -> None:
    """Forget the server that this computer is linked to.

    What was collected stays, here and there; syncs go on collecting. The server takes the device's
    token until you revoke the device there.

    \b
    Example:
      vibescore unlink
    """
    from vibescore.cli.setting_up import saved_link
    from vibescore.retry import cancel

    link = saved_link(app)
    was_there = (app.home / FILE).exists()
    forget_link(app.home)
    cancel(app.home)
    if link:
        click.echo(
            f"This computer is no longer linked to {link.server}. Revoke it there, among your "
            "devices, if its token should not work any more."
        )
    elif was_there:
        click.echo("What was kept of a link could not be used, and is gone.")
    else:
        click.echo("This computer is not linked to a server.")
    if app.variables.get(VARIABLE, "").strip():
        click.echo(f"{VARIABLE} is set and still links it: unset it, too.", err=True)

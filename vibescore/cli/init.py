"""``vibescore init``: link this computer, and have the tools call vibescore (CLI-03)."""

import click

from vibescore.cli.app import App, pass_app
from vibescore.cli.setting_up import Setup, Wish
from vibescore.throttle import Effort


@click.command("init")
@click.option("--server", metavar="URL", help="The server to link to (setting 'server').")
@click.option("--link-code", metavar="CODE", help="Link by a code that the server shows you.")
@click.option("--no-browser", is_flag=True, help="Show a code to approve in a browser elsewhere.")
@click.option("--device-name", metavar="NAME", help="How this computer is called there.")
@click.option("--no-notify", is_flag=True, help="Leave the settings of the tools alone.")
@click.option(
    "--runtime",
    type=click.Choice(["auto", "this", "own"]),
    default="auto",
    help="What tools call: this installation, or one of their own in vibescore's home. auto: their "
    "own where this one will be thrown away.",
)
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@pass_app
def command(
    app: App,
    server: str | None,
    link_code: str | None,
    no_browser: bool,
    device_name: str | None,
    no_notify: bool,
    runtime: str,
    yes: bool,
    dry_run: bool,
) -> None:
    """Link this computer to a server, have the tools call vibescore after each turn, and sync.

    Says what it will do, and asks. Once more repairs what is missing; a computer that is linked
    stays the device it is. VIBESCORE_DEVICE_TOKEN links without a dialogue.

    \b
    Examples:
      vibescore init --server https://vibescore.example
      vibescore init --dry-run
      vibescore init --no-browser      on a computer without a browser
      vibescore init --yes --link-code ABCD-EFGH-JKLM
    """
    from vibescore.cli.consent import ask
    from vibescore.cli.sync import Sync

    wish = Wish(server, link_code, device_name, no_browser, no_notify, runtime)
    setup = Setup.of(app, wish)
    setup.tell()
    click.echo("Then the logs are read, and sums of tokens are uploaded: never what was said.")
    if dry_run:
        click.echo("Nothing was changed: this was a dry run.")
        return
    ask("Go on?", is_given=yes)
    link = setup.carry_out()
    Sync(app, link, Effort.MANUAL, is_quiet=False).run(rebuild=False)
    click.echo(f"Done. Your usage: {link.server}")

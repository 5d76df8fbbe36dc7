"""``vibescore up``: everything on this computer, the server too."""

import getpass
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from vibescore.cli.app import App, pass_app
from vibescore.cli.setting_up import Setup, Way, Wish
from vibescore.errors import ConfigError, Retryable, Unauthorized
from vibescore.throttle import Effort

if TYPE_CHECKING:
    from vibescore.embedded import Embedded

LOG = "server.log"


class Options(NamedTuple):
    """Where the server is: its port, and the folder with its data, None for the usual one."""

    port: int
    data_dir: Path | None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def variables(self) -> dict[str, str]:
        """As every command of the server's program takes them."""
        named = {"PORT": str(self.port)}
        if self.data_dir:
            named["DATA_DIR"] = str(self.data_dir.absolute())
        return {f"VIBESCORE_SERVER_{name}": text for name, text in named.items()}


@click.command("up")
@click.option("--port", type=click.IntRange(0, 65535), default=8390, help="8390; 0: any free one.")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Holds the server's SQLite file.")
@click.option("--no-notify", is_flag=True, help="Leave the settings of the tools alone.")
@click.option(
    "--runtime",
    type=click.Choice(["auto", "this", "own"]),
    default="auto",
    help="What tools call, see 'vibescore init --help'.",
)
@click.option("--once", is_flag=True, help="Collect and upload once, then stop the server.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@pass_app
def command(
    app: App,
    port: int,
    data_dir: Path | None,
    no_notify: bool,
    runtime: str,
    once: bool,
    yes: bool,
) -> None:
    """Run a server for yourself on this computer, link it, and show where your usage is.

    Makes the first user of the server, and has the tools call vibescore after each turn, as
    'vibescore init' does. Serves until Ctrl-C; what was collected meanwhile is uploaded the next
    time that the server runs.

    \b
    Examples:
      vibescore up
      vibescore up --no-notify --port 8400
    """
    from vibescore.cli.consent import ask
    from vibescore.embedded import is_installed

    if not is_installed():
        raise ConfigError("no server is installed here: pip install 'vibescore[server]' brings it")
    options = Options(port, data_dir)
    wish = Wish(server=options.address, no_notify=no_notify, runtime=runtime)
    _tell(app, wish, options)
    ask("Go on?", is_given=yes)
    app.make_home()
    with _served(app, options) as server:
        address = server.address if server else options.address
        setup = Setup.of(app, replace(wish, server=address))
        _set_up(app, _with_user(setup, server) if server else setup)
        if not once:
            _wait(app, server)


def _tell(app: App, wish: Wish, options: Options) -> None:
    where = app.short(options.data_dir or app.user_home / ".vibescore-server")
    place = options.address if options.port else "a free port of this computer"
    click.echo(f"A server for this computer alone will run at {place}, with its data in {where}.")
    _for_first_user(Setup.of(app, wish)).tell()


def _for_first_user(setup: Setup) -> Setup:
    return setup if setup.way in (Way.KEPT, Way.TOKEN) else replace(setup, way=Way.OWN)


@contextmanager
def _served(app: App, options: Options) -> "Iterator[Embedded | None]":
    """A server; None where one runs already, which is taken, and left running."""
    from vibescore.embedded import running

    if options.port and _answers(app, options.address):
        yield None
        return
    signal.signal(signal.SIGTERM, _end)
    with running({**app.variables, **options.variables}, app.home / LOG) as server:
        yield server


def _answers(app: App, address: str) -> bool:
    """Whether a server of vibescore is there. Raises UploadError when it is something else."""
    try:
        with app.connection(address) as client:
            client.check_token()
    except Unauthorized:
        return True
    except Retryable:
        return False
    return True


def _end(*_: object) -> None:
    """Told to end, the server is stopped as after Ctrl-C."""
    sys.exit(128 + signal.SIGTERM)


def _with_user(setup: Setup, server: "Embedded") -> Setup:
    """Link for the first user where there is none yet, else as ``init`` does. The server's program
    makes the user, so that a session of theirs is never seen here (SRV-05).
    """
    if setup.way in (Way.KEPT, Way.TOKEN):
        return setup
    name = "".join(letter for letter in getpass.getuser() if letter.isalnum()) or "me"
    email = f"{name}@localhost"
    made = server.ask("user", "create", "--first", email)
    if not made:
        return setup
    click.echo(made, nl=False)
    return replace(setup, way=Way.CODE, code=server.ask("user", "link-code", email).strip())


def _set_up(app: App, setup: Setup) -> None:
    from vibescore.cli.sync import Sync

    link = setup.carry_out()
    Sync(app, link, Effort.MANUAL, is_quiet=False).run(rebuild=False)
    click.echo(f"Your usage: {link.server}")


def _wait(app: App, server: "Embedded | None") -> None:
    """Until the server ends, or nobody wants it any more."""
    if server is None:
        click.echo("The server ran already, and goes on.")
        return
    try:
        click.echo("Serving until Ctrl-C.")
        code = server.wait()
    except KeyboardInterrupt:
        click.echo("Stopped. 'vibescore up' goes on from here.")
    else:
        raise ConfigError(f"the server ended with {code}: see {app.home / LOG}")

"""What every command needs: the home, the environment, and what stands behind them, opened when
asked for.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from vibescore.errors import ConfigError

if TYPE_CHECKING:
    from vibescore.client import Client
    from vibescore.link import Link
    from vibescore.model import Environment
    from vibescore.plugins import Plugin
    from vibescore.settings import Settings
    from vibescore.store import Store
    from vibescore.survey import Outlook


class App(NamedTuple):
    """The computer as the command sees it."""

    home: Path
    user_home: Path
    variables: Mapping[str, str]
    debug: bool

    @classmethod
    def here(cls, *, debug: bool = False) -> "App":
        from vibescore.settings import home_directory

        user_home = Path.home()
        return cls(home_directory(os.environ, user_home), user_home, dict(os.environ), debug)

    @property
    def store_path(self) -> Path:
        return self.home / "vibescore.db"

    @property
    def lock_path(self) -> Path:
        return self.home / "sync.lock"

    @property
    def environment(self) -> "Environment":
        from vibescore.model import Environment
        from vibescore.survey import Asked

        return Environment(Asked(self.variables), self.user_home)

    def depends(self, outlook: "Outlook") -> str:
        """A key of all that an outlook followed from, as it is now."""
        from vibescore import __version__
        from vibescore.snapshot import changed, installation, key_of

        roots = [os.path.realpath(root) for root in outlook.roots]
        files = [changed(module) for module in outlook.modules]
        values = [self.variables.get(name) for name in outlook.variables]
        chosen = (self.settings.plugins, str(self.user_home))
        return key_of([__version__, installation(), chosen, roots, files, values])

    @property
    def settings(self) -> "Settings":
        from vibescore.settings import load_settings

        return load_settings(self.home, self.variables)

    @property
    def link(self) -> "Link | None":
        """The server that this computer is linked to, if it is."""
        from vibescore.link import load_link

        return load_link(self.home, self.variables, server=self.settings.server)

    @property
    def link_or_problem(self) -> "tuple[Link | None, ConfigError | None]":
        """The link, or why it is not known which one holds."""
        try:
            return self.link, None
        except ConfigError as error:
            return None, error

    def client(self, link: "Link") -> "AbstractContextManager[Client]":
        """An open connection to the server of a link, as its device."""
        return self.connection(link.server, link.token)

    @contextmanager
    def connection(self, server: str, token: str | None = None) -> "Iterator[Client]":
        """An open connection to a server, with a token or as a stranger."""
        from vibescore.client import Client

        its = self.settings
        with Client.open(
            server,
            token,
            timeout=its.http_timeout,
            ca_file=its.ca_file,
            allow_http=its.allow_http,
        ) as client:
            yield client

    @property
    def program(self) -> list[str]:
        """The command that starts this very program."""
        from vibescore.program import command

        return command(sys.executable)

    @property
    def wants_debug(self) -> bool:
        """Whether errors come with their trace; a broken configuration must not hide the first
        error.
        """
        try:
            return self.debug or self.settings.debug
        except ConfigError:
            return self.debug

    def plugins(self) -> "list[Plugin]":
        """All installed plugins, loaded or not."""
        from vibescore.plugins import load_plugins

        settings = self.settings
        trace = (lambda line: click.echo(line, err=True)) if settings.trace_plugins else None
        snapshot = self.home / "plugins.snapshot.json"
        return load_plugins(settings.plugins, snapshot=snapshot, trace=trace)

    def make_home(self) -> None:
        """Create the home, readable by its owner alone."""
        try:
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                f"{self.home} cannot be created: {error.strerror}. "
                "VIBESCORE_HOME names another place"
            ) from error

    def store(self) -> "AbstractContextManager[Store | None]":
        """The store for reading, None when nothing was collected yet: looking changes nothing."""
        from vibescore.store import Store

        return Store.look(self.store_path)

    def short(self, path: "str | Path") -> str:
        """A path with the home directory shown as ``~``."""
        text, home = str(path), str(self.user_home)
        return "~" + text[len(home) :] if text == home or text.startswith(home + os.sep) else text


def on_terminal() -> bool:
    """Whether somebody watches standard error."""
    return sys.stderr.isatty()


pass_app = click.make_pass_decorator(App)

"""What ``init`` and ``up`` have in common: linking this computer, and telling the tools to call
vibescore.
"""

import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vibescore.cli.app import App
from vibescore.errors import (
    ConfigError,
    LinkError,
    Retryable,
    Unauthorized,
    UploadError,
)
from vibescore.link import FILE, VARIABLE, Link, load_link, save_link

if TYPE_CHECKING:
    from vibescore.client import Client
    from vibescore.linking import Device, Shown
    from vibescore.notify import Done, Targets
    from vibescore.runtime import Runtime

LOCAL_SERVER = "http://127.0.0.1:8390"
LONGEST_NAME = 128
PLATFORMS = {"darwin": "macos", "win32": "windows"}


class Way(Enum):
    """How this computer comes to its link."""

    KEPT = "as before"
    TOKEN = f"by the token in {VARIABLE}"
    CODE = "by the code that was given"
    BROWSER = "in your browser"
    SHOWN = "by a code that you approve in any browser"
    OWN = "for its first user, who is made with it, or in your browser"


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for on the command line."""

    server: str | None = None
    link_code: str | None = None
    device_name: str | None = None
    no_browser: bool = False
    no_notify: bool = False
    runtime: str = "auto"


@dataclass(frozen=True, slots=True)
class Setup:
    """What is going to be done. ``link`` is the one that was there; ``runtime`` is what has to be
    installed for the tools to call, if anything, and ``program`` the command they start.
    """

    app: App
    server: str
    way: Way
    link: Link | None
    code: str
    name: str
    runtime: "Runtime | None"
    program: list[str]
    targets: "Targets"

    @classmethod
    def of(cls, app: App, wish: Wish) -> "Setup":
        """Find out what there is to do; changes nothing. Raises ConfigError."""
        from vibescore.client import check_address
        from vibescore.plugins import notify_targets

        link = saved_link(app)
        server = wish.server or app.settings.server or (link.server if link else LOCAL_SERVER)
        server = server.rstrip("/")
        check_address(server, allow_http=app.settings.allow_http)
        runtime, program = (None, []) if wish.no_notify else _runtime(app, wish)
        return cls(
            app,
            server,
            _way(app, wish, link, server),
            link,
            wish.link_code or "",
            _name(wish.device_name),
            runtime,
            program,
            {} if wish.no_notify else notify_targets(app.plugins(), app.environment),
        )

    @property
    def files(self) -> list[Path]:
        """Every file outside its own store that would be changed or created."""
        from vibescore.notify import Entries

        own = [] if self.way is Way.KEPT else [self.app.home / FILE]
        runtime = [self.runtime.folder] if self.runtime else []
        return [*own, *runtime, *Entries(self.app.home).plan(self.targets, self.program)]

    def tell(self) -> None:
        """Say what is going to be done (CLI-03)."""
        click.echo(self._linking)
        if self.runtime:
            click.echo(
                "vibescore runs from a place that is cleared away, so it installs itself once more "
                f"in {self.app.short(self.runtime.folder)}, for the tools to call."
            )
        files = self.files
        click.echo("Files that change, or are made:" if files else "No file has to change.")
        for path in files:
            click.echo(f"  {self.app.short(path)}")
        click.echo(f"  and what vibescore collects, in {self.app.short(self.app.home)}")

    @property
    def _linking(self) -> str:
        if self.way is Way.KEPT and self.link:
            return f"This computer stays linked to {self.server}{_as_device(self.link)}."
        told = f"This computer will be linked to {self.server}, as {self.name!r}, {self.way.value}."
        if self.link and self.link.server != self.server:
            told += f" Until now it was linked to {self.link.server}."
        return told

    def carry_out(self) -> Link:
        """Do it: what may fail first comes first, and the tools come last. Raises VibescoreError;
        what was done until then is good to go on from.
        """
        self.app.make_home()
        if self.runtime:
            click.echo(f"Installing vibescore in {self.app.short(self.runtime.folder)} …")
            self.runtime.install(self.app.variables)
        link = self._made_link()
        if self.targets:
            self._install_entries()
        return link

    def _made_link(self) -> Link:
        if self.way is Way.KEPT and self.link:
            return self.link
        link = self._linked()
        save_link(self.app.home, link)
        click.echo(f"Linked to {link.server}{_as_device(link)}.")
        return link

    def _linked(self) -> Link:
        from vibescore.linking import link_by_browser, link_by_code, link_by_showing

        if self.way is Way.TOKEN:
            return self._by_token()
        with self.app.connection(self.server) as client:
            device = self._device()
            _check_reachable(client)
            match self.way:
                case Way.CODE:
                    return link_by_code(client, device, self.code)
                case Way.SHOWN:
                    return link_by_showing(client, device, show=_show)
                case _:
                    return link_by_browser(client, device, open_page=_open)

    def _by_token(self) -> Link:
        """A token that is refused links nothing; where the server does not answer, it is kept."""
        from vibescore.linking import link_by_token

        token = self.app.variables[VARIABLE].strip()
        try:
            with self.app.connection(self.server, token) as client:
                return link_by_token(client, token)
        except Unauthorized as error:
            raise LinkError(
                f"{self.server} does not know the token in {VARIABLE}: make another one, or unset "
                "it and run 'vibescore init' to link in a browser"
            ) from error
        except Retryable as error:
            click.echo(f"The token is kept unchecked: {error}.", err=True)
            return Link(self.server, "", token)

    def _device(self) -> "Device":
        from vibescore.linking import Device
        from vibescore.machine import device_key, machine_key

        platform = PLATFORMS.get(sys.platform, sys.platform)
        return Device(self.name, platform, device_key(self.app.user_home, machine_key()))

    def _install_entries(self) -> None:
        from vibescore.notify import Entries

        done = Entries(self.app.home).install(self.targets, self.program)
        tell_done(self.app, done, "calls vibescore after each turn from now on")
        if not done:
            click.echo("No tool was found that could call vibescore: run this again when one is.")


def tell_done(app: App, done: "list[Done]", what: str) -> None:
    """What became of the entries of the tools."""
    for each in done:
        if each.problem:
            click.echo(f"{each.source}: {each.problem}.", err=True)
        elif each.changed:
            click.echo(f"{each.source}: {app.short(each.config)} {what}.")


def saved_link(app: App) -> Link | None:
    """The link that is kept; one that cannot be used is none, and will be replaced."""
    without: Mapping[str, str] = {}
    with suppress(ConfigError):
        return load_link(app.home, without, server=None)
    return None


def _way(app: App, wish: Wish, link: Link | None, server: str) -> Way:
    token = app.variables.get(VARIABLE, "").strip()
    if token:
        is_kept = link is not None and (link.server, link.token) == (server, token)
        return Way.KEPT if is_kept and link and link.device_id else Way.TOKEN
    if wish.link_code:
        return Way.CODE
    if link and link.server == server and _is_known(app, link):
        return Way.KEPT
    return Way.BROWSER if not wish.no_browser and _has_browser(app.variables) else Way.SHOWN


def _is_known(app: App, link: Link) -> bool:
    """Whether the server takes the token; while it does not answer, it is believed."""
    try:
        with app.client(link) as client:
            client.check_token()
    except Unauthorized:
        return False
    except UploadError:
        pass
    return True


def _has_browser(variables: Mapping[str, str]) -> bool:
    """Whether a browser can be opened here that comes back to this computer."""
    named = ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY")
    return sys.platform in PLATFORMS or any(variables.get(name) for name in named)


def _runtime(app: App, wish: Wish) -> "tuple[Runtime | None, list[str]]":
    """What has to be installed for the tools, and what they start (CLI-04)."""
    from vibescore.runtime import Runtime, is_throwaway, temporary_folders

    here, runtime = Path(sys.prefix), Runtime.like_here(app.home)
    is_needed = wish.runtime == "own" or (
        wish.runtime == "auto" and is_throwaway(here, app.variables, temporary=temporary_folders())
    )
    if here.resolve() == runtime.folder.resolve() or not is_needed:
        return None, app.program
    return None if runtime.is_current else runtime, runtime.command


def _name(wanted: str | None) -> str:
    import socket

    name = "".join(filter(str.isprintable, wanted or socket.gethostname())).strip()
    return name[:LONGEST_NAME] or "computer"


def _as_device(link: Link) -> str:
    return f" as device {link.device_id}" if link.device_id else ""


def _check_reachable(client: "Client") -> None:
    """Nobody is asked to approve anything on a server that is not there. Raises LinkError,
    UploadError.
    """
    try:
        client.check_token()
    except Unauthorized:
        return
    except Retryable as error:
        if client.server != LOCAL_SERVER:
            raise
        raise LinkError(
            f"no server answers at {LOCAL_SERVER}: 'vibescore up' starts one on this computer, and "
            "--server names another"
        ) from error


def _open(address: str) -> None:
    import webbrowser

    click.echo(f"Approve in your browser:\n  {address}")
    click.echo("(Where this computer has no browser: 'vibescore init --no-browser'. Ctrl-C stops.)")
    with suppress(webbrowser.Error):
        webbrowser.open(address)


def _show(shown: "Shown") -> None:
    click.echo(f"Open {shown.verification_uri} in any browser and type  {shown.user_code}")
    click.echo(f"  or go straight to {shown.verification_uri_complete}")
    click.echo(f"Waiting up to {shown.expires_in / 60:.0f} minutes. Ctrl-C stops.")

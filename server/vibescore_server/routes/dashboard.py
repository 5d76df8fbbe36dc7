"""The dashboard: files that were built into this package, sent from memory.

One page, the shell, answers every address at which the dashboard shows something. Where there is no
dashboard, the plain pages answer theirs (``pages``, ``link_page``).
"""

import gzip
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from html import escape
from importlib.resources import files
from typing import Any

from sanic import HTTPResponse, Request, Sanic
from sanic.response import empty, raw

from vibescore_server.api import Endpoint, Handler
from vibescore_server.errors import NotFound
from vibescore_server.routes.rendering import is_plain
from vibescore_server.settings import Settings
from vibescore_server.static_files import IDENTITY, Contents, StaticFile, read, together

SHELL = "/index.html"
ASSETS = "/assets/"
"""Where files lie whose name has a hash of what is in them."""

BESIDE_PLAIN_PAGES = frozenset(("/", "/sign-in", "/sign-up", "/link"))
ALONE = frozenset(("/dashboard", "/leaderboard", "/devices", "/settings"))

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
SHELL_HEADERS = {"Cache-Control": "no-cache", "Content-Security-Policy": POLICY}
ASSET_HEADERS = {"Cache-Control": "public, max-age=31536000, immutable"}
OTHER_HEADERS = {"Cache-Control": "public, max-age=3600"}

BUILT_FOR = re.compile(r'<meta property="og:url" content="(.*?)/?">')
ADDRESSED = re.compile(r'<(?:meta|link) [^>]*"(?:canonical|og:image|og:url|twitter:image)"[^>]*>')
"""Tags that say where the page is (DSH-16)."""


@dataclass(frozen=True, slots=True)
class Dashboard:
    """The shell, and every other file by its path."""

    shell: StaticFile
    files: Mapping[str, StaticFile]

    def register(self, app: Sanic[Any, Any]) -> None:
        """Serve the files, and the shell where there is no plain page."""
        add = partial(app.add_route, methods=("GET", "HEAD"))
        for path in ALONE:
            add(self.show, path, name=f"shell_{path[1:]}")
        for number, path in enumerate(sorted(self.files)):
            if not path.startswith(ASSETS):
                add(partial(send, self.files[path]), path, name=f"file_{number}")
        add(self.asset, f"{ASSETS}<name:str>", name="asset")

    def before(self, endpoint: Endpoint) -> Handler:
        """What answers where there is a plain page: the shell, unless that page is asked for."""
        if endpoint.method != "GET" or endpoint.path not in BESIDE_PLAIN_PAGES:
            return endpoint.__call__

        async def answer(request: Request) -> Any:
            return await (endpoint(request) if is_plain(request) else self.show(request))

        return answer

    async def show(self, request: Request) -> HTTPResponse:
        """The shell."""
        return await send(self.shell, request)

    async def asset(self, request: Request, name: str) -> HTTPResponse:
        """A file with a hash in its name. Raises NotFound."""
        file = self.files.get(f"{ASSETS}{name}")
        if file is None:
            raise NotFound("There is nothing here.")
        return await send(file, request)


async def send(file: StaticFile, request: Request) -> HTTPResponse:
    """A file in the coding that the client likes best, unless it has that already."""
    headers = request.headers
    form = file.form_for(",".join(headers.getall("accept-encoding", ())))
    if form.is_known(",".join(headers.getall("if-none-match", ()))):
        return empty(304, dict(form.headers))
    return raw(form.body, headers={**form.headers, **form.coding}, content_type=file.media)


def load(settings: Settings) -> Dashboard | None:
    """The dashboard, where it was built and is not switched off."""
    folder = files("vibescore_server") / "static"
    if not settings.dashboard or not folder.is_dir():
        return None
    contents = together(dict(read(folder)))
    shell = readdressed(contents.pop(SHELL), settings)
    others = {path: StaticFile.of(path, contents[path], headers_of(path)) for path in contents}
    return Dashboard(StaticFile.of(SHELL, shell, SHELL_HEADERS), others)


def headers_of(path: str) -> Mapping[str, str]:
    return ASSET_HEADERS if path.startswith(ASSETS) else OTHER_HEADERS


def readdressed(shell: Contents, settings: Settings) -> Contents:
    """The shell for where people reach this server; what was compressed beforehand is another."""
    page = shell[IDENTITY].decode()
    there = BUILT_FOR.search(page)
    if settings.public_url is None or there is None:
        return shell
    here = escape(str(settings.public_url).rstrip("/"))
    moved = ADDRESSED.sub(lambda tag: tag[0].replace(f'"{there[1]}', f'"{here}'), page).encode()
    return {"gzip": gzip.compress(moved, mtime=0), IDENTITY: moved}

"""Running the application in one process, or in several."""

import os
import socket
import tempfile
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import click

from vibescore_server import logs, stopping
from vibescore_server.app import create_app
from vibescore_server.db import AWAY, is_sqlite, open_database
from vibescore_server.errors import ServerError
from vibescore_server.metrics import SHARED
from vibescore_server.migrations import migrate, pending
from vibescore_server.protocol import BoundedProtocol
from vibescore_server.settings import PREFIX, Settings, load_secret
from vibescore_server.workers import run_workers


def serve(settings: Settings, *, now: Callable[[], float] = time.time) -> None:
    """Serve until stopped; ``now`` gives UTC seconds. Raises ServerError before it listens."""
    load_secret(settings)
    prepare(settings)
    listening = listen(settings)
    host, port = listening.getsockname()[:2]
    name = f"[{host}]" if ":" in host else host
    click.echo(f"vibescore-server listens on http://{name}:{port}")
    run(settings, listening, now)


def prepare(settings: Settings) -> None:
    """See that the database can be used (SRV-23). Raises ServerError."""
    db = open_database(settings)
    try:
        with db.connection_context():
            bring_up_to_date(db)
    except AWAY as error:
        reason = str(error).strip().partition("\n")[0]
        raise ServerError(f"The database cannot be used: {reason}") from error


def bring_up_to_date(db: Any) -> None:
    """Migrate SQLite, or a new database. Raises ServerError for another one that lacks something:
    whoever runs several processes says when.
    """
    if is_sqlite(db) or not db.get_tables():
        migrate(db)
    elif names := pending(db):
        raise ServerError(f"The database lacks {', '.join(names)}: vibescore-server migrate")


def listen(settings: Settings) -> socket.socket:
    """Take the port. Raises ServerError when it is taken."""
    try:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        return socket.create_server((settings.host, settings.port), family=family)
    except OSError as error:
        raise ServerError(
            f"{settings.host}:{settings.port} cannot be listened on ({error.strerror}): "
            f"{PREFIX}HOST and {PREFIX}PORT name another place"
        ) from error


def run(settings: Settings, listening: socket.socket, now: Callable[[], float]) -> None:
    """Serve in this process, or in several that this one watches."""
    logs.configure(settings.log_level)
    if settings.workers == 1:
        serve_alone(settings, listening, now)
        return
    with tempfile.TemporaryDirectory(prefix="vibescore-metrics-") as shared:
        os.environ[SHARED] = shared
        work = partial(serve_alone, settings, listening, now)
        run_workers(work, settings.workers, seconds=settings.stop_seconds)


def serve_alone(settings: Settings, listening: socket.socket, now: Callable[[], float]) -> None:
    """Serve in this process until it is told to stop."""
    logs.configure(settings.log_level)
    app = create_app(settings, now=now)
    stopping.when_told(partial(stopping.stop_application, app), seconds=settings.stop_seconds)
    app.run(
        sock=listening, single_process=True, protocol=BoundedProtocol, register_sys_signals=False
    )

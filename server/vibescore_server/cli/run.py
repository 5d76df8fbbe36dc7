"""``vibescore-server run``, and ``vibescore serve``: serve until stopped."""

from pathlib import Path
from typing import Any

import click


@click.command("run")
@click.option("--host", help="Address to listen on (127.0.0.1).")
@click.option("--port", type=int, help="Port to listen on (8390); 0: any free one.")
@click.option("--workers", type=int, help="Processes (1); more than one needs PostgreSQL.")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Holds SQLite file and secret.")
def command(**flags: Any) -> None:
    """Serve until stopped: by default on this computer alone, with SQLite.

    \b
    Examples:
      vibescore-server run
      vibescore serve --port 8400
      VIBESCORE_SERVER_DATABASE_URL=postgresql://me@host/db vibescore-server run --workers 4
    """
    from vibescore_server.serve import serve
    from vibescore_server.settings import load_settings

    serve(load_settings(**flags))

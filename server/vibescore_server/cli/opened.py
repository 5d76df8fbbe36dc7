"""The database of the settings, for commands that ask it something themselves."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from vibescore_server.db import AWAY, open_database
from vibescore_server.errors import ServerError
from vibescore_server.serve import prepare
from vibescore_server.settings import load_settings


@contextmanager
def opened() -> Iterator[Any]:
    """The Peewee database, up to date and in one transaction. Raises ServerError."""
    settings = load_settings()
    try:
        prepare(settings)
        db = open_database(settings)
        with db.connection_context(), db.atomic():
            yield db
    except AWAY as error:
        reason = str(error).strip().partition("\n")[0]
        raise ServerError(f"The database cannot be used: {reason}") from error

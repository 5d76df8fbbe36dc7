"""Bringing a database up to date: numbered files, forward only, one transaction each (SRV-23)."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playhouse.migrations import Runner

from vibescore_server.db import is_sqlite
from vibescore_server.errors import ServerError

FOLDER = str(Path(__file__).parent)
LOCK = 0x76696265
"""Of PostgreSQL's advisory locks: servers that start together migrate one after the other."""


def pending(db: Any) -> list[str]:
    """Names of the migrations that this database lacks. Raises ServerError when it knows some that
    this program does not: it was made by a newer one.
    """
    status = Runner(db, FOLDER).status()
    if newer := [each.name for each in status if each.path is None]:
        raise ServerError(
            f"The database is newer than this program (it has {newer[-1]}): upgrade "
            "vibescore-server"
        )
    return [each.name for each in status if each.applied is None]


def migrate(db: Any) -> list[str]:
    """Apply what is pending; returns the names."""
    with _alone(db):
        return Runner(db, FOLDER).up() if pending(db) else []


@contextmanager
def _alone(db: Any) -> Iterator[None]:
    if is_sqlite(db):
        with db.atomic():
            yield
        return
    db.execute_sql("SELECT pg_advisory_lock(%s)", (LOCK,))
    try:
        yield
    finally:
        db.execute_sql("SELECT pg_advisory_unlock(%s)", (LOCK,))

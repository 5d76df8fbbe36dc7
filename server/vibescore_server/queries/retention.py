"""Removing what has had its time; usage stays (SRV-18)."""

from typing import Any

from vibescore_server.models import Grant, IngestLog, RefreshToken
from vibescore_server.queries import limits

CHUNK = 5_000
"""Rows a transaction."""


def count_batches(db: Any, *, before: int) -> int:
    """How many batches the ingest log has from before then (UTC seconds)."""
    count: int = IngestLog.select().where(IngestLog.received_at < before).bind(db).count()
    return count


def forget_batches(db: Any, *, before: int) -> int:
    """Remove some of those; answers how many, 0 when none is left."""
    key: Any = IngestLog._meta.primary_key  # noqa: SLF001 Peewee's documented way
    old = IngestLog.select(key).where(IngestLog.received_at < before).limit(CHUNK)
    removed: int = IngestLog.delete().where(key.in_(old)).execute(db)
    return removed


def forget_expired(db: Any, *, now: int) -> int:
    """Remove sessions, codes and counted attempts that have expired; answers how many."""
    sessions: int = RefreshToken.delete().where(RefreshToken.expires_at <= now).execute(db)
    codes: int = Grant.delete().where(Grant.expires_at <= now).execute(db)
    return sessions + codes + limits.forget(db, now=now)

"""Counting attempts where all processes see them (SRV-20)."""

import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from vibescore_server.models import Attempt

Answer = TypeVar("Answer")


class Limit(NamedTuple):
    """How often somebody may try something in so many seconds."""

    who: str
    most: int
    seconds: int


class Exceeded(Exception):
    """There were too many attempts; there may be none for ``wait`` seconds."""

    def __init__(self, wait: int) -> None:
        self.wait = wait
        super().__init__(f"none for {wait} seconds")


def within(db: Any, limit: Limit, question: Callable[..., Answer], *args: Any, now: int) -> Answer:
    """The answer to a question that counts as an attempt, in one transaction. Raises Exceeded."""
    take(db, limit, now=now)
    return question(db, *args, now=now)


def take(db: Any, limit: Limit, *, now: int) -> None:
    """Count an attempt. Raises Exceeded."""
    window = now // limit.seconds
    ends = (window + 1) * limit.seconds
    key = hashlib.sha256(limit.who.encode()).hexdigest()
    counted = (
        Attempt.insert(key=key, window=window, count=1, expires_at=ends)
        .on_conflict(
            conflict_target=(Attempt.key, Attempt.window), update={Attempt.count: Attempt.count + 1}
        )
        .returning(Attempt.count)
    )
    ((count,),) = counted.tuples().execute(db)
    if count > limit.most:
        raise Exceeded(ends - now)


def forget(db: Any, *, now: int) -> int:
    """Remove windows that have passed; answers how many."""
    removed: int = Attempt.delete().where(Attempt.expires_at <= now).execute(db)
    return removed

"""Who does a job at the moment: a lease, so that of several processes one does it (SRV-26).

The lease is asked for again in every transaction of the job. A process that was held up for so long
that another took over finds that out before it changes anything.
"""

from typing import Any, NamedTuple

from vibescore_server.models import Job

LEASE_SECONDS = 300
"""A process that died holds up its job no longer; no step of a job may take as long."""


class JobRow(NamedTuple):
    """What is known of a job; times are UTC seconds."""

    name: str
    holder: str | None
    held_until: int | None
    began_at: int | None
    ended_at: int | None
    failed: bool


class LeaseLost(Exception):
    """The job went to another process."""


def take(db: Any, name: str, holder: str, *, now: int, due: int | None = None) -> bool:
    """Become the holder of a job, unless it has one. With ``due``, only when the last complete run
    began before that.
    """
    mine = {"holder": holder, "held_until": now + LEASE_SECONDS}
    free = Job.holder.is_null() | (Job.held_until <= now)
    if due is not None:
        free &= Job.began_at.is_null() | (Job.began_at < due)
    taken = (
        Job.insert(name=name, **mine)
        .on_conflict(conflict_target=(Job.name,), update=mine, where=free)
        .returning(Job.name)
    )
    return bool(list(taken.tuples().execute(db)))


def keep(db: Any, name: str, holder: str, *, now: int) -> None:
    """Hold a job for longer. Raises LeaseLost."""
    mine = (Job.name == name) & (Job.holder == holder)
    if not Job.update(held_until=now + LEASE_SECONDS).where(mine).execute(db):
        raise LeaseLost


def done(db: Any, name: str, holder: str, *, began_at: int, now: int, failed: bool) -> None:
    """Note how a complete run ended. Raises LeaseLost."""
    keep(db, name, holder, now=now)
    run = Job.update(began_at=began_at, ended_at=now, failed=failed)
    run.where(Job.name == name).execute(db)


def leave(db: Any, name: str, holder: str) -> None:
    """Hold a job no longer, if it is still held."""
    mine = (Job.name == name) & (Job.holder == holder)
    Job.update(holder=None, held_until=None).where(mine).execute(db)


def listed(db: Any) -> list[JobRow]:
    """The jobs that were ever begun."""
    columns = (getattr(Job, name) for name in JobRow._fields)
    rows: Any = Job.select(*columns).order_by(Job.name).tuples().bind(db)
    return [JobRow(*row) for row in rows]

"""Doing a job alone, whichever process of whichever machine begins it (SRV-26)."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, TypeVar
from uuid import uuid4

from vibescore_server.db import Step
from vibescore_server.errors import Conflict
from vibescore_server.queries import jobs
from vibescore_server.services import Services

P = ParamSpec("P")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Lease:
    """Being the one who does a job; whatever is changed through it is changed only while it is so.

    ``LeaseLost`` is raised when another process took over.
    """

    services: Services
    name: str
    holder: str

    @property
    def now(self) -> int:
        """UTC seconds."""
        return int(self.services.now())

    async def write(
        self, question: Callable[Concatenate[Any, P], Answer], *args: P.args, **kwargs: P.kwargs
    ) -> Answer:
        """``Database.write`` while the job is ours."""
        return await self.services.database.write(self._ours, question, *args, **kwargs)

    async def work(
        self,
        task: Callable[Concatenate[Any, Step, P], Answer],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Answer:
        """``Database.work``, each step of which is made while the job is ours."""
        return await self.services.database.work(self._stepping, task, *args, **kwargs)

    def _ours(
        self, db: Any, question: Callable[..., Answer], /, *args: Any, **kwargs: Any
    ) -> Answer:
        jobs.keep(db, self.name, self.holder, now=self.now)
        return question(db, *args, **kwargs)

    def _stepping(
        self, db: Any, step: Step, task: Callable[..., Answer], /, *args: Any, **kwargs: Any
    ) -> Answer:
        def ours(question: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            return step(self._ours, question, *args, **kwargs)

        return task(db, ours, *args, **kwargs)


@asynccontextmanager
async def lease(services: Services, name: str, *, due: int | None = None) -> AsyncIterator[Lease]:
    """Have a job to oneself for as long as the context lasts.

    Raises Conflict when somebody else has it, or when it began after ``due`` (UTC seconds).
    """
    mine = Lease(services, name, uuid4().hex)
    taken = await services.database.write(jobs.take, name, mine.holder, now=mine.now, due=due)
    if not taken:
        raise Conflict(
            f"The job '{name}' is running already; try again when it has ended.",
            code="JOB_RUNNING",
        )
    try:
        yield mine
    finally:
        await services.database.write(jobs.leave, name, mine.holder)

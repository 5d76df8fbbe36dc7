"""The database and the threads that talk to it: nothing blocks the event loop.

A question is a function whose first argument is the Peewee database. ``read`` and ``write`` run it
in a thread that keeps its connection. SQLite has one thread that writes and some that read;
PostgreSQL has one pool. A write is one transaction. ``work`` is for what takes long: it has a
thread and a connection of its own, and makes its changes in short steps. What the database refuses
because it is away, full or too busy becomes ``Unavailable``; a connection that broke while it was
idle is replaced.
"""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar
from urllib.parse import urlsplit

import peewee
from playhouse.db_url import connect

from vibescore_server.errors import ServerError, Unavailable
from vibescore_server.settings import Settings, make_data_dir

P = ParamSpec("P")
Answer = TypeVar("Answer")

AWAY = (peewee.OperationalError, peewee.InterfaceError, sqlite3.OperationalError)
"""What drivers raise when the database is gone, full, locked or shutting down; Peewee does not see
what goes wrong while rows are fetched.
"""

PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": "normal",
    "cache_size": -32_000,
    "foreign_keys": 1,
}
POSTGRESQL = {
    "prefer_psycopg3": True,
    "connect_timeout": 5,
    "application_name": "vibescore-server",
    "options": "-c statement_timeout=60s -c lock_timeout=10s -c timezone=UTC -c jit=off",
}
RETRY_SECONDS = 5
LONGEST_SECONDS = 240
"""What a statement of long work may take on PostgreSQL."""

POLITE_SECONDS = 0.05

log = logging.getLogger("vibescore.database")


class Step(Protocol):
    """Asks a question as one short transaction of a long work."""

    def __call__(
        self, question: Callable[Concatenate[Any, P], Answer], *args: P.args, **kwargs: P.kwargs
    ) -> Answer: ...


def open_database(settings: Settings) -> Any:
    """The Peewee database of the settings, not connected yet. Raises ServerError."""
    if urlsplit(settings.database).scheme == "sqlite":
        return _open_sqlite(settings)
    try:
        return connect(settings.database, unquote_user=True, unquote_password=True, **POSTGRESQL)
    except (ValueError, RuntimeError) as error:
        raise ServerError(
            "VIBESCORE_SERVER_DATABASE_URL cannot be used: it names no database. "
            "Write postgresql://user:password@host/name"
        ) from error


def _open_sqlite(settings: Settings) -> Any:
    path = Path(settings.database.removeprefix("sqlite:///"))
    if not settings.database_url:
        make_data_dir(settings)
    if not path.parent.is_dir():
        raise ServerError(f"{path.parent} is not there: create it, or set another DATABASE_URL")
    path.touch(mode=0o600)
    return peewee.SqliteDatabase(
        str(path), pragmas=PRAGMAS, timeout=10, lock_type="IMMEDIATE", check_same_thread=False
    )


def is_sqlite(db: Any) -> bool:
    """Whether SQL has to be SQLite's."""
    return isinstance(db, peewee.SqliteDatabase)


def queue_up(db: Any, lock: int) -> None:
    """Wait until no other transaction has this lock, and hold it to the end of this one: a number
    of PostgreSQL's advisory locks. On SQLite every write is alone anyway.
    """
    if not is_sqlite(db):
        db.execute_sql("SELECT pg_advisory_xact_lock(%s)", (lock,))


def declines(error: Exception) -> bool:
    """Whether a database that works declined a statement which it can do no sums by: they leave
    64 bits, or it does not know this form (SRV-10).
    """
    if isinstance(error, (peewee.DataError, peewee.NotSupportedError)):
        return True
    return "integer overflow" in str(error)


class Database:
    """Asks questions of a database from asynchronous code."""

    def __init__(self, db: Any, *, threads: int, waiting: Callable[[int], None]) -> None:
        """``waiting`` is told how many questions wait for one of the ``threads``."""
        self._db = db
        self._threads = threads + is_sqlite(db)
        self._asked = 0
        self._tell_waiting = waiting
        self._connections: list[Any] = []
        self._readers = ThreadPoolExecutor(threads, "database")
        self._writers = ThreadPoolExecutor(1, "writer") if is_sqlite(db) else self._readers
        self._worker = ThreadPoolExecutor(1, "work")
        self._works_on: Any = None
        self._writing = 0
        self._closing = False

    async def read(
        self, question: Callable[Concatenate[Any, P], Answer], *args: P.args, **kwargs: P.kwargs
    ) -> Answer:
        """The answer to a question that changes nothing. Raises Unavailable."""
        return await self._run(self._readers, self._read, question, args, kwargs)

    async def write(
        self, question: Callable[Concatenate[Any, P], Answer], *args: P.args, **kwargs: P.kwargs
    ) -> Answer:
        """The answer to a question that changes something: committed when this returns, and
        nothing is changed when it raises. Raises Unavailable; what was asked may then be committed
        or not, where the connection broke at the very end.
        """
        self._writing += 1
        try:
            return await self._run(self._writers, self._write, question, args, kwargs)
        finally:
            self._writing -= 1

    async def work(
        self,
        task: Callable[Concatenate[Any, Step, P], Answer],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Answer:
        """The outcome of a long task, which is no transaction, but asks for one by its second
        argument. One task at a time; ``close`` interrupts it. Raises Unavailable.
        """
        return await self._run(self._worker, self._work, task, args, kwargs)

    def close(self) -> None:
        """Finish what was asked, interrupt what takes long, and close the connections."""
        self._closing = True
        self._interrupt()
        for threads in {self._readers, self._writers, self._worker}:
            threads.shutdown()
        for connection in self._connections:
            connection.close()

    async def _run(
        self, threads: ThreadPoolExecutor, run: Callable[..., Answer], *args: object
    ) -> Answer:
        loop = asyncio.get_running_loop()
        self._count(1)
        try:
            return await loop.run_in_executor(threads, run, *args)
        except AWAY as error:
            reason = str(error).partition("\n")[0]
            log.warning("database unavailable", extra={"reason": reason})
            raise Unavailable(
                "The database cannot answer now; try again.", retry_after=RETRY_SECONDS
            ) from error
        finally:
            self._count(-1)

    def _count(self, change: int) -> None:
        self._asked += change
        self._tell_waiting(max(0, self._asked - self._threads))

    def _read(self, question: Callable[..., Answer], args: Any, kwargs: Any) -> Answer:
        try:
            self._connect()
            return question(self._db, *args, **kwargs)
        except AWAY:
            if not self._reconnect():
                raise
            return question(self._db, *args, **kwargs)

    def _write(self, question: Callable[..., Answer], args: Any, kwargs: Any) -> Answer:
        with ExitStack() as transaction:
            self._begin(transaction)
            return question(self._db, *args, **kwargs)

    def _begin(self, transaction: ExitStack) -> None:
        """Begin a transaction: a connection that broke while it was idle shows here."""
        try:
            self._connect()
            transaction.enter_context(self._db.atomic())
        except AWAY:
            if not self._reconnect():
                raise
            transaction.enter_context(self._db.atomic())

    def _work(self, task: Callable[..., Answer], args: Any, kwargs: Any) -> Answer:
        with self._db.connection_context():
            self._works_on = self._db.connection()
            if not is_sqlite(self._db):
                self._db.execute_sql(f"SET statement_timeout = '{LONGEST_SECONDS}s'")
            return task(self._db, self._step, *args, **kwargs)

    def _step(self, question: Callable[..., Answer], *args: Any, **kwargs: Any) -> Answer:
        if self._closing:
            raise peewee.OperationalError("the server stops")
        if is_sqlite(self._db):
            self._let_others_write()
        with self._db.atomic():
            return question(self._db, *args, **kwargs)

    def _let_others_write(self) -> None:
        """Between two steps, whoever waits for SQLite's lock comes first: it looks for the lock
        only now and then, and would never find it free.
        """
        until = time.monotonic() + POLITE_SECONDS
        while self._writing and time.monotonic() < until:
            time.sleep(POLITE_SECONDS / 20)

    def _interrupt(self) -> None:
        connection = self._works_on
        if connection is not None:
            with suppress(Exception):  # it may have ended just now
                connection.interrupt() if is_sqlite(self._db) else connection.cancel()

    def _connect(self) -> None:
        if self._db.connect(reuse_if_open=True):
            self._connections.append(self._db.connection())

    def _reconnect(self) -> bool:
        """Replace this thread's connection if it is broken; False when it was not."""
        connection = None if self._db.is_closed() else self._db.connection()
        if connection is not None and not getattr(connection, "broken", False):
            return False
        if connection is not None:
            self._connections.remove(connection)
            self._db.close()
        self._connect()
        return True

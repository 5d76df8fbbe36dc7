"""Where a server is measured: databases that are filled once and kept, and the server itself in a
process of its own.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit
from uuid import UUID

import population
import psycopg
from measure import BenchError
from population import NOW, Population

from vibescore_server import models
from vibescore_server.db import is_sqlite, open_database
from vibescore_server.migrations import migrate
from vibescore_server.settings import Settings, load_settings
from vibescore_server.tokens import Signer

LAUNCHER = Path(__file__).resolve().parents[1] / "server/tests/launch.py"
POSTGRESQL = "postgresql://postgres@127.0.0.1:5432/postgres"
PREFIX = "vibescore_bench_"
SECRET = "only for benchmarks: nothing is secret"  # noqa: S105
SERVICE_TOKEN = "service-of-benchmarks-and-of-nothing-else"  # noqa: S105
PATIENCE = 300  # seconds
LIMITS: dict[str, object] = {
    "secret": SECRET,
    "service_token": SERVICE_TOKEN,
    "ingest_per_minute": 1_000_000,
    "scheduler": "false",
    "port": 0,
}
FILLED_BY = (Path(population.__file__), Path(models.__file__))
COMMENT = "shobj_description(oid, 'pg_database')"


@dataclass(frozen=True, slots=True)
class Place:
    """A database that a server can be started on."""

    engine: str
    folder: Path
    url: str = ""

    @property
    def settings(self) -> Settings:
        return load_settings(data_dir=self.folder, database_url=self.url)

    @contextmanager
    def opened(self) -> Iterator[Any]:
        """The Peewee database, connected as the server connects."""
        db = open_database(self.settings)
        with db.connection_context():
            if not is_sqlite(db):
                db.execute_sql("SET statement_timeout = 0")
            yield db


class Engine(Protocol):
    """A kind of database."""

    @property
    def name(self) -> str:
        """What tables call it."""

    def empty(self, scratch: Path) -> Any:
        """A context with a place where the tables are, empty; it goes with the context."""

    def populated(self, people: Population) -> Place:
        """A place that holds the population; filled unless it has been."""

    def forget(self) -> None:
        """Remove all that was filled."""


class Sqlite:
    """Files in a folder that is kept."""

    name = "SQLite"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def empty(self, scratch: Path) -> Iterator[Place]:
        folder = scratch / f"empty-{secrets.token_hex(4)}"
        folder.mkdir()
        yield made(Place(self.name, folder))
        shutil.rmtree(folder)

    def populated(self, people: Population) -> Place:
        place = Place(self.name, self._folder / people.name)
        made_by = place.folder / "made-by.txt"
        if not made_by.exists() or made_by.read_text("utf-8") != version():
            shutil.rmtree(place.folder, ignore_errors=True)
            place.folder.mkdir(parents=True)
            fill(place, people)
            made_by.write_text(version(), "utf-8")
        return place

    def forget(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


class Postgresql:
    """Databases of a server that runs; a comment says which version a database was filled by."""

    name = "PostgreSQL"

    def __init__(self, url: str, folder: Path) -> None:
        self._url = url
        self._folder = folder

    @property
    def answers(self) -> bool:
        """Whether the server is there."""
        with suppress(psycopg.OperationalError):
            psycopg.connect(self._url, connect_timeout=2).close()
            return True
        return False

    @contextmanager
    def empty(self, scratch: Path) -> Iterator[Place]:
        name = f"{PREFIX}{secrets.token_hex(4)}"
        self._ask(f"CREATE DATABASE {name}")
        try:
            yield made(self._place(name, scratch))
        finally:
            self._ask(f"DROP DATABASE {name} WITH (FORCE)")

    def populated(self, people: Population) -> Place:
        name = f"{PREFIX}{people.name}"
        place = self._place(name, self._folder)
        kept = f"SELECT 1 FROM pg_database WHERE datname = '{name}' AND {COMMENT} = '{version()}'"
        if not self._ask(kept):
            self._ask(f"DROP DATABASE IF EXISTS {name}")
            self._ask(f"CREATE DATABASE {name}")
            fill(place, people)
            self._ask(f"COMMENT ON DATABASE {name} IS '{version()}'")
        return place

    def forget(self) -> None:
        for (name,) in self._ask(f"SELECT datname FROM pg_database WHERE {COMMENT} <> ''"):
            if name.startswith(PREFIX):
                self._ask(f"DROP DATABASE {name} WITH (FORCE)")

    def _place(self, name: str, folder: Path) -> Place:
        return Place(self.name, folder, f"{self._url.rpartition('/')[0]}/{name}")

    def _ask(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


def engines(cache: Path, variables: Mapping[str, str]) -> list[Sqlite | Postgresql]:
    """SQLite, and PostgreSQL if a server answers at ``VIBESCORE_BENCH_POSTGRESQL``."""
    folder = cache / "populations"
    postgresql = Postgresql(variables.get("VIBESCORE_BENCH_POSTGRESQL", POSTGRESQL), folder)
    return [Sqlite(folder), *([postgresql] if postgresql.answers else [])]


def version() -> str:
    """Of whatever decides what a populated database holds."""
    texts = b"".join(path.read_bytes() for path in FILLED_BY)
    return hashlib.sha256(texts).hexdigest()


def made(place: Place) -> Place:
    """The place, with all tables."""
    with place.opened() as db:
        migrate(db)
    return place


def fill(place: Place, people: Population) -> None:
    print(f"Writing {people.rows:,} rows on {place.engine}", file=sys.stderr, flush=True)
    made(place)
    with place.opened() as db:
        people.fill(db)
        db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)" if is_sqlite(db) else "VACUUM ANALYZE")


class Client:
    """One connection that stays open, for one caller."""

    def __init__(self, url: str, token: str = "") -> None:
        address = urlsplit(url)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._connection = http.client.HTTPConnection(
            address.hostname or "", address.port, timeout=PATIENCE
        )

    def get(self, path: str) -> bytes:
        return self._ask("GET", path, None, self._headers)

    def post(self, path: str, body: bytes) -> bytes:
        return self._ask("POST", path, body, {**self._headers, "Content-Type": "application/json"})

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> bytes:
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise BenchError(f"{method} {path} was answered with {answer.status}: {text.decode()}")
        return text


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs."""

    url: str

    def user(self, user_id: UUID) -> Client:
        """Signed in for a day."""
        signer = Signer(SECRET.encode())
        return Client(self.url, signer.access_token(user_id, now=NOW, seconds=86_400))

    def bearer(self, token: str) -> Client:
        return Client(self.url, token)


def variables(place: Place, **settings: object) -> dict[str, str]:
    """The environment of a server with these settings, and no others of ours."""
    wanted = {"data_dir": place.folder, "database_url": place.url, **settings}
    others = {name: text for name, text in os.environ.items() if "VIBESCORE" not in name}
    return others | {f"VIBESCORE_SERVER_{name.upper()}": str(its) for name, its in wanted.items()}


@contextmanager
def serving(place: Place, scratch: Path) -> Iterator[Server]:
    """One process of ``vibescore-server`` whose clock shows NOW."""
    clock, log = scratch / "clock", scratch / f"server-{secrets.token_hex(4)}.log"
    clock.write_text(str(NOW))
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, LAUNCHER, clock],
            env=variables(place, **LIMITS),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        greeting = process.stdout.readline() if process.stdout else ""
        if "http://" not in greeting:
            raise BenchError(f"The server did not start: {log.read_text()}")
        yield Server(greeting.split()[-1])
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)

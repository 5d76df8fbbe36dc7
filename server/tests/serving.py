"""Real servers for tests: a process of its own, on a database of its own, with a clock to set."""

import json
import os
import secrets
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import httpx
import psycopg

from vibescore_server.db import open_database
from vibescore_server.settings import load_settings

NOW = "2026-11-18T12:00:00Z"
"""What a server's clock shows when a test begins."""

SERVICE_TOKEN = "service-" + "s" * 40
PASSWORD = "correct horse battery staple"
PATIENCE = 30
"""Seconds after which a server that does not start or stop is a failure."""

ROOMY: Mapping[str, object] = {
    "sign_up": "true",
    "service_token": SERVICE_TOKEN,
    "sign_in_per_minute": 10_000,
    "sign_up_per_hour": 10_000,
    "link_per_minute": 10_000,
    "ingest_per_minute": 10_000,
    "scheduler": "false",
}
"""Settings under which tests do not get into each other's way."""


@dataclass(frozen=True)
class Response:
    """An answer, read."""

    status: int
    headers: httpx.Headers
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass
class Server:
    """A running server."""

    url: str
    clock: Path
    process: subprocess.Popen[str]
    log: Path
    database_url: str
    data_dir: Path
    env: Mapping[str, str]
    client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = httpx.Client(base_url=self.url, timeout=PATIENCE)

    def set_clock(self, moment: str) -> None:
        """From now on it is ``moment`` (ISO-8601 UTC)."""
        draft = self.clock.with_suffix(".new")
        draft.write_text(str(datetime.fromisoformat(moment).timestamp()))
        draft.replace(self.clock)

    def call(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        **request: Any,
    ) -> Response:
        """Send a request without cookies; a path without a slash is a function's slug."""
        bearer = {"Authorization": f"Bearer {token}"} if token else {}
        address = path if path.startswith("/") else f"/functions/vibescore-{path}"
        answer = self.client.request(
            method, address, headers={**bearer, **(headers or {})}, **request
        )
        self.client.cookies.clear()
        return Response(answer.status_code, answer.headers, answer.text)

    def get(self, path: str, **request: Any) -> Response:
        return self.call("GET", path, **request)

    def post(self, path: str, **request: Any) -> Response:
        return self.call("POST", path, **request)

    def sign_up(self, name: str | None = None, email: str | None = None) -> "Person":
        """A new user, signed in."""
        account = {"email": email or f"{uuid4().hex}@example.org", "password": PASSWORD}
        answer = self.post("/api/auth/users", json=account | ({"name": name} if name else {}))
        assert answer.status == 201, answer.text
        return Person(self, answer.json["user"]["id"], account["email"], answer.json["accessToken"])

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """Do something to the server's database, behind its back."""
        if self.database_url:
            with psycopg.connect(self.database_url, autocommit=True) as connection:
                cursor = connection.execute(statement)
                return cursor.fetchall() if cursor.description else []
        file = self.data_dir / "vibescore.db"
        with closing(sqlite3.connect(file, timeout=PATIENCE)) as lite, lite:
            return lite.execute(statement).fetchall()

    def sign_in(self, person: "Person") -> "Person":
        """The user, with an access token that holds by now."""
        return self.user(person.email)

    def user(self, email: str) -> "Person":
        """Somebody who signed up before, wherever that was, signed in."""
        answer = self.post("/api/auth/sessions", json={"email": email, "password": PASSWORD})
        assert answer.status == 200, answer.text
        return Person(self, answer.json["user"]["id"], email, answer.json["accessToken"])

    def command(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run ``vibescore-server`` with the server's settings and clock."""
        launcher = Path(__file__).with_name("command.py")
        return subprocess.run(
            [sys.executable, "-W", "error", launcher, self.clock, *arguments],
            env=self.env,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    @contextmanager
    def database(self) -> Iterator[Any]:
        """The server's own database, to be looked at or put in order by a test."""
        db = open_database(load_settings(data_dir=self.data_dir, database_url=self.database_url))
        with db.connection_context():
            yield db

    def stop(self) -> int:
        """End it as an administrator does; answers the exit code."""
        self.client.close()
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(PATIENCE)
        finally:
            self.process.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.stop()
        self.client.close()


@dataclass(frozen=True)
class Person:
    """A user of a server, signed in."""

    server: Server
    id: str
    email: str
    token: str

    def get(self, path: str, **params: Any) -> Response:
        return self.server.get(path, token=self.token, params=params)

    def post(self, path: str, **body: Any) -> Response:
        return self.server.post(path, token=self.token, json=body)

    def link(self, name: str = "laptop", key: str | None = None) -> "Machine":
        """A linked computer."""
        body = {"device_name": name, "platform": "linux"} | ({"device_key": key} if key else {})
        answer = self.post("device-token-issue", **body)
        assert answer.status == 200, answer.text
        return Machine(self, answer.json["device_id"], answer.json["token"])


@dataclass(frozen=True)
class Machine:
    """A computer of a person."""

    owner: Person
    id: str
    token: str

    def get(self, path: str, **params: Any) -> Response:
        return self.owner.server.get(path, token=self.token, params=params)

    def post(self, path: str, **body: Any) -> Response:
        return self.owner.server.post(path, token=self.token, json=body)

    def send(self, *rows: Mapping[str, Any]) -> Response:
        """Ingest rows."""
        return self.post("ingest", hourly=list(rows))


def row(hour_start: str = "2026-11-18T10:00:00Z", **fields: Any) -> dict[str, Any]:
    """A row of ingest in normal form; ``input`` and ``output`` and so on are short names."""
    tokens = {name: fields.pop(name, 0) for name in ("input", "cached_input", "output")}
    reasoning = fields.pop("reasoning_output", 0)
    total = fields.pop("total", tokens["input"] + tokens["output"])
    return {
        "hour_start": hour_start,
        "source": "codex",
        "model": "gpt-5.2-codex",
        **{f"{name}_tokens": count for name, count in tokens.items()},
        "reasoning_output_tokens": reasoning,
        "total_tokens": total,
        **fields,
    }


@contextmanager
def serving(folder: Path, database_url: str = "", **settings: object) -> Iterator[Server]:
    """Start a server; SQLite in ``folder`` unless there is a URL. A setting that is None is not
    set. It stops with the context.
    """
    with start(folder, database_url, NOW, **{**ROOMY, **settings}) as server:
        yield server


def start(folder: Path, database_url: str = "", now: str = NOW, **settings: object) -> Server:
    """A server that has begun to listen, on a free port of this machine; its clock shows ``now``.

    In a folder of an earlier one it goes on with the same data.
    """
    folder.mkdir(parents=True, exist_ok=True)
    clock, log = folder / "clock", folder / "server.log"
    clock.write_text(str(datetime.fromisoformat(now).timestamp()))
    env = {name: value for name, value in os.environ.items() if "VIBESCORE" not in name}
    wanted = {"data_dir": folder / "data", "database_url": database_url, "port": 0, **settings}
    env |= {
        f"VIBESCORE_SERVER_{name.upper()}": str(value)
        for name, value in wanted.items()
        if value is not None
    }
    launcher = Path(__file__).with_name("launch.py")
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-W", "error", launcher, clock],
            env=env,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    assert process.stdout
    with process.stdout as told:
        greeting = told.readline()
    assert "http://" in greeting, log.read_text()
    url = greeting.split()[-1]
    return Server(url, clock, process, log, database_url, folder / "data", env)


@contextmanager
def postgresql_database(server_url: str) -> Iterator[str]:
    """An empty database on a PostgreSQL server; it goes with the context."""
    name = f"vibescore_test_{secrets.token_hex(6)}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield f"{server_url.rpartition('/')[0]}/{name}"
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")

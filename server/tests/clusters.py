"""PostgreSQL for tests: a server that runs already, or a temporary one of our own."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

RUNNING = os.environ.get(
    "VIBESCORE_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432/postgres"
)
"""Looked at first: a server on which databases may be created."""


class NoPostgresql(Exception):
    """There is none, and none can be made; the text says why."""


def answers(url: str) -> bool:
    """Whether a server is there."""
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL server of our own, which may be stopped and started."""

    folder: Path
    programs: Path
    port: int
    user: str | None

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        self._control("start", "-l", str(self.folder / "log"), "-o", options)

    def stop(self, mode: str = "fast") -> None:
        self._control("stop", "-m", mode)

    def _control(self, *arguments: str) -> None:
        self.run("pg_ctl", "-w", "-D", str(self.folder / "data"), *arguments)

    def run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self.programs / program, *arguments],
            check=True,
            user=self.user,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
        )


@contextmanager
def temporary_cluster() -> Iterator[Cluster]:
    """Start a server for as long as the context lasts. Raises NoPostgresql."""
    folder = Path(tempfile.mkdtemp(prefix="vibescore-pg-"))
    cluster = Cluster(folder, _programs(), free_port(), _owner(folder))
    cluster.run("initdb", "-D", str(folder / "data"), "-U", "postgres", "-A", "trust", "-N")
    cluster.start()
    try:
        yield cluster
    finally:
        cluster.stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path:
    """Where PostgreSQL's programs lie: Debian keeps them off the path."""
    found = shutil.which("initdb")
    places = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not places:
        raise NoPostgresql(f"no server answers at {RUNNING}, and there is no initdb to make one")
    return places[-1]


def _owner(folder: Path) -> str | None:
    """PostgreSQL does not run as root: then it runs as its own user."""
    if os.geteuid() != 0:
        return None
    try:
        owner = pwd.getpwnam("postgres")
    except KeyError:
        raise NoPostgresql(
            "PostgreSQL does not run as root, and there is no postgres user"
        ) from None
    os.chown(folder, owner.pw_uid, owner.pw_gid)
    return owner.pw_name


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port

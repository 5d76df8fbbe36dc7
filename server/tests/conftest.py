"""Servers on SQLite and on PostgreSQL: a test that asks for ``server`` runs on both (SRV-23)."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import pytest
from clusters import RUNNING, NoPostgresql, answers, temporary_cluster
from exploring import load_profile
from serving import NOW, Server, postgresql_database, serving

load_profile()

Starter = Callable[..., Server]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """URL of a PostgreSQL server."""
    if answers(RUNNING):
        yield RUNNING
        return
    try:
        with temporary_cluster() as cluster:
            yield cluster.url
    except NoPostgresql as reason:
        pytest.skip(f"no PostgreSQL: {reason}")


@pytest.fixture(scope="session", params=("sqlite", "postgresql"))
def kind(request: pytest.FixtureRequest) -> str:
    """Which database the test runs on."""
    chosen: str = request.param
    return chosen


@pytest.fixture(scope="session")
def new_database(
    kind: str, request: pytest.FixtureRequest
) -> Callable[[], AbstractContextManager[str]]:
    """Makes an empty database for as long as its context lasts; see ``database_url``."""
    return lambda: database_url(kind, request)


@pytest.fixture(scope="session")
def shared_server(
    kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    with ExitStack() as stack:
        url = stack.enter_context(database_url(kind, request))
        yield stack.enter_context(serving(tmp_path_factory.mktemp("server"), url))


@pytest.fixture
def server(shared_server: Server) -> Server:
    """A server that other tests use too, open for sign-up, its clock at NOW."""
    shared_server.set_clock(NOW)
    return shared_server


@pytest.fixture
def fresh_server(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Starter]:
    """Starts a server of the test's own, with settings, on an empty database."""
    with ExitStack() as stack:

        def start(**settings: object) -> Server:
            url = stack.enter_context(database_url(kind, request))
            return stack.enter_context(serving(tmp_path / "server", url, **settings))

        yield start


@pytest.fixture(scope="session")
def lasting_server(
    kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Starter]:
    """Starts servers with settings that last for the session, each on an empty database."""
    with ExitStack() as stack:

        def start(**settings: object) -> Server:
            url = stack.enter_context(database_url(kind, request))
            folder = tmp_path_factory.mktemp("lasting")
            return stack.enter_context(serving(folder, url, **settings))

        yield start


@pytest.fixture
def postgresql_url(postgresql: str) -> Iterator[str]:
    """An empty database on PostgreSQL."""
    with postgresql_database(postgresql) as url:
        yield url


@pytest.fixture
def postgresql_server(postgresql_url: str, tmp_path: Path) -> Iterator[Starter]:
    """Starts a server of the test's own on PostgreSQL, which several processes can serve."""
    with ExitStack() as stack:

        def start(**settings: object) -> Server:
            return stack.enter_context(serving(tmp_path / "server", postgresql_url, **settings))

        yield start


@contextmanager
def database_url(kind: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database of a kind; the URL is empty for SQLite in the data directory."""
    if kind == "sqlite":
        yield ""
        return
    with postgresql_database(request.getfixturevalue("postgresql")) as url:
        yield url

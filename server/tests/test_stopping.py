"""However it is stopped, a server ends, and soon (issue sanic-org/sanic#2997)."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from raw_http import connection, head, read
from serving import Server, row, serving

Starter = Callable[..., Server]

SIGNALS = pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
STOP_SECONDS = 3
SOON = STOP_SECONDS + 4
PATIENCE = 60
"""Where it does not matter how long a stop may take: on a busy machine the client is slow."""
"""Seconds after which a server has ended, whatever happened."""


def seconds_to_end(server: Server, stop: signal.Signals) -> float:
    """Stop a server; answers how long it takes to end."""
    began = time.monotonic()
    server.process.send_signal(stop)
    server.process.wait(SOON)
    return time.monotonic() - began


def left_of(server: Server) -> list[int]:
    """The processes of a server that are still there a moment after it ended."""
    until = time.monotonic() + 2
    while (found := processes_of(server)) and time.monotonic() < until:
        pass
    return found


def processes_of(server: Server) -> list[int]:
    environment = f"VIBESCORE_SERVER_DATA_DIR={server.data_dir}".encode()
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and environment in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue  # it has just ended, or is another user's
    return found


@pytest.mark.requirement("SRV-22")
@SIGNALS
def test_a_server_that_answers_nobody_ends_at_once(
    fresh_server: Starter, stop: signal.Signals
) -> None:
    server = fresh_server(stop_seconds=STOP_SECONDS)
    assert server.get("/readyz").status == 200

    assert seconds_to_end(server, stop) < STOP_SECONDS
    assert (server.process.returncode, left_of(server)) == (0, [])


@pytest.mark.requirement("SRV-22")
@SIGNALS
def test_open_connections_do_not_hold_a_server_up(
    fresh_server: Starter, stop: signal.Signals
) -> None:
    server = fresh_server(stop_seconds=STOP_SECONDS)

    with connection(server) as used, connection(server) as unused:
        used.sendall(head("Connection: keep-alive"))
        assert read(used).status == 200
        assert seconds_to_end(server, stop) < STOP_SECONDS
        assert (used.recv(1), unused.recv(1)) == (b"", b"")
    assert left_of(server) == []


@pytest.mark.requirement("SRV-22")
@SIGNALS
def test_a_request_that_never_ends_does_not_hold_a_server_up(
    fresh_server: Starter, stop: signal.Signals
) -> None:
    server = fresh_server(stop_seconds=STOP_SECONDS)

    with connection(server) as line:
        line.sendall(head("Content-Length: 9", path="/api/auth/sessions", method="POST") + b"{")
        assert server.get("/healthz").status == 200
        seconds_to_end(server, stop)
    assert left_of(server) == []


@pytest.mark.requirement("SRV-01", "SRV-22")
@SIGNALS
def test_a_request_that_is_under_way_is_answered_first(
    fresh_server: Starter, stop: signal.Signals
) -> None:
    server = fresh_server(stop_seconds=PATIENCE)
    machine = server.sign_up().link()
    batch = json.dumps([row(input=1)]).encode()
    begun = head(
        f"Authorization: Bearer {machine.token}",
        "Content-Type: application/json",
        f"Content-Length: {len(batch)}",
        "Expect: 100-continue",
        path="/functions/vibescore-ingest",
        method="POST",
    )

    with connection(server) as line:
        line.sendall(begun)
        assert read(line).status == 100
        server.process.send_signal(stop)
        until_it_refuses(server)
        line.sendall(batch)
        answer = read(line)
    assert answer.json == {"success": True, "inserted": 1, "skipped": 0}
    assert answer.headers["connection"] == "close"
    server.process.wait(PATIENCE)
    assert left_of(server) == []


def until_it_refuses(server: Server) -> None:
    """Wait until no new connection is taken."""
    until = time.monotonic() + SOON
    while time.monotonic() < until:
        try:
            with connection(server):
                pass
        except OSError:
            return
    pytest.fail("it still takes connections")


@pytest.mark.requirement("SRV-22", "SRV-26")
@SIGNALS
@pytest.mark.parametrize("milliseconds", [0, 30, 60, 100, 150, 1000])
def test_several_processes_end_whenever_they_are_stopped(
    postgresql_server: Starter, stop: signal.Signals, milliseconds: int
) -> None:
    server = postgresql_server(workers=2, stop_seconds=STOP_SECONDS)
    assert server.get("/healthz").status == 200
    time.sleep(milliseconds / 1000)  # this is what the test is about

    seconds_to_end(server, stop)
    assert left_of(server) == []


@pytest.mark.requirement("SRV-22", "SRV-26")
def test_several_processes_end_with_open_connections(postgresql_server: Starter) -> None:
    server = postgresql_server(workers=2, stop_seconds=STOP_SECONDS)

    with connection(server) as used, connection(server) as busy:
        used.sendall(head("Connection: keep-alive"))
        assert read(used).status == 200
        busy.sendall(head("Content-Length: 9", path="/api/auth/sessions", method="POST") + b"{")
        seconds_to_end(server, signal.SIGTERM)
    assert left_of(server) == []


@pytest.mark.requirement("SRV-22", "SRV-26")
def test_a_worker_that_hangs_is_killed(postgresql_server: Starter) -> None:
    server = postgresql_server(workers=2, stop_seconds=STOP_SECONDS)
    assert server.get("/healthz").status == 200
    workers = [
        pid
        for pid in processes_of(server)
        if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    assert len(workers) >= 2

    for pid in workers:
        os.kill(pid, signal.SIGSTOP)

    seconds_to_end(server, signal.SIGTERM)
    assert left_of(server) == []


@pytest.mark.requirement("SRV-22", "SRV-26")
@SIGNALS
@pytest.mark.parametrize("workers", [1, 2])
def test_a_server_that_has_not_begun_ends(
    postgresql_url: str, tmp_path: Path, stop: signal.Signals, workers: int
) -> None:
    settings = {"workers": workers, "stop_seconds": STOP_SECONDS}
    with serving(tmp_path / "server", postgresql_url, **settings) as server:
        seconds_to_end(server, stop)
        assert left_of(server) == []

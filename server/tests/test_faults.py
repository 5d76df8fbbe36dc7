"""What a computer was told is kept, is kept once, whatever dies meanwhile (SRV-01, SRV-26)."""

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from clusters import Cluster, NoPostgresql, free_port, temporary_cluster
from serving import PATIENCE, Machine, Server, postgresql_database, row, serving

SENDERS = 4
AGAIN = (429, 503)
"""What a tracker takes for «later»."""


@dataclass
class Sender:
    """A computer that sends growing totals and tries again until it is told that they are kept."""

    machine: Machine
    base_url: str
    acknowledged: dict[tuple[str, str], int] = field(default_factory=dict)
    refused: set[int] = field(default_factory=set)
    broken: int = 0
    batches: int = 0

    def send(self, until: threading.Event) -> None:
        with httpx.Client(base_url=self.base_url, timeout=PATIENCE) as client:
            while not until.is_set():
                self._deliver(client, self._batch())
                self.batches += 1

    def _batch(self) -> list[dict[str, Any]]:
        """Some half-hours, some of them sent before, with totals that only grow."""
        hours = random.sample(range(40), 20)
        number = self.batches + 1
        return [
            row(f"2026-11-{1 + hour // 24:02}T{hour % 24:02}:00:00Z", model=model, input=number)
            for hour in hours
            for model in ("gpt-5.2-codex", "other")
        ]

    def _deliver(self, client: httpx.Client, rows: list[dict[str, Any]]) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                answer = client.post(
                    "/functions/vibescore-ingest",
                    json={"hourly": rows},
                    headers={"Authorization": f"Bearer {self.machine.token}"},
                )
            except httpx.TransportError:
                self.broken += 1
                continue
            if answer.status_code == 200:
                kept = {(each["hour_start"], each["model"]): each["input_tokens"] for each in rows}
                self.acknowledged |= kept
                return
            assert answer.status_code in AGAIN, answer.text
            assert int(answer.headers["Retry-After"]) >= 1
            self.refused.add(answer.status_code)
        raise AssertionError("the server did not come back")

    def check(self, server: Server) -> None:
        """Nothing is missing, nothing is there twice, and nothing that was not sent."""
        answer = server.get("device-rows", token=self.machine.token, params={"limit": 1000})
        kept = [
            ((each["hour_start"], each["model"]), each["input_tokens"])
            for each in answer.json["rows"]
        ]
        assert self.batches > 0
        assert dict(kept) == self.acknowledged
        assert len(kept) == len(self.acknowledged)


@contextmanager
def load(server: Server) -> Iterator[list[Sender]]:
    """Computers that send for as long as the context lasts; at its end all is acknowledged."""
    senders = [Sender(server.sign_up().link(), server.url) for _ in range(SENDERS)]
    done = threading.Event()
    with ThreadPoolExecutor(SENDERS) as threads:
        try:
            sending = [threads.submit(sender.send, done) for sender in senders]
            yield senders
        finally:
            done.set()
        for each in sending:
            each.result()


def wait_for(what: Callable[[], bool]) -> None:
    """Look until it is so."""
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline, "it never came"
        threading.Event().wait(0.01)


def more_batches(senders: list[Sender], count: int = 5) -> None:
    """Wait until each has sent some more."""
    goal = [sender.batches + count for sender in senders]
    wait_for(lambda: all(each.batches >= most for each, most in zip(senders, goal, strict=True)))


@pytest.mark.requirement("SRV-01", "SRV-23")
def test_a_server_killed_under_load_lost_nothing_that_it_acknowledged(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        url = ""
        if kind == "postgresql":
            url = stack.enter_context(postgresql_database(request.getfixturevalue("postgresql")))
        port = free_port()
        server = stack.enter_context(serving(tmp_path, url, port=port))
        with load(server) as senders:
            for _ in range(3):
                more_batches(senders)
                server.process.kill()
                server.process.wait()
                server = stack.enter_context(serving(tmp_path, url, port=port))
            more_batches(senders)

        assert sum(sender.broken for sender in senders) > 0, "nobody noticed"
        for sender in senders:
            sender.check(server)


@pytest.mark.requirement("SRV-26")
def test_a_killed_worker_is_replaced_and_nothing_is_lost(postgresql: str, tmp_path: Path) -> None:
    with (
        postgresql_database(postgresql) as url,
        serving(tmp_path, url, workers=2) as server,
    ):
        with load(server) as senders:
            for _ in range(2):
                more_batches(senders)
                victim = random.choice(children(server.process.pid))
                os.kill(victim, signal.SIGKILL)
                wait_for(partial(is_gone, victim, server))
                wait_for(lambda: len(children(server.process.pid)) >= 2)
            more_batches(senders)

        for sender in senders:
            sender.check(server)


def is_gone(pid: int, server: Server) -> bool:
    return pid not in children(server.process.pid)


def children(parent: int) -> list[int]:
    """The worker processes of a server."""
    found = subprocess.run(
        ["pgrep", "--parent", str(parent), "--full", "spawn_main"],
        capture_output=True,
        text=True,
        check=False,
    )
    return [int(line) for line in found.stdout.split()]


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    try:
        with temporary_cluster() as cluster:
            yield cluster
    except NoPostgresql as reason:
        pytest.skip(f"no PostgreSQL of our own: {reason}")


@pytest.mark.requirement("SRV-01", "SRV-23")
@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_database_restarted_under_load_is_waited_for(
    cluster: Cluster, tmp_path: Path, mode: str
) -> None:
    with serving(tmp_path, cluster.url) as server:
        with load(server) as senders:
            more_batches(senders)
            cluster.stop(mode)
            wait_for(lambda: all(503 in sender.refused for sender in senders))
            assert server.get("/healthz").status == 200
            assert server.get("/readyz").status == 503
            cluster.start()
            more_batches(senders)

        for sender in senders:
            sender.check(server)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no small disk can be made here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.mark.requirement("SRV-01")
def test_a_full_disk_is_told_and_nothing_is_lost(small_disk: Path, tmp_path: Path) -> None:
    data = small_disk / "data"
    with serving(tmp_path, data_dir=data) as server:
        with load(server) as senders:
            more_batches(senders)
            fill = small_disk / "fill"
            with suppress(OSError), fill.open("wb", buffering=0) as file:
                while file.write(b"\0" * 4096):
                    pass
            wait_for(lambda: all(503 in sender.refused for sender in senders))
            fill.unlink()
            more_batches(senders)

        for sender in senders:
            sender.check(server)


@pytest.mark.requirement("SRV-20")
def test_twice_as_many_requests_as_allowed_are_told_to_come_back(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    limit = 4
    with ExitStack() as stack:
        url = ""
        if kind == "postgresql":
            url = stack.enter_context(postgresql_database(request.getfixturevalue("postgresql")))
        server = stack.enter_context(serving(tmp_path, url, max_in_flight=limit))
        senders = [Sender(server.sign_up().link(), server.url) for _ in range(2 * limit)]
        done = threading.Event()
        with ThreadPoolExecutor(len(senders)) as threads:
            sending = [threads.submit(sender.send, done) for sender in senders]
            try:
                more_batches(senders, 10)
                wait_for(lambda: any(503 in sender.refused for sender in senders))
                assert server.get("/healthz").status == 200
            finally:
                done.set()
            for each in sending:
                each.result()

        for sender in senders:
            sender.check(server)

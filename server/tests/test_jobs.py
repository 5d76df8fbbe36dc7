"""Work by the clock: by one process at a time, in its time, and to its end (SRV-18, SRV-26)."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from launch import FileClock
from serving import NOW, PATIENCE, SERVICE_TOKEN, Server, row

from vibescore_server.jobs import JOBS
from vibescore_server.jobs.lease import lease
from vibescore_server.jobs.scheduler import run_due
from vibescore_server.queries import jobs as questions
from vibescore_server.queries.jobs import LeaseLost
from vibescore_server.services import Services
from vibescore_server.settings import load_settings

DUE = """
import asyncio, sys
from pathlib import Path
from launch import FileClock
from vibescore_server.jobs.scheduler import run_due
from vibescore_server.services import Services
from vibescore_server.settings import load_settings

async def main():
    services = Services.start(load_settings(), FileClock(Path(sys.argv[1])))
    sys.stdin.readline()
    await run_due(services)
    services.stop()

print("ready", flush=True)
asyncio.run(main())
"""
"""A process that does what is due once it is told to."""


@contextmanager
def services_of(server: Server) -> Iterator[Services]:
    """Another process's view of the server's database, in this one."""
    settings = load_settings(data_dir=server.data_dir, database_url=server.database_url)
    services = Services.start(settings, FileClock(server.clock))
    try:
        yield services
    finally:
        services.stop()


def due(server: Server) -> None:
    """What the scheduler does at each tick."""
    with services_of(server) as services:
        asyncio.run(run_due(services))


def generation(server: Server) -> int:
    """How often the board of the week was refreshed."""
    with server.database() as db:
        found = db.execute_sql(
            "SELECT generation FROM leaderboard_generation WHERE period = 'week'"
        ).fetchone()
    return int(found[0]) if found else 0


def count(server: Server, table: str) -> int:
    with server.database() as db:
        (rows,) = db.execute_sql(f"SELECT count(*) FROM {table}").fetchone()
    return int(rows)


def retention(server: Server, **body: Any) -> Any:
    answer = server.post("events-retention", token=SERVICE_TOKEN, json=body)
    assert answer.status == 200, answer.text
    return answer.json


@pytest.mark.requirement("SRV-15", "SRV-26")
def test_a_job_is_due_once_in_every_stretch_of_the_clock(
    fresh_server: Callable[..., Server],
) -> None:
    server = fresh_server()
    times = [
        ("2026-11-18T12:07:00Z", 1),
        ("2026-11-18T12:14:59Z", 1),
        ("2026-11-18T12:15:00Z", 2),
        ("2026-11-18T12:15:01Z", 2),
        ("2026-11-18T23:59:59Z", 3),
        ("2026-11-19T00:00:00Z", 4),  # a new day has its board at once
    ]
    for moment, times_done in times:
        server.set_clock(moment)
        due(server)
        assert (moment, generation(server)) == (moment, times_done)


@pytest.mark.requirement("SRV-26")
def test_of_processes_that_race_one_does_the_job(fresh_server: Callable[..., Server]) -> None:
    server = fresh_server()
    here = Path(__file__).parent
    racers = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", DUE, server.clock],
            env={**server.env, "PYTHONPATH": str(here)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for racer in racers:
        assert racer.stdout
        racer.stdout.readline()
    for racer in racers:
        assert racer.stdin
        racer.stdin.write("now\n")
        racer.stdin.flush()
    for racer in racers:
        racer.communicate(timeout=PATIENCE)
        assert racer.returncode == 0
    assert generation(server) == 1


@pytest.mark.requirement("SRV-15")
def test_a_server_does_by_itself_what_is_due(fresh_server: Callable[..., Server]) -> None:
    server = fresh_server(scheduler="true")
    until = time.monotonic() + PATIENCE
    while generation(server) == 0:
        assert time.monotonic() < until
    assert server.stop() == 0


@pytest.mark.requirement("SRV-26")
def test_a_job_that_is_being_done_is_not_done_twice(fresh_server: Callable[..., Server]) -> None:
    server = fresh_server()
    with services_of(server) as services:
        asyncio.run(
            services.database.write(
                questions.take, "leaderboard", "another", now=int(services.now())
            )
        )

    refused = server.post("leaderboard-refresh", token=SERVICE_TOKEN, json={})
    assert (refused.status, refused.json["error"]) == (409, "JOB_RUNNING")
    told = server.command("jobs", "run", "leaderboard")
    assert (told.returncode, told.stdout) == (1, "")
    assert "'leaderboard' is running already" in told.stderr
    due(server)
    assert generation(server) == 0
    assert retention(server)["ok"] is True  # another job is not held up

    server.set_clock("2026-11-18T12:04:59Z")
    assert server.post("leaderboard-refresh", token=SERVICE_TOKEN, json={}).status == 409
    server.set_clock("2026-11-18T12:05:00Z")  # its holder must have died
    assert server.post("leaderboard-refresh", token=SERVICE_TOKEN, json={}).status == 200
    assert server.command("jobs", "run", "leaderboard").returncode == 0
    assert generation(server) == 2


@pytest.mark.requirement("SRV-26")
def test_a_process_that_was_held_up_changes_nothing_any_more(
    fresh_server: Callable[..., Server],
) -> None:
    server = fresh_server()
    server.sign_up().link().send(row(total=5))

    async def held_up(services: Services) -> None:
        async with lease(services, "leaderboard") as mine:
            server.set_clock("2026-11-18T12:05:00Z")
            async with lease(services, "leaderboard"):
                with pytest.raises(LeaseLost):
                    await JOBS[1].do(mine)

    with services_of(server) as services:
        asyncio.run(held_up(services))
    assert generation(server) == 0
    assert count(server, "leaderboard_snapshot") == 0
    due(server)
    assert generation(server) == 1


@pytest.mark.requirement("SRV-26")
def test_a_job_that_fails_is_noted_and_due_again(fresh_server: Callable[..., Server]) -> None:
    server = fresh_server()
    with server.database() as db:
        db.execute_sql("ALTER TABLE leaderboard_snapshot RENAME TO elsewhere")

    failed = server.command("jobs", "run", "leaderboard")
    assert failed.returncode == 1
    report = json.loads(failed.stdout)
    assert report["success"] is False
    assert {each["period"] for each in report["results"] if each["error"]} == {
        "day",
        "week",
        "month",
        "total",
    }
    assert "failed" in state(server, "leaderboard")
    with server.database() as db:
        db.execute_sql("ALTER TABLE elsewhere RENAME TO leaderboard_snapshot")
    server.set_clock("2026-11-18T12:15:00Z")
    due(server)
    assert "2026-11-18T12:15:00Z done" in state(server, "leaderboard")


def state(server: Server, job: str) -> str:
    """The line of ``jobs list`` about a job."""
    told = server.command("jobs", "list")
    assert told.returncode == 0, told.stderr
    return next(line for line in told.stdout.splitlines() if line.startswith(job))


@pytest.mark.requirement("SRV-26")
def test_jobs_are_listed_with_their_last_run(fresh_server: Callable[..., Server]) -> None:
    server = fresh_server(leaderboard_minutes=30)
    assert state(server, "leaderboard").split()[:5] == ["leaderboard", "30", "min", "not", "yet"]
    assert state(server, "pricing").split()[1] == "never"
    done = server.command("jobs", "run", "retention")
    assert (done.returncode, json.loads(done.stdout)) == (0, {"batches": 0, "expired": 0})
    assert f"{NOW} done" in state(server, "retention")
    unknown = server.command("jobs", "run", "laundry")
    assert unknown.returncode == 2
    assert "laundry" in unknown.stderr


@pytest.mark.requirement("SRV-18")
def test_the_ingest_log_lives_thirty_days_and_usage_for_good(
    fresh_server: Callable[..., Server],
) -> None:
    server = fresh_server()
    machine = server.sign_up().link()
    for moment in ("2026-10-19T11:59:59Z", "2026-10-19T12:00:00Z", NOW):
        server.set_clock(moment)
        machine.send(row(total=5))
    told = {"ok": True, "days": 30, "cutoff": "2026-10-19T12:00:00Z", "deleted": 0}

    would = retention(server, days=30, dry_run=True, include_ingest_batches=True)
    assert would == told | {"dry_run": True, "deleted_ingest_batches": 1}
    without = retention(server, include_ingest_batches=False)
    assert without == told | {"dry_run": False, "deleted_ingest_batches": 0}
    assert count(server, "ingest_log") == 3
    removed = retention(server)
    assert removed == told | {"dry_run": False, "deleted_ingest_batches": 1}
    assert retention(server)["deleted_ingest_batches"] == 0
    assert retention(server, days=1)["deleted_ingest_batches"] == 1
    assert (count(server, "ingest_log"), count(server, "usage_half_hour")) == (1, 1)


@pytest.mark.requirement("SRV-18")
def test_the_job_removes_what_is_older_than_the_setting(
    fresh_server: Callable[..., Server],
) -> None:
    server = fresh_server(retention_days=7)
    machine = server.sign_up().link()
    for moment in ("2026-11-11T11:59:59Z", "2026-11-11T12:00:00Z"):
        server.set_clock(moment)
        machine.send(row(total=5))
    server.set_clock(NOW)

    done = server.command("jobs", "run", "retention")
    assert json.loads(done.stdout)["batches"] == 1
    assert count(server, "ingest_log") == 1


@pytest.mark.requirement("SRV-18")
def test_sessions_and_attempts_that_expired_are_removed(
    fresh_server: Callable[..., Server],
) -> None:
    server = fresh_server()
    server.sign_up()
    assert (count(server, "refresh_token"), count(server, "attempt")) == (1, 1)
    server.command("jobs", "run", "retention")
    assert count(server, "refresh_token") == 1
    server.set_clock("2026-12-18T12:00:00Z")

    done = server.command("jobs", "run", "retention")
    assert json.loads(done.stdout)["expired"] == 2
    assert (count(server, "refresh_token"), count(server, "attempt")) == (0, 0)


@pytest.mark.requirement("SRV-18")
@pytest.mark.parametrize("wrong", [{"days": 0}, {"days": "x"}, {"dry_run": 1}, {"days": 10**9}])
def test_a_bad_wish_is_named(server: Server, wrong: dict[str, Any]) -> None:
    answer = server.post("events-retention", token=SERVICE_TOKEN, json=wrong)
    assert (answer.status, answer.json["field"]) == (400, next(iter(wrong)))


@pytest.mark.requirement("SRV-18")
def test_only_the_service_may_keep_house(server: Server) -> None:
    assert server.sign_up().post("events-retention").status == 401
    assert server.post("events-retention", json={}).status == 401

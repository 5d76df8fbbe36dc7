"""``vibescore-server jobs``: what is done by the clock, now or by another clock (SRV-26)."""

import asyncio
import sys
from collections.abc import Callable

import click
import msgspec

from vibescore_server import jobs
from vibescore_server.cli.opened import opened
from vibescore_server.cli.table import print_table
from vibescore_server.jobs.reports import Report
from vibescore_server.queries.jobs import JobRow, listed
from vibescore_server.routes.words import instant
from vibescore_server.services import Services
from vibescore_server.settings import load_settings

Clock = Callable[[], float]


@click.group("jobs")
def command() -> None:
    """Work by the clock: a server does it by itself, unless VIBESCORE_SERVER_SCHEDULER is false.

    \b
    Examples:
      vibescore-server jobs list
      vibescore-server jobs run leaderboard
    """


@command.command()
@click.argument("name", type=click.Choice([job.name for job in jobs.JOBS]))
@click.pass_obj
def run(now: Clock, name: str) -> None:
    """Do a job now, print its report as JSON, and exit 1 if a part of it failed.

    \b
    Examples:
      vibescore-server jobs run leaderboard
      vibescore-server jobs run retention
    """
    with opened():
        pass
    job = next(job for job in jobs.JOBS if job.name == name)
    report = asyncio.run(once(job, now))
    click.echo(msgspec.json.encode(report))
    sys.exit(0 if report.succeeded else 1)


async def once(job: jobs.Job, now: Clock) -> Report:
    services = Services.start(load_settings(), now)
    try:
        return await jobs.run(services, job)
    finally:
        services.stop()


@command.command("list")
@click.pass_obj
def list_(now: Clock) -> None:
    """List the jobs: how often they are done, and how the last time went.

    \b
    Example:
      vibescore-server jobs list
    """
    settings = load_settings()
    with opened() as db:
        known = {row.name: row for row in listed(db)}
    rows = [
        (job.name, often(job.every(settings)), state(known.get(job.name), int(now())), job.about)
        for job in jobs.JOBS
    ]
    print_table(("Job", "Every", "Last time", "What it does"), rows)


def often(seconds: int) -> str:
    return f"{seconds // 60} min" if seconds else "never"


def state(row: JobRow | None, now: int) -> str:
    """How a job is doing at a UTC second."""
    if row is None:
        return "not yet"
    if row.holder and row.held_until and row.held_until > now:
        return "is running"
    if row.began_at is None:
        return "not yet"
    return f"{instant(row.began_at)} {'failed' if row.failed else 'done'}"

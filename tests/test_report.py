"""Reports in local days: sums equal the export in every time zone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from rollouts import NOTHING, Chat, Counters, Rollout, Truth, moment, truth_of, write
from support import Computer

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/Los_Angeles",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Kiritimati",
)
CHANGES = ("2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2026-11-01")
"""Days on which some of these zones change their clocks."""


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> tuple[Computer, Truth]:
    """A computer on which every half-hour around the changes of clocks was used."""
    if not Path("/usr/share/zoneinfo/Asia/Kathmandu").exists():
        pytest.skip("this system knows no time zones: its tzdata is not installed")
    computer = Computer(tmp_path_factory.mktemp("used"))
    rollout = Rollout(1, "2026-03-01T00:00:00").meta().model("gpt-5.1")
    for step, start in enumerate(half_hours()):
        rollout.usage(1_000 + step * step, 500, 7 + step, 3, at=f"{start:%Y-%m-%dT%H:%M:%S}")
    rollout.save(computer.home)
    chat = Chat(2, "2026-10-25T00:00:01")
    for step, start in enumerate(half_hours()):
        chat.answer(f"m{step}", 10 + step, 2, 5, 1, 1, at=f"{start:%Y-%m-%dT%H:%M:59}")
    write(chat.path(computer.home, ending=".json"), chat.document())
    computer.sync()
    return computer, truth_of(rollout, chat)


def half_hours() -> Iterable[datetime]:
    """Those of the day before each change, of the day itself, and of the day after."""
    for day in CHANGES:
        for step in range(-48, 96):
            yield moment(f"{day}T00:00:00") + timedelta(minutes=30 * step)


def local_day(hour: str, zone: str) -> date:
    return datetime.fromisoformat(hour).astimezone(ZoneInfo(zone)).date()


def total(rows: Iterable[Counters]) -> Counters:
    sums = NOTHING
    for row in rows:
        sums = sums.plus(row)
    return sums


def by_day(truth: Truth, zone: str) -> dict[str, Counters]:
    days: dict[str, Counters] = {}
    for (_, _, hour), counters in truth.items():
        day = local_day(hour, zone).isoformat()
        days[day] = days.get(day, NOTHING).plus(counters)
    return dict(sorted(days.items()))


def counters_of(row: Mapping[str, Any]) -> Counters:
    return Counters(**{name: row[name] for name in Counters._fields})


@pytest.mark.requirement("CLI-09", "COL-10")
@pytest.mark.parametrize("zone", ZONES)
def test_each_local_day_has_the_sum_of_its_half_hours(
    zone: str, used: tuple[Computer, Truth]
) -> None:
    computer, truth = used
    ran = computer.program("report", "daily", "--json", TZ=zone)
    assert (ran.code, ran.errors) == (0, "")
    report = json.loads(ran.output)
    days = {row["day"]: counters_of(row) for row in report["days"]}
    assert list(days.items()) == list(by_day(truth, zone).items())
    assert counters_of(report["total"]) == total(truth.values())


@pytest.mark.requirement("CLI-09")
@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kathmandu"])
def test_the_table_shows_the_same_numbers(zone: str, used: tuple[Computer, Truth]) -> None:
    computer, truth = used
    ran = computer.program("report", "daily", TZ=zone)
    for day, counters in [*by_day(truth, zone).items(), ("Total", total(truth.values()))]:
        (line,) = (line for line in ran.output.splitlines() if line.split()[:1] == [day])
        assert line.split()[1:] == [f"{count:,}" for count in counters]
    assert re.search(r"Tokens by local day \(.*UTC[+-]\d\d:\d\d\)", ran.output)


@pytest.mark.requirement("CLI-09", "COL-10")
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/Los_Angeles"])
@pytest.mark.parametrize("hour", ["2026-10-25T00:45", "2026-10-26T06:20", "2026-03-08T12:00"])
def test_today_and_this_week_are_those_of_the_local_calendar(
    hour: str, zone: str, used: tuple[Computer, Truth]
) -> None:
    computer, truth = used
    now = moment(hour).astimezone(ZoneInfo(zone))
    monday = now.date() - timedelta(days=now.weekday())
    with time_machine.travel(now, tick=False):
        report = json.loads(computer.run("report", "--json").output)
        text = computer.run("report").output
    days = {key: local_day(key[2], zone) for key in truth}
    today = {key: truth[key] for key, day in days.items() if day == now.date()}
    week = {key: truth[key] for key, day in days.items() if monday <= day <= now.date()}
    assert report["today"]["day"] == now.date().isoformat()
    assert report["week"]["from"] == monday.isoformat()
    assert by_model(report["today"]) == summed_by_model(today)
    assert by_model(report["week"]) == summed_by_model(week)
    assert counters_of(report["today"]["total"]) == total(today.values())
    assert counters_of(report["week"]["total"]) == total(week.values())
    assert f"Today, {now:%A} {now.date().isoformat()}" in text
    assert f"{total(week.values()).total_tokens:,}" in text


def by_model(period: Mapping[str, Any]) -> dict[tuple[str, str], Counters]:
    return {(row["source"], row["model"]): counters_of(row) for row in period["models"]}


def summed_by_model(rows: Truth) -> dict[tuple[str, str], Counters]:
    sums: dict[tuple[str, str], Counters] = {}
    for (source, model, _), counters in rows.items():
        sums[source, model] = sums.get((source, model), NOTHING).plus(counters)
    return sums


@pytest.mark.requirement("CLI-09")
def test_before_the_first_sync_the_report_says_how_to_get_one(computer: Computer) -> None:
    assert "'vibescore sync --offline'" in computer.run("report", "daily").output
    assert "no usage" in computer.run("report").output
    report = json.loads(computer.run("report", "daily", "--json").output)
    assert (report["days"], counters_of(report["total"])) == ([], NOTHING)

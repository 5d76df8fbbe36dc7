"""Reports in local periods: they equal the export, added up in another way, in every time zone."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from jsonschema import Draft202012Validator, FormatChecker  # type: ignore[import-untyped]
from rollouts import NOTHING, Chat, Counters, Rollout, Truth, moment, write
from support import Computer

from vibescore.answers import schema

ZONES = (
    "UTC",
    "Africa/Casablanca",
    "America/Los_Angeles",
    "America/New_York",
    "America/Nuuk",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Asia/Tehran",
    "Asia/Tokyo",
    "Australia/Adelaide",
    "Australia/Eucla",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Europe/London",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Pacific/Marquesas",
)
CHANGES = (
    "2026-03-08",
    "2026-03-29",
    "2026-04-05",
    "2026-09-27",
    "2026-10-04",
    "2026-10-25",
    "2026-11-01",
)
"""Days on which some of these zones change their clocks."""

REPORTS = ("hourly", "daily", "weekly", "monthly", "models", "sources")
ALWAYS = ("--since", "1970-01-01")
SCHEMA = Path(__file__).parents[1] / "docs/report.schema.json"
NAMES: Mapping[str, Callable[[datetime], str]] = {
    "hourly": lambda local: f"{local:%Y-%m-%dT%H}:00{local.isoformat()[-6:]}",
    "daily": lambda local: f"{local:%Y-%m-%d}",
    "weekly": lambda local: str(date.fromisocalendar(*local.isocalendar()[:2], 1)),
    "monthly": lambda local: f"{local:%Y-%m}",
}
USD_PER_MILLION = {
    "gpt-5.1": (Fraction("1.25"), Fraction("0.125"), Fraction(10)),
    "gemini-3-pro": (Fraction(2), Fraction("0.2"), Fraction(12)),
}
"""Input, cached input, output."""


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Computer:
    """A computer on which every half-hour around the changes of clocks was used."""
    computer = Computer(tmp_path_factory.mktemp("used"))
    rollout = Rollout(1, "2026-03-01T00:00:00").meta().model("gpt-5.1")
    chat = Chat(2, "2026-03-01T00:00:01")
    for step, start in enumerate(half_hours()):
        rollout.usage(1_000 + step * step, 500, 7 + step, 3, at=f"{start:%Y-%m-%dT%H:%M:%S}")
        chat.answer(f"m{step}", 10 + step, 2, 5, 1, 1, at=f"{start:%Y-%m-%dT%H:%M:59}")
    rollout.save(computer.home)
    write(chat.path(computer.home, ending=".json"), chat.document())
    secret = Rollout(3, "2026-01-15T12:00:00").meta().model("mystery-1").turns(2)
    secret.usage(5, 4, 3, 2, at="2026-03-08T12:00:00").save(computer.home)
    computer.sync()
    return computer


@pytest.fixture(scope="module")
def rows(used: Computer) -> Truth:
    return used.export()


def half_hours() -> Iterable[datetime]:
    """Those of the day before each change, of the day itself, and of the day after."""
    for day in CHANGES:
        for step in range(-48, 96):
            yield moment(f"{day}T00:00:00") + timedelta(minutes=30 * step)


def local(hour: str, zone: str) -> datetime:
    return datetime.fromisoformat(hour).astimezone(ZoneInfo(zone))


def total(rows: Iterable[Counters]) -> Counters:
    sums = NOTHING
    for row in rows:
        sums = sums.plus(row)
    return sums


def grouped(rows: Truth, name: Callable[[tuple[str, str, str]], Any]) -> dict[Any, Truth]:
    groups: dict[Any, Truth] = {}
    for key, counters in rows.items():
        groups.setdefault(name(key), {})[key] = counters
    return groups


def expected(rows: Truth) -> dict[str, Any]:
    """The totals of some rows, their cost in fractions of a dollar."""
    known = {key: row for key, row in rows.items() if key[1] in USD_PER_MILLION}
    unpriced = total(rows.values()).total_tokens - total(known.values()).total_tokens
    usd = sum((usd_of(*key[:2], row) for key, row in known.items()), Fraction())
    cost = usd if known else None
    return total(rows.values())._asdict() | {"cost_usd": cost, "unpriced_tokens": unpriced}


def usd_of(source: str, model: str, row: Counters) -> Fraction:
    per_input, per_cached, per_output = USD_PER_MILLION[model]
    written = row.output_tokens
    if source == "gemini":
        written += row.reasoning_output_tokens
    fresh = row.input_tokens - row.cached_input_tokens
    millions = fresh * per_input + row.cached_input_tokens * per_cached + written * per_output
    return millions / 1_000_000


def told(totals: Mapping[str, Any]) -> dict[str, Any]:
    """Totals as a report tells them, the cost as a fraction."""
    cost = totals["cost_usd"]
    return {**totals, "cost_usd": None if cost is None else Fraction(cost)}


def report(computer: Computer, *arguments: str) -> Any:
    """An answer in JSON, which keeps to the documented schema."""
    ran = computer.run("report", *arguments, "--json")
    assert (ran.code, ran.errors) == (0, "")
    answer = json.loads(ran.output)
    validator = Draft202012Validator(
        json.loads(SCHEMA.read_text("utf-8")), format_checker=FormatChecker()
    )
    assert list(validator.iter_errors(answer)) == []
    return answer


def table_rows(text: str) -> list[list[str]]:
    """The cells of the lines of a table, its heading aside."""
    below = text.partition("──\n")[2]
    return [re.split(r" {2,}", line.strip()) for line in below.splitlines() if "  " in line]


@pytest.mark.requirement("CLI-09", "COL-10")
@pytest.mark.parametrize("by", NAMES)
@pytest.mark.parametrize("zone", ZONES)
def test_each_local_period_is_the_sum_of_the_half_hours_that_start_in_it(
    zone: str, by: str, used: Computer, rows: Truth
) -> None:
    answer = report(used, by, "--timezone", zone, *ALWAYS)
    periods = grouped(rows, lambda key: NAMES[by](local(key[2], zone)))
    in_time = sorted(periods, key=lambda name: min(hour for _, _, hour in periods[name]))
    assert [row["period"] for row in answer["rows"]] == in_time
    for row in answer["rows"]:
        its = periods[row["period"]]
        assert told(row["totals"]) == expected(its)
        assert row["models"] == sorted({model for _, model, _ in its})
    assert told(answer["totals"]) == expected(rows)
    assert (answer["report"], answer["timezone"]) == (by, zone)


DAYS = [
    ("Europe/Berlin", "2026-03-29", 23, 46),
    ("Europe/Berlin", "2026-10-25", 25, 50),
    ("America/Los_Angeles", "2026-03-08", 23, 46),
    ("America/Los_Angeles", "2026-11-01", 25, 50),
    ("America/St_Johns", "2026-03-08", 23, 46),
    ("America/St_Johns", "2026-11-01", 25, 50),
    ("Australia/Lord_Howe", "2026-04-05", 25, 49),  # clocks go back by half an hour
    ("Australia/Lord_Howe", "2026-10-04", 24, 47),
    ("Pacific/Chatham", "2026-04-05", 26, 50),  # from 03:45 to 02:45: parts of two hours repeat
    ("Pacific/Chatham", "2026-09-27", 24, 46),
    ("Asia/Kathmandu", "2026-03-29", 24, 48),
]


@pytest.mark.requirement("CLI-09", "SRV-08")
@pytest.mark.parametrize("zone, day, hours, half_hours", DAYS)
def test_a_day_that_changes_its_clocks_has_all_its_half_hours_in_hours_that_differ(
    zone: str, day: str, hours: int, half_hours: int, used: Computer
) -> None:
    only = ("--since", day, "--until", day, "--model", "gpt-5.1", "--timezone", zone)
    (row,) = report(used, "daily", *only)["rows"]
    assert row["totals"]["reasoning_output_tokens"] == 3 * half_hours
    hourly = report(used, "hourly", *only)
    names = [row["period"] for row in hourly["rows"]]
    assert len(set(names)) == len(names) == hours
    assert {name[:10] for name in names} == {day}
    assert hourly["totals"] == row["totals"]


@pytest.mark.requirement("CLI-09")
def test_the_hour_that_a_night_has_twice_shows_its_offset(used: Computer) -> None:
    days = ("--since", "2026-10-25", "--until", "2026-10-25", "--timezone", "Europe/Berlin")
    shown = [row[0] for row in table_rows(used.run("report", "hourly", *days).output)]
    assert shown[2:4] == ["2026-10-25 02:00 +02:00", "2026-10-25 02:00 +01:00"]


@pytest.mark.requirement("CLI-09")
@pytest.mark.parametrize("by", ["models", "sources"])
def test_models_and_sources_are_listed_with_their_share(
    by: str, used: Computer, rows: Truth
) -> None:
    names = ("source", "model")[: 2 if by == "models" else 1]
    groups = grouped(rows, lambda key: key[: len(names)])
    answer = report(used, by)
    listed = {tuple(row[name] for name in names): row for row in answer["rows"]}
    assert list(listed) == sorted(groups, key=lambda key: -total(groups[key].values())[-1])
    for key, row in listed.items():
        assert told(row["totals"]) == expected(groups[key])
        share = total(groups[key].values())[-1] / total(rows.values())[-1]
        assert row["share"] == pytest.approx(share, abs=0.00005)
    assert told(answer["totals"]) == expected(rows)


def by_model(rows: Truth) -> dict[tuple[str, str], dict[str, Any]]:
    return {key: expected(its) for key, its in grouped(rows, lambda key: key[:2]).items()}


def told_by_model(span: Mapping[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["source"], row["model"]): told(row["totals"]) for row in span["rows"]}


@pytest.mark.requirement("CLI-09", "COL-10")
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/Los_Angeles"])
@pytest.mark.parametrize("hour", ["2026-10-25T00:45", "2026-10-26T06:20", "2026-03-08T12:00"])
def test_today_and_this_week_are_those_of_the_local_calendar(
    hour: str, zone: str, used: Computer, rows: Truth
) -> None:
    now = moment(hour).astimezone(ZoneInfo(zone))
    monday = now.date() - timedelta(days=now.weekday())
    with time_machine.travel(now, tick=False):
        today, week = report(used, "--timezone", zone)["spans"]
        text = used.run("report", "--timezone", zone).output
    days = {key: local(key[2], zone).date() for key in rows}
    todays = {key: rows[key] for key, day in days.items() if day == now.date()}
    weeks = {key: rows[key] for key, day in days.items() if monday <= day <= now.date()}
    assert (today["name"], today["since"], today["until"]) == ("today", *2 * (str(now.date()),))
    assert (week["name"], week["since"]) == ("week", str(monday))
    assert told_by_model(today) == by_model(todays)
    assert told_by_model(week) == by_model(weeks)
    assert told(week["totals"]) == expected(weeks)
    assert f"Today, {now:%A} {now.date().isoformat()}" in text
    assert f"{total(weeks.values()).total_tokens:,}" in text


@pytest.mark.requirement("CLI-09")
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Los_Angeles", "Asia/Kathmandu"])
def test_without_a_zone_the_days_are_those_of_the_computer(
    zone: str, used: Computer, rows: Truth
) -> None:
    if not Path("/usr/share/zoneinfo", zone).exists():
        pytest.skip("this system knows no time zones: its tzdata is not installed")
    ran = used.program("report", "daily", "--json", TZ=zone)
    assert (ran.code, ran.errors) == (0, "")
    days = {row["period"]: told(row["totals"]) for row in json.loads(ran.output)["rows"]}
    assert days == {
        day: expected(its)
        for day, its in grouped(rows, lambda key: str(local(key[2], zone).date())).items()
    }
    shown = used.program("report", "daily", TZ=zone).output
    assert re.search(r"Tokens by local day \(.*UTC[+-]\d\d:\d\d\)", shown)


@pytest.mark.requirement("CLI-09")
@pytest.mark.parametrize("by", ["daily", "weekly", "monthly"])
def test_the_table_shows_the_same_numbers_and_a_line_of_totals(
    by: str, used: Computer, rows: Truth
) -> None:
    shown = table_rows(used.run("report", by, "--timezone", "Asia/Kathmandu").output)
    periods = grouped(rows, lambda key: NAMES[by](local(key[2], "Asia/Kathmandu")))
    lines = [*sorted(periods.items()), ("Total", rows)]
    assert [row[0] for row in shown] == [name for name, _ in lines]
    for row, (_, its) in zip(shown, lines, strict=True):
        assert row[-6:-1] == [f"{count:,}" for count in total(its.values())]
        assert row[-1] == shown_cost(its)


def shown_cost(rows: Truth) -> str:
    its = expected(rows)
    if its["cost_usd"] is None:
        return "–"
    more = "≥" if its["unpriced_tokens"] else ""
    return f"{more}${float(its['cost_usd']):,.2f}"


@pytest.mark.requirement("CLI-09", "SRV-12")
def test_models_without_a_price_are_named_and_never_priced_as_another(used: Computer) -> None:
    (mystery,) = report(used, "models", "--model", "mystery-1")["rows"]
    assert mystery["totals"]["cost_usd"] is None
    assert mystery["totals"]["unpriced_tokens"] == mystery["totals"]["total_tokens"] > 0
    assert report(used, "models")["unpriced_models"] == ["mystery-1"]
    assert report(used, "models", "--source", "gemini")["unpriced_models"] == []
    below = used.run("report", "monthly").output.rpartition("Total")[2]
    assert "No price is known for mystery-1" in below
    assert "No price" not in used.run("report", "monthly", "--model", "gpt-5.1").output


@pytest.mark.requirement("CLI-09")
@pytest.mark.parametrize("name", REPORTS)
def test_csv_opens_in_csv_and_holds_what_json_says(name: str, used: Computer) -> None:
    options = (name, *ALWAYS, "--timezone", "Australia/Lord_Howe")
    ran = used.run("report", *options, "--csv")
    assert (ran.code, ran.errors) == (0, "")
    read = list(csv.DictReader(io.StringIO(ran.output)))
    answer = report(used, *options)
    assert [flat(row) for row in answer["rows"]] == read
    assert sum(Decimal(row["cost_usd"] or 0) for row in read) == Decimal(
        answer["totals"]["cost_usd"]
    )
    for counter in Counters._fields:
        assert sum(int(row[counter]) for row in read) == answer["totals"][counter]


def flat(row: Mapping[str, Any]) -> dict[str, str]:
    fields = {**row, **row["totals"]}
    return {
        name: "" if value is None else str(value)
        for name, value in fields.items()
        if name not in ("totals", "models")
    }


@pytest.mark.requirement("CLI-09")
def test_csv_of_today_and_this_week_tells_them_apart(used: Computer) -> None:
    with time_machine.travel(moment("2026-10-25T12:00"), tick=False):
        ran = used.run("report", "--csv", "--timezone", "UTC")
    read = list(csv.DictReader(io.StringIO(ran.output)))
    assert [(row["span"], row["source"]) for row in read] == [
        (span, source) for span in ("today", "week") for source in ("codex", "gemini")
    ]


@pytest.mark.requirement("CLI-09")
def test_a_model_name_with_commas_and_quotes_survives_csv(computer: Computer) -> None:
    name = 'a, "b"; =c'
    Rollout(1).meta().model(name).turns(1).save(computer.home)
    computer.sync()
    ran = computer.run("report", "models", "--csv")
    (row,) = csv.DictReader(io.StringIO(ran.output))
    assert (row["model"], row["cost_usd"]) == (name, "")


def days_of(answer: Mapping[str, Any]) -> list[str]:
    return [row["period"] for row in answer["rows"]]


@pytest.mark.requirement("CLI-09")
@pytest.mark.parametrize(
    "since, until, first, last",
    [
        ("2026-10-24", "2026-10-25", "2026-10-24", "2026-10-25"),
        ("20261024", None, "2026-10-24", "2026-11-03"),
        (None, "20260308", "2026-01-15", "2026-03-08"),
        ("today", "today", "2026-10-26", "2026-10-26"),
        ("yesterday", "yesterday", "2026-10-25", "2026-10-25"),
        ("3d", "today", "2026-10-24", "2026-10-26"),
        ("1d", "today", "2026-10-26", "2026-10-26"),
    ],
)
def test_since_and_until_are_local_days_and_both_are_included(
    since: str | None, until: str | None, first: str, last: str, used: Computer
) -> None:
    given = [
        text
        for pair in (("--since", since), ("--until", until))
        if pair[1]
        for text in pair
        if text
    ]
    with time_machine.travel(moment("2026-10-25T19:00"), tick=False):  # in Kathmandu the 26th
        answer = report(used, "daily", "--timezone", "Asia/Kathmandu", *given)
    days = days_of(answer)
    assert (days[0], days[-1]) == (first, last)
    assert answer["since"] == (first if since else None)
    assert answer["until"] == (last if until else None)


@pytest.mark.requirement("CLI-09")
def test_hourly_shows_today_unless_days_are_named(used: Computer) -> None:
    with time_machine.travel(moment("2026-10-25T12:00"), tick=False):
        today = report(used, "hourly", "--timezone", "UTC")
        since = report(used, "hourly", "--timezone", "UTC", "--since", "yesterday")
    assert (today["since"], today["until"]) == ("2026-10-25", "2026-10-25")
    assert {name[:10] for name in days_of(today)} == {"2026-10-25"}
    assert days_of(since)[0] == "2026-10-24T00:00+00:00"
    assert "of today" in used.run("report", "hourly", "--help").output


@pytest.mark.requirement("CLI-09")
def test_days_that_are_named_take_the_place_of_today_and_this_week(
    used: Computer, rows: Truth
) -> None:
    days = ("--since", "2026-10-24", "--until", "2026-10-25", "--timezone", "UTC")
    (span,) = report(used, *days)["spans"]
    held = {key: its for key, its in rows.items() if key[2][:10] in ("2026-10-24", "2026-10-25")}
    assert told_by_model(span) == by_model(held)
    assert "Usage from 2026-10-24 to 2026-10-25" in used.run("report", *days).output


@pytest.mark.requirement("CLI-09")
def test_sources_and_models_can_be_chosen(used: Computer, rows: Truth) -> None:
    codex = report(used, "monthly", "--source", "codex")
    assert told(codex["totals"]) == expected({k: its for k, its in rows.items() if k[0] == "codex"})
    assert (codex["sources"], codex["models"]) == (["codex"], [])
    two = ("--model", "mystery-1", "--model", "gemini-3-pro")
    chosen = report(used, "models", *two)
    assert {row["model"] for row in chosen["rows"]} == {"mystery-1", "gemini-3-pro"}
    assert chosen["models"] == ["mystery-1", "gemini-3-pro"]
    none = ("--source", "gemini", "--model", "gpt-5.1")
    assert report(used, "daily", *none)["rows"] == []
    assert "no usage" in used.run("report", "daily", *none).output
    assert "only gemini, only gpt-5.1" in used.run("report", "daily", *none).output


@pytest.mark.requirement("CLI-09")
def test_the_options_of_the_group_hold_for_its_reports(used: Computer) -> None:
    above = ("report", "--json", "--source", "codex", "--timezone", "Asia/Tokyo", "daily")
    below = ("report", "daily", "--json", "--source", "codex", "--timezone", "Asia/Tokyo")
    assert used.run(*above) == used.run(*below)
    both = used.run("report", "--since", "2026-01-01", "daily", "--since", "2026-10-25", "--json")
    assert json.loads(both.output)["since"] == "2026-10-25"


MISTAKES = {
    "a zone that is none": (("--timezone", "Mars/Base"), "'--timezone'", "Europe/Berlin"),
    "a zone that is a region": (("--timezone", "Europe"), "'--timezone'", "Europe/Berlin"),
    "a zone outside": (("--timezone", "../localtime"), "'--timezone'", "Europe/Berlin"),
    "a zone that is a path": (("--timezone", "/etc/localtime"), "'--timezone'", "Europe/Berlin"),
    "a day that is none": (("--since", "2026-02-30"), "'--since'", "2026-08-10"),
    "a word for a day": (("--until", "tomorow"), "'--until'", "yesterday"),
    "no days at all": (("--since", "0d"), "'--since'", "7d"),
    "too many days": (("--since", "99999999d"), "'--since'", "7d"),
    "the wrong order": (("--since", "20260202", "--until", "20260201"), "'--since'", "--until"),
    "an unknown source": (("--source", "codx"), "'--source'", "codex, gemini"),
    "an unknown model": (("--model", "gpt"), "'--model'", "gemini-3-pro, gpt-5.1, mystery-1"),
    "two forms": (("--json", "--csv"), "--json", "--csv"),
}


@pytest.mark.requirement("CLI-09", "CLI-01")
@pytest.mark.parametrize("name", ["", *REPORTS])
@pytest.mark.parametrize("options, named, way_out", MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_in_an_option_ends_with_2_and_names_it_and_the_way_out(
    options: tuple[str, ...], named: str, way_out: str, name: str, used: Computer
) -> None:
    ran = used.run("report", *filter(None, [name]), *options)
    assert (ran.code, ran.output) == (2, "")
    *_, sentence = ran.errors.strip().splitlines()
    assert named in sentence
    assert way_out in sentence


@pytest.mark.requirement("CLI-09")
@pytest.mark.parametrize("name", ["", *REPORTS])
def test_before_the_first_sync_a_report_says_how_to_get_one(name: str, computer: Computer) -> None:
    arguments = [*filter(None, [name]), "--source", "codex", "--model", "gpt-5.1"]
    assert "'vibescore sync --offline'" in computer.run("report", *arguments).output
    answer = report(computer, *arguments)
    parts = answer.get("spans", [answer])
    assert [part["rows"] for part in parts] == [[]] * len(parts)
    assert told(parts[0]["totals"]) == NOTHING._asdict() | {"cost_usd": 0, "unpriced_tokens": 0}
    ran = computer.run("report", *arguments, "--csv")
    assert ran.output.count("\n") == 1
    assert ran.output.endswith("total_tokens,cost_usd,unpriced_tokens\n")


@pytest.mark.requirement("CLI-09")
def test_a_day_without_usage_is_told_as_such(used: Computer) -> None:
    with time_machine.travel(moment("2026-07-01T12:00"), tick=False):
        assert used.run("report").output.count("no usage") == 2
        assert "no usage" in used.run("report", "hourly").output


@pytest.mark.requirement("CLI-09")
def test_the_documented_schema_is_that_of_the_program() -> None:
    documented = json.loads(SCHEMA.read_text("utf-8"))
    assert documented == schema(), "docs/report.schema.json is out of date: python3 dev.py schema"
    Draft202012Validator.check_schema(documented)


SPOILED = {
    "a count that is no integer": {"totals": {"total_tokens": 1.5}},
    "a cost that is a number": {"totals": {"cost_usd": 1.5}},
    "a cost with an exponent": {"totals": {"cost_usd": "1e3"}},
    "the name of another report": {"report": "models"},
    "a day that is none": {"since": "yesterday"},
    "something more": {"more": 1},
}


@pytest.mark.requirement("CLI-09")
@pytest.mark.parametrize("spoiled", SPOILED.values(), ids=SPOILED.keys())
def test_the_documented_schema_refuses_other_answers(
    spoiled: dict[str, Any], used: Computer
) -> None:
    answer = report(used, "monthly")
    validator = Draft202012Validator(schema(), format_checker=FormatChecker())
    totals = answer["totals"] | spoiled.get("totals", {})
    assert not validator.is_valid(answer | spoiled | {"totals": totals})
    del answer["timezone"]
    assert not validator.is_valid(answer)

"""Usage by day, hour, month and model: exact numbers, every period present (SRV-07 to SRV-13)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from serving import NOW, Machine, Person, Server, row

from vibescore_server.db import open_database
from vibescore_server.queries import ingest
from vibescore_server.settings import load_settings

TODAY = NOW[:10]
COUNTERS = (
    "input_tokens",
    "cached_input_tokens",
    "output_tokens",
    "reasoning_output_tokens",
    "total_tokens",
)
SLUGS = ("summary", "daily", "hourly", "monthly", "heatmap", "model-breakdown")
LARGEST = 2**63 - 1


def tokens(
    input: int = 0, cached: int = 0, output: int = 0, reasoning: int = 0, total: int | None = None
) -> dict[str, str]:
    """Counters as the wire shows them."""
    counts = (input, cached, output, reasoning, input + output if total is None else total)
    return dict(zip(COUNTERS, map(str, counts), strict=True))


def usage(person: Person, slug: str, **parameters: Any) -> Any:
    """What an endpoint answers."""
    parameters |= {"from": parameters.pop("since")} if "since" in parameters else {}
    answer = person.get(f"usage-{slug}", **parameters)
    assert answer.status == 200, answer.text
    return answer.json


def of(items: Iterable[dict[str, Any]], **where: str) -> dict[str, Any]:
    """The one item that has these values."""
    (found,) = (item for item in items if where.items() <= item.items())
    return found


@pytest.fixture(scope="module")
def machine(shared_server: Server) -> Machine:
    """A computer on which two tools were used on three days of November, and once in October."""
    shared_server.set_clock(NOW)
    machine = shared_server.sign_up().link()
    machine.send(
        row("2026-10-31T23:30:00Z", input=1, output=1),
        row("2026-11-15T00:00:00Z", input=1000, cached_input=202, output=300, reasoning_output=30),
        row("2026-11-15T00:30:00Z", input=10, output=5),
        row("2026-11-15T00:30:00Z", input=7, output=1, model="gpt-5.1-codex"),
        row("2026-11-17T09:00:00Z", input=400, cached_input=101, output=100, source="gemini")
        | {"model": "gemini-2.5-pro", "reasoning_output_tokens": 50, "total_tokens": 550},
        row("2026-11-18T11:30:00Z", input=20, output=2, source="every-code", model="house-7b"),
        row("2026-11-18T11:30:00Z", source="every-code", model="retracted"),
    )
    return machine


@pytest.fixture(scope="module")
def newcomer(shared_server: Server) -> Person:
    """Somebody who has used nothing, and never will."""
    return shared_server.sign_up()


NOVEMBER = {"since": "2026-11-15", "to": "2026-11-18"}


@pytest.mark.requirement("SRV-07", "SRV-11")
def test_a_summary_is_the_sum_of_its_days(machine: Machine) -> None:
    rates = {
        "input": "1.750000",
        "cached_input": "0.175000",
        "output": "14.000000",
        "reasoning_output": "14.000000",
    }
    assert usage(machine.owner, "summary", **NOVEMBER) == {
        "from": "2026-11-15",
        "to": "2026-11-18",
        "days": 4,
        "totals": {**tokens(1437, 303, 408, 80, 1895), "total_cost_usd": "0.007624"},
        "pricing": {
            "model": "gpt-5.2-codex",
            "pricing_mode": "mixed",
            "source": "bundled",
            "effective_from": None,
            "rates": rates,
            "rates_per_million_usd": rates,
            "unpriced_models": ["house-7b"],
        },
    }


@pytest.mark.requirement("SRV-07", "SRV-08")
def test_every_day_is_there_also_those_without_tokens(machine: Machine) -> None:
    answer = usage(machine.owner, "daily", **NOVEMBER)
    assert answer["data"] == [
        {"day": "2026-11-15", **tokens(1017, 202, 306, 30)},
        {"day": "2026-11-16", **tokens()},
        {"day": "2026-11-17", **tokens(400, 101, 100, 50, 550)},
        {"day": "2026-11-18", **tokens(20, 0, 2)},
    ]
    summary = usage(machine.owner, "summary", **NOVEMBER)
    assert answer["summary"] == {name: summary[name] for name in ("totals", "pricing")}
    assert (answer["from"], answer["to"]) == ("2026-11-15", "2026-11-18")


@pytest.mark.requirement("SRV-07", "SRV-11")
def test_a_breakdown_tells_sources_and_models_most_tokens_first(machine: Machine) -> None:
    answer = usage(machine.owner, "model-breakdown", **NOVEMBER)

    def totals(usd: str, *counts: int) -> dict[str, str]:
        return {**tokens(*counts), "total_cost_usd": usd}

    codex = totals("0.005719", 1010, 202, 305, 30)
    older = totals("0.000019", 7, 0, 1, 0)
    gemini = totals("0.001886", 400, 101, 100, 50, 550)
    house = totals("0.000000", 20, 0, 2, 0)
    assert answer["sources"] == [
        {
            "source": "codex",
            "totals": totals("0.005738", 1017, 202, 306, 30),
            "models": [
                {"model": "gpt-5.2-codex", "totals": codex},
                {"model": "gpt-5.1-codex", "totals": older},
            ],
        },
        {
            "source": "gemini",
            "totals": gemini,
            "models": [{"model": "gemini-2.5-pro", "totals": gemini}],
        },
        {
            "source": "every-code",
            "totals": house,
            "models": [{"model": "house-7b", "totals": house}],
        },
    ]
    assert answer["pricing"] == usage(machine.owner, "summary", **NOVEMBER)["pricing"]
    assert (answer["from"], answer["to"], answer["days"]) == ("2026-11-15", "2026-11-18", 4)


@pytest.mark.requirement("SRV-07")
def test_of_as_many_tokens_the_smaller_name_comes_first(server: Server) -> None:
    machine = server.sign_up().link()
    names = ("b", "c", "a")
    machine.send(*(row(input=5, source=source, model=model) for source in names for model in names))
    sources = usage(machine.owner, "model-breakdown")["sources"]
    assert [each["source"] for each in sources] == ["a", "b", "c"]
    assert [each["model"] for each in sources[0]["models"]] == ["a", "b", "c"]


@pytest.mark.requirement("SRV-07", "SRV-08")
def test_every_hour_of_a_day_is_there(machine: Machine) -> None:
    answer = usage(machine.owner, "hourly", day="2026-11-15")
    used = {0: tokens(1017, 202, 306, 30)}
    assert answer == {
        "day": "2026-11-15",
        "data": [
            {
                "hour": f"2026-11-15T{hour:02}:00:00",
                "hour_start_utc": f"2026-11-15T{hour:02}:00:00Z",
                **used.get(hour, tokens()),
            }
            for hour in range(24)
        ],
        "sync": {"last_sync_at": NOW, "min_interval_minutes": 30},
    }


@pytest.mark.requirement("SRV-07", "SRV-08")
def test_the_day_is_today_where_the_user_is(newcomer: Person) -> None:
    assert usage(newcomer, "hourly")["day"] == TODAY
    assert usage(newcomer, "hourly", tz="Pacific/Kiritimati")["day"] == "2026-11-19"
    assert usage(newcomer, "daily", tz="Pacific/Kiritimati")["to"] == "2026-11-19"
    assert usage(newcomer, "heatmap", tz_offset_minutes=-721)["to"] == "2026-11-17"
    assert usage(newcomer, "monthly", tz_offset_minutes=720)["to"] == "2026-11-19"


@pytest.mark.requirement("SRV-07", "SRV-08")
def test_every_month_is_there(machine: Machine) -> None:
    assert usage(machine.owner, "monthly", months=3) == {
        "from": "2026-09-01",
        "to": TODAY,
        "months": 3,
        "data": [
            {"month": "2026-09", **tokens()},
            {"month": "2026-10", **tokens(1, 0, 1)},
            {"month": "2026-11", **tokens(1437, 303, 408, 80, 1895)},
        ],
    }
    assert usage(machine.owner, "monthly", months=1, to="2026-11-15")["data"] == [
        {"month": "2026-11", **tokens(1017, 202, 306, 30)}
    ]
    east = usage(machine.owner, "monthly", months=2, tz="Europe/Berlin")["data"]
    assert east[0] == {"month": "2026-10", **tokens()}, "where it was November already"
    years = usage(machine.owner, "monthly")
    assert (years["from"], years["months"], len(years["data"])) == ("2024-12-01", 24, 24)


@pytest.mark.requirement("SRV-13")
def test_a_heatmap_is_whole_weeks_in_five_levels(server: Server) -> None:
    machine = server.sign_up().link()
    values = {"09": 1, "10": 2, "11": 3, "12": 4, "13": 5, "16": 6, "17": 7, "18": 8}
    machine.send(*(row(f"2026-11-{day}T10:00:00Z", input=value) for day, value in values.items()))

    answer = usage(machine.owner, "heatmap", weeks=2)

    levels = {0: 0, 1: 1, 2: 1, 3: 1, 4: 1, 5: 2, 6: 2, 7: 3, 8: 4}
    days = [f"{day:02}" for day in range(8, 19)]
    cells = [
        {
            "day": f"2026-11-{day}",
            "value": str(values.get(day, 0)),
            "level": levels[values.get(day, 0)],
        }
        for day in days
    ]
    assert answer == {
        "from": "2026-11-08",
        "to": TODAY,
        "week_starts_on": "sun",
        "weeks": [cells[:7], [*cells[7:], None, None, None]],
        "thresholds": ["4", "6", "7"],
        "active_days": 8,
        "streak_days": 3,
    }


@pytest.mark.requirement("SRV-13")
def test_weeks_of_a_heatmap_may_begin_on_monday(newcomer: Person) -> None:
    answer = usage(newcomer, "heatmap", weeks=1, week_starts_on="mon", to="2026-11-15")
    assert (answer["from"], answer["to"], answer["week_starts_on"]) == (
        "2026-11-09",
        "2026-11-15",
        "mon",
    )
    assert [len(week) for week in answer["weeks"]] == [7]
    assert len(usage(newcomer, "heatmap")["weeks"]) == 52
    assert len(usage(newcomer, "heatmap", weeks=104)["weeks"]) == 104


@pytest.mark.requirement("SRV-07")
@pytest.mark.parametrize(
    "filters, total",
    [
        ({"source": "gemini"}, 550),
        ({"source": " Gemini "}, 550),
        ({"source": "codex"}, 1323),
        ({"model": "gpt-5.1-codex"}, 8),
        ({"model": " gpt-5.1-codex "}, 8),
        ({"model": "GPT-5.1-CODEX"}, 0),
        ({"source": "gemini", "model": "gpt-5.1-codex"}, 0),
        ({"source": "", "model": " "}, 1895),
        ({"source": "%"}, 0),
        ({"source": "' OR '1'='1"}, 0),
    ],
    ids=str,
)
def test_source_and_model_are_filters(
    machine: Machine, filters: dict[str, str], total: int
) -> None:
    person = machine.owner
    summary = usage(person, "summary", **NOVEMBER, **filters)
    daily = usage(person, "daily", **NOVEMBER, **filters)
    breakdown = usage(person, "model-breakdown", **NOVEMBER, **filters)
    monthly = usage(person, "monthly", months=1, **filters)
    heatmap = usage(person, "heatmap", weeks=1, **filters)
    hours = [
        usage(person, "hourly", day=f"2026-11-{day}", **filters)["data"] for day in range(15, 19)
    ]

    def sum_of(items: Iterable[dict[str, Any]]) -> int:
        return sum(int(item["total_tokens"]) for item in items)

    assert int(summary["totals"]["total_tokens"]) == total
    assert sum_of(daily["data"]) == total
    assert sum_of(source["totals"] for source in breakdown["sources"]) == total
    assert sum_of(monthly["data"]) == total
    assert sum(int(cell["value"]) for cell in heatmap["weeks"][0] if cell) == total
    assert sum_of(hour for day in hours for hour in day) == total


@pytest.mark.requirement("SRV-07")
def test_what_was_taken_back_is_no_model_any_more(server: Server) -> None:
    machine = server.sign_up().link()
    machine.send(row(input=5, model="house-7b"))
    assert usage(machine.owner, "summary")["pricing"]["unpriced_models"] == ["house-7b"]

    machine.send(row(model="house-7b"))

    assert usage(machine.owner, "model-breakdown")["sources"] == []
    assert usage(machine.owner, "summary")["pricing"]["unpriced_models"] == []


@pytest.mark.requirement("SRV-03", "SRV-07")
def test_the_same_half_hour_of_several_computers_is_added_up(server: Server) -> None:
    person = server.sign_up()
    for machine in (person.link("laptop"), person.link("desktop")):
        machine.send(row(input=3, output=2))
    assert usage(person, "summary")["totals"]["total_tokens"] == "10"


@pytest.mark.requirement("SRV-07", "SRV-25")
@pytest.mark.parametrize("slug", SLUGS)
def test_nobody_sees_the_usage_of_somebody_else(
    server: Server, machine: Machine, newcomer: Person, slug: str
) -> None:
    assert usage(newcomer, slug) == usage(server.sign_up(), slug)
    assert usage(newcomer, slug) != usage(machine.owner, slug)
    assert machine.get(f"usage-{slug}").status == 401
    assert server.get(f"usage-{slug}").status == 401


WRONG = [
    *(
        pytest.param(slug, {name: value}, name, id=f"{slug} {name}={value}")
        for slug, names in {
            "summary": ("from", "to"),
            "daily": ("from", "to"),
            "model-breakdown": ("from", "to"),
            "hourly": ("day",),
            "monthly": ("to",),
            "heatmap": ("to",),
        }.items()
        for name in names
        for value in ("2025-13-40", "2025-02-29", "20250101", "2025-1-1", "today", "0001-01-01")
    ),
    *(
        pytest.param(slug, {name: value}, name, id=f"{slug} {name}={value}")
        for slug in SLUGS
        for name, value in (
            ("tz", "Mars/Olympus_Mons"),
            ("tz", "../../etc/passwd"),
            ("tz_offset_minutes", "841"),
            ("tz_offset_minutes", "1.5"),
            ("source", "a\0b"),
        )
    ),
    *(
        pytest.param("monthly", {"months": value}, "months", id=f"months={value}")
        for value in ("0", "25", "-1", "1.5", "two", "1e1")
    ),
    *(
        pytest.param("heatmap", {"weeks": value}, "weeks", id=f"weeks={value}")
        for value in ("0", "105", "-1", "9" * 30, "x")
    ),
    pytest.param("heatmap", {"week_starts_on": "tue"}, "week_starts_on", id="tue"),
    pytest.param("heatmap", {"week_starts_on": "SUN"}, "week_starts_on", id="SUN"),
    pytest.param("daily", {"from": "2026-11-02", "to": "2026-11-01"}, "from", id="backwards"),
    pytest.param("daily", {"from": "2026-11-19"}, "from", id="tomorrow"),
    pytest.param("daily", {"from": "2024-09-09", "to": TODAY}, "from", id="801 days"),
]


@pytest.mark.requirement("SRV-07", "SRV-13", "SRV-20", "SRV-21")
@pytest.mark.parametrize("slug, parameters, name", WRONG)
def test_a_wrong_parameter_is_named(
    newcomer: Person, slug: str, parameters: dict[str, str], name: str
) -> None:
    refused = newcomer.get(f"usage-{slug}", **parameters)
    assert (refused.status, refused.json["error"]) == (400, "BAD_REQUEST")
    assert refused.json["field"] == name
    assert name in refused.json["message"]


@pytest.mark.requirement("SRV-07")
@pytest.mark.parametrize(
    "slug, names",
    [
        ("summary", ("from", "to")),
        ("hourly", ("day",)),
        ("monthly", ("months", "to")),
        ("heatmap", ("weeks", "to", "week_starts_on")),
    ],
)
def test_an_empty_parameter_is_none(machine: Machine, slug: str, names: tuple[str, ...]) -> None:
    empty = dict.fromkeys((*names, "tz", "tz_offset_minutes"), "")
    assert usage(machine.owner, slug, **empty) == usage(machine.owner, slug)


def kept_directly(server: Server, machine: Machine, rows: Sequence[ingest.Row]) -> None:
    """Rows in the database, more than can be sent in a moment."""
    flags = {"database_url": server.database_url, "data_dir": server.data_dir}
    db = open_database(load_settings(**flags))
    with db.connection_context(), db.atomic():
        for start in range(0, len(rows), 500):
            batch = rows[start : start + 500]
            ingest.upsert(db, UUID(machine.owner.id), UUID(machine.id), batch, now=0)


@pytest.mark.requirement("SRV-08")
def test_nothing_is_cut_off_however_much_there_is(server: Server) -> None:
    machine = server.sign_up().link()
    first, last = date(2024, 9, 10), date(2026, 11, 18)
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    rows = [
        ingest.Row(noon(day), "codex", f"model-{number:02}", number, 0, 1, 0, number + 1)
        for day in days
        for number in range(25)
    ]
    kept_directly(server, machine, rows)

    daily = usage(machine.owner, "daily", since=first, to=last)
    breakdown = usage(machine.owner, "model-breakdown", since=first, to=last)

    assert len(daily["data"]) == 800
    assert {each["total_tokens"] for each in daily["data"]} == {"325"}
    assert daily["summary"]["totals"]["total_tokens"] == "260000"
    models = breakdown["sources"][0]["models"]
    assert [each["totals"]["total_tokens"] for each in models] == [
        str(number * 800) for number in range(25, 0, -1)
    ]


def noon(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp())


@pytest.mark.requirement("SRV-02", "SRV-07", "SRV-10")
def test_sums_beyond_64_bits_are_exact(server: Server) -> None:
    person = server.sign_up()
    for machine in (person.link("laptop"), person.link("desktop"), person.link("server")):
        machine.send(
            row("2026-11-18T10:00:00Z", input=LARGEST, total=LARGEST),
            row("2026-11-18T10:30:00Z", output=LARGEST, total=LARGEST, source="gemini"),
        )
    half, whole = str(3 * LARGEST), str(6 * LARGEST)
    usd = f"{Decimal(3 * LARGEST) * (1_750_000 + 14_000_000) / 10**12:.6f}"

    summary = usage(person, "summary")
    assert summary["totals"]["total_tokens"] == whole
    assert summary["totals"]["input_tokens"] == summary["totals"]["output_tokens"] == half
    assert summary["totals"]["total_cost_usd"] == usd
    daily = usage(person, "daily")
    assert daily["summary"] == {name: summary[name] for name in ("totals", "pricing")}
    assert daily["data"][-1]["total_tokens"] == whole
    assert usage(person, "monthly")["data"][-1]["total_tokens"] == whole
    assert of(usage(person, "hourly")["data"], hour=f"{TODAY}T10:00:00")["total_tokens"] == whole
    assert usage(person, "heatmap")["thresholds"] == [whole] * 3
    sources = usage(person, "model-breakdown")["sources"]
    assert [each["totals"]["total_tokens"] for each in sources] == [half, half]


SENT = st.lists(
    st.builds(
        lambda half, source, model, counts: row(
            f"2026-11-{1 + half // 48:02}T{half % 48 // 2:02}:{half % 2 * 30:02}:00Z",
            source=source,
            model=model,
            **dict(
                zip(
                    ("input", "cached_input", "output", "reasoning_output", "total"),
                    counts,
                    strict=True,
                )
            ),
        ),
        st.integers(0, 18 * 48 - 1),
        st.sampled_from(["codex", "gemini", "every-code"]),
        st.sampled_from(["gpt-5.2-codex", "gemini-2.5-pro", "gpt-5-mini", "house-7b", "unknown"]),
        st.tuples(*[st.integers(0, LARGEST) | st.integers(0, 1000)] * 5),
    ),
    max_size=30,
)
ZONES = st.sampled_from(["UTC", "America/Los_Angeles", "Asia/Kathmandu", "Pacific/Chatham"])


@pytest.mark.requirement("SRV-07", "SRV-11")
@given(sent=SENT, tz=ZONES)
@settings(max_examples=15, deadline=None)
def test_summary_daily_and_breakdown_agree(
    shared_server: Server, sent: list[dict[str, Any]], tz: str
) -> None:
    shared_server.set_clock(NOW)
    machine = shared_server.sign_up().link()
    assert machine.send(*sent).status == 200
    asked = {"since": "2026-10-31", "to": "2026-11-20", "tz": tz}

    summary, daily, breakdown = (
        usage(machine.owner, slug, **asked) for slug in ("summary", "daily", "model-breakdown")
    )

    kept = {(each["hour_start"], each["source"], each["model"]): each for each in sent}
    expected = sums(kept.values())
    assert counted(summary["totals"]) == expected
    assert sums(daily["data"]) == expected
    assert sums(source["totals"] for source in breakdown["sources"]) == expected
    models = [(source, model) for source in breakdown["sources"] for model in source["models"]]
    assert sums(model["totals"] for _, model in models) == expected
    assert daily["summary"] == {name: summary[name] for name in ("totals", "pricing")}
    assert breakdown["pricing"] == summary["pricing"]
    cost = Decimal(summary["totals"]["total_cost_usd"])
    for parts in (breakdown["sources"], [model for _, model in models]):
        each = [Decimal(part["totals"]["total_cost_usd"]) for part in parts]
        assert abs(sum(each) - cost) <= Decimal("0.000001") * (len(each) + 1), "but for rounding"
    assert {(source["source"], model["model"]) for source, model in models} == {
        (source, model)
        for (_, source, model), each in kept.items()
        if any(each[name] for name in COUNTERS)
    }


def sums(items: Iterable[dict[str, Any]]) -> Counter[str]:
    """The counters of all, zeros left out."""
    total: Counter[str] = Counter()
    for item in items:
        total.update(counted(item))
    return total


def counted(item: dict[str, Any]) -> Counter[str]:
    return +Counter({name: int(item[name]) for name in COUNTERS})

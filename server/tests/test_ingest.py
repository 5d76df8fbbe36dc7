"""Taking half-hours: exactly once, whatever is sent again (SRV-01 to SRV-03)."""

import json
from typing import Any

import pytest
from serving import Machine, Server, row

TEN = "2026-11-18T10:00:00Z"
LARGEST = 2**63 - 1


def kept(machine: Machine) -> list[dict[str, Any]]:
    """What the server has of a machine, in order of its key."""
    rows: list[dict[str, Any]] = machine.get("device-rows", limit=1000).json["rows"]
    return rows


def taken(inserted: int, skipped: int) -> dict[str, Any]:
    return {"success": True, "inserted": inserted, "skipped": skipped}


@pytest.mark.requirement("SRV-01")
def test_a_batch_sent_again_inserts_nothing(server: Server) -> None:
    machine = server.sign_up().link()
    rows = [row(f"2026-11-18T{hour:02}:30:00Z", input=hour) for hour in range(12)]

    assert machine.send(*rows).json == taken(12, 0)
    assert machine.send(*rows).json == taken(0, 12)
    assert kept(machine) == rows


@pytest.mark.requirement("SRV-01")
def test_totals_replace_what_was_kept(server: Server) -> None:
    machine = server.sign_up().link()
    first, second = row(TEN, input=7, output=5), row("2026-11-18T10:30:00Z", input=3)
    machine.send(first, second)
    grown = row(TEN, input=11, cached_input=2, output=13, reasoning_output=1)

    assert machine.send(grown, second).json == taken(1, 1)
    assert kept(machine) == [grown, second]

    assert machine.send(row(TEN)).json == taken(1, 0), "zeros take a row back"
    assert kept(machine) == [row(TEN), second]


@pytest.mark.requirement("SRV-01")
def test_of_duplicates_in_a_batch_the_last_wins(server: Server) -> None:
    machine = server.sign_up().link()
    rows = [
        row(TEN, input=1),
        row(TEN, input=2),
        row(TEN, input=3, model="other"),
        row(TEN, input=4),
    ]

    assert machine.send(*rows).json == taken(2, 0), "a row that another replaced is in neither"
    assert kept(machine) == [rows[3], rows[2]]


@pytest.mark.requirement("SRV-01")
def test_five_hundred_rows_are_taken_and_one_more_is_not(server: Server) -> None:
    machine = server.sign_up().link()
    rows = [row(TEN, model=f"model-{number:03}", input=number) for number in range(501)]

    refused = machine.send(*rows)
    assert (refused.status, refused.json["error"]) == (413, "PAYLOAD_TOO_LARGE")
    assert kept(machine) == []

    assert machine.send(*rows[:500]).json == taken(500, 0)
    assert machine.send(*rows[1:]).json == taken(1, 499)
    assert kept(machine) == rows


@pytest.mark.requirement("SRV-01")
def test_an_empty_batch_is_a_batch(server: Server) -> None:
    assert server.sign_up().link().send().json == taken(0, 0)


ROW = row(TEN, input=1)

FORMS = [
    pytest.param([ROW], id="bare array"),
    pytest.param({"hourly": [ROW]}, id="hourly"),
    pytest.param({"data": [ROW]}, id="data"),
    pytest.param({"data": {"hourly": [ROW]}}, id="data with hourly"),
    pytest.param({"hourly": [ROW], "cwd": "/home/me", "prompt": ["x"]}, id="unknown keys"),
    pytest.param({"data": {"hourly": [ROW], "device": 1}, "version": 2}, id="unknown keys within"),
]


@pytest.mark.requirement("SRV-02", "SRV-25")
@pytest.mark.parametrize("body", FORMS)
def test_all_forms_of_a_batch_mean_the_same(server: Server, body: object) -> None:
    machine = server.sign_up().link()

    assert server.post("ingest", token=machine.token, json=body).json == taken(1, 0)
    assert kept(machine) == [ROW]


@pytest.mark.requirement("SRV-02")
@pytest.mark.parametrize(
    "given, source, model",
    [
        pytest.param({}, "codex", "unknown", id="missing"),
        pytest.param({"source": "", "model": ""}, "codex", "unknown", id="empty"),
        pytest.param({"source": "  ", "model": " \u2003 "}, "codex", "unknown", id="blank"),
        pytest.param({"source": " Gemini ", "model": " M "}, "gemini", "M", id="trimmed"),
        pytest.param({"source": "x" * 64, "model": "y" * 128}, "x" * 64, "y" * 128, id="longest"),
        pytest.param({"source": "Ünï", "model": "模型 😀"}, "ünï", "模型 😀", id="any script"),
    ],
)
def test_source_and_model_are_put_in_form(
    server: Server, given: dict[str, str], source: str, model: str
) -> None:
    machine = server.sign_up().link()
    plain = {name: value for name, value in ROW.items() if name not in {"source", "model"}}

    assert machine.send(plain | given).json == taken(1, 0)
    assert kept(machine) == [ROW | {"source": source, "model": model}]


@pytest.mark.requirement("SRV-02")
@pytest.mark.parametrize(
    "given", ["2026-11-18T10:00:00.000Z", "2026-11-18T10:00:00+00:00", "2026-11-18t10:00:00z"]
)
def test_all_spellings_of_a_utc_half_hour_are_read(server: Server, given: str) -> None:
    machine = server.sign_up().link()

    assert machine.send(row(given, input=1)).json == taken(1, 0)
    assert kept(machine) == [ROW]


WRONG = [
    *(
        pytest.param("hour_start", value, id=f"hour_start {value!r}")
        for value in (
            "2026-11-18T10:15:00Z",
            "2026-11-18T10:00:01Z",
            "2026-11-18T10:00:00.5Z",
            "2026-11-18T10:00:00",
            "2026-11-18T10:00:00+01:00",
            "2026-02-30T10:00:00Z",
            "1969-12-31T23:30:00Z",
            "2026-11-18",
            "soon",
            "",
            1795000000,
            None,
        )
    ),
    *(
        pytest.param(name, value, id=f"{name} {value!r}")
        for name in (
            "input_tokens",
            "cached_input_tokens",
            "output_tokens",
            "reasoning_output_tokens",
            "total_tokens",
        )
        for value in (-1, 2**63, 1.5, 1.0, "1", None, True, [1])
    ),
    *(
        pytest.param(name, value, id=f"{name} {value!r:.12}")
        for name, longest in (("source", 64), ("model", 128))
        for value in ("x" * (longest + 1), "a\0b", "a\nb", 1, None)
    ),
    pytest.param("prompt", "hello", id="unknown field"),
]


@pytest.mark.requirement("SRV-02")
@pytest.mark.parametrize("field, value", WRONG)
def test_a_wrong_field_is_named_and_nothing_is_kept(
    server: Server, field: str, value: object
) -> None:
    machine = server.sign_up().link()

    refused = machine.send(ROW, row("2026-11-18T10:30:00Z") | {field: value})

    assert refused.status == 400
    assert (refused.json["row"], refused.json["field"]) == (1, field)
    assert field in refused.json["message"]
    assert kept(machine) == []


@pytest.mark.requirement("SRV-02")
@pytest.mark.parametrize("field", [name for name in ROW if name not in {"source", "model"}])
def test_a_missing_field_is_named(server: Server, field: str) -> None:
    machine = server.sign_up().link()

    refused = machine.send({name: value for name, value in ROW.items() if name != field})

    assert refused.status == 400
    assert (refused.json["row"], refused.json["field"]) == (0, field)


@pytest.mark.requirement("SRV-02")
@pytest.mark.parametrize(
    "text", ["", "{", "nonsense", "\ufeff[]", '{"hourly": [}', "[" * 100_000, "[1,]"]
)
def test_what_is_not_json_is_refused(server: Server, text: str) -> None:
    machine = server.sign_up().link()

    refused = server.post(
        "ingest",
        token=machine.token,
        content=text.encode(),
        headers={"Content-Type": "application/json"},
    )

    assert refused.status == 400
    assert refused.json["message"]


@pytest.mark.requirement("SRV-02")
@pytest.mark.parametrize("body", [1, "rows", True, {}, {"rows": []}, {"hourly": 1}, {"data": {}}])
def test_a_body_without_rows_is_refused(server: Server, body: object) -> None:
    machine = server.sign_up().link()

    assert server.post("ingest", token=machine.token, json=body).status == 400


@pytest.mark.requirement("SRV-02")
def test_the_largest_counter_is_kept(server: Server) -> None:
    machine = server.sign_up().link()
    huge = row(TEN, input=LARGEST, total=LARGEST)

    assert machine.send(huge).json == taken(1, 0)
    assert kept(machine) == [huge]


@pytest.mark.requirement("SRV-03")
def test_rows_that_differ_in_any_part_of_their_key_stay_apart(server: Server) -> None:
    person, other = server.sign_up(), server.sign_up()
    laptop, desktop, foreign = person.link(), person.link("desktop"), other.link()
    rows = [
        row(TEN, input=1),
        row(TEN, input=2, model="gpt-5.3"),
        row(TEN, input=3, source="every-code"),
        row("2026-11-18T10:30:00Z", input=4),
    ]
    for machine in (laptop, desktop, foreign):
        assert machine.send(*rows).json == taken(4, 0)

    assert laptop.send(row(TEN, input=100)).json == taken(1, 0)

    assert [each["input_tokens"] for each in kept(laptop)] == [100, 2, 3, 4]
    for machine in (desktop, foreign):
        assert [each["input_tokens"] for each in kept(machine)] == [1, 2, 3, 4]


@pytest.mark.requirement("SRV-01")
def test_a_batch_shows_on_the_device(server: Server) -> None:
    person = server.sign_up()
    machine = person.link()
    server.set_clock("2026-11-18T12:13:14Z")

    machine.send(ROW)

    (device,) = person.get("devices").json["devices"]
    assert device["last_seen_at"] == device["last_sync_at"] == "2026-11-18T12:13:14Z"


@pytest.mark.requirement("SRV-04")
def test_a_computer_linked_again_is_the_same_device_and_counts_once(server: Server) -> None:
    person = server.sign_up()
    before = person.link(key="k" * 64)
    before.send(ROW)
    after = person.link("renamed", key="k" * 64)

    assert after.id == before.id
    assert after.token != before.token
    assert after.send(ROW).json == taken(0, 1)
    assert kept(after) == [ROW]
    (device,) = person.get("devices").json["devices"]
    assert device["device_name"] == "renamed"


@pytest.mark.requirement("SRV-04")
def test_the_key_of_a_computer_says_nothing_to_another_user(server: Server) -> None:
    mine, theirs = (server.sign_up().link(key="k" * 64) for _ in range(2))

    assert mine.id != theirs.id
    mine.send(ROW)
    assert kept(theirs) == []


@pytest.mark.requirement("SRV-02")
def test_a_batch_is_json_by_its_content_type(server: Server) -> None:
    machine = server.sign_up().link()
    body = json.dumps([ROW]).encode()

    for kind in ("application/json; charset=utf-8", "Application/JSON"):
        headers = {"Content-Type": kind}
        assert (
            server.post("ingest", token=machine.token, content=body, headers=headers).status == 200
        )
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/jsonp"):
        headers = {"Content-Type": kind}
        assert (
            server.post("ingest", token=machine.token, content=body, headers=headers).status == 415
        )

"""What trackers ask besides ingest: the heartbeat and their own rows (SRV-06, QUE-11)."""

from base64 import urlsafe_b64encode
from collections.abc import Callable
from itertools import chain
from typing import Any

import pytest
from serving import NOW, Machine, Response, Server, row


def rows_of(machine: Machine, **params: Any) -> Response:
    return machine.owner.server.get("device-rows", token=machine.token, params=params)


def pages_of(machine: Machine, limit: int) -> list[list[dict[str, Any]]]:
    """All pages, each asked for with what the one before it named."""
    pages = [rows_of(machine, limit=limit).json]
    while "next" in pages[-1]:
        assert len(pages) < 100, "paging goes round in circles"
        pages.append(rows_of(machine, limit=limit, after=pages[-1]["next"]).json)
    return [page["rows"] for page in pages]


@pytest.mark.requirement("SRV-06")
def test_a_heartbeat_is_noted_once_in_half_an_hour(server: Server) -> None:
    machine = server.sign_up().link()
    beats = (
        ("12:00:00", True, "12:00:00"),
        ("12:00:01", False, "12:00:00"),
        ("12:29:59", False, "12:00:00"),
        ("12:30:00", True, "12:30:00"),
        ("12:59:59", False, "12:30:00"),
        ("13:30:00", True, "13:30:00"),
    )

    for time, updated, last in beats:
        server.set_clock(f"2026-11-18T{time}Z")
        assert machine.post("sync-ping").json == {
            "success": True,
            "updated": updated,
            "last_sync_at": f"2026-11-18T{last}Z",
            "min_interval_minutes": 30,
            "device_id": machine.id,
        }
    server.set_clock(NOW)
    (device,) = machine.owner.get("devices").json["devices"]
    assert device["last_sync_at"] == device["last_seen_at"] == "2026-11-18T13:30:00Z"


@pytest.mark.requirement("SRV-06")
def test_an_ingest_is_a_sync_too(server: Server) -> None:
    machine = server.sign_up().link()
    machine.send(row())
    server.set_clock("2026-11-18T12:29:59Z")

    ping = machine.post("sync-ping").json
    assert (ping["updated"], ping["last_sync_at"]) == (False, "2026-11-18T12:00:00Z")


@pytest.mark.requirement("SRV-06")
def test_the_interval_is_a_setting_and_each_device_has_its_own(
    fresh_server: Callable[..., Server],
) -> None:
    server = fresh_server(min_interval_minutes=5)
    person = server.sign_up()
    one, other = person.link("one"), person.link("other")

    assert one.post("sync-ping").json["min_interval_minutes"] == 5
    server.set_clock("2026-11-18T12:04:59Z")
    assert one.post("sync-ping").json["updated"] is False
    assert other.post("sync-ping").json["updated"] is True
    server.set_clock("2026-11-18T12:05:00Z")
    assert one.post("sync-ping").json["updated"] is True


@pytest.mark.requirement("SRV-04", "SRV-06")
def test_only_linked_devices_ping_and_read_rows(server: Server) -> None:
    person = server.sign_up()
    machine = person.link()
    person.post("device-revoke", device_id=machine.id)

    for token in (None, person.token, machine.token, "unheard-of"):
        assert server.post("sync-ping", token=token, json={}).status == 401
        assert server.get("device-rows", token=token).status == 401


@pytest.mark.requirement("QUE-11")
def test_a_device_reads_back_what_it_sent_in_the_form_that_ingest_takes(server: Server) -> None:
    machine = server.sign_up().link()
    sent = [
        row("2026-11-18T10:00:00Z", source="codex", model="a", input=2**63 - 1, total=2**63 - 1),
        row("2026-11-18T10:00:00Z", source="codex", model="b", input=5, cached_input=3, output=2),
        row("2026-11-18T10:00:00Z", source="gemini", model="a", reasoning_output=7, total=7),
        row("2026-11-18T10:30:00Z", source="codex", model="a"),
    ]
    machine.send(*reversed(sent))

    answer = rows_of(machine).json
    assert answer == {"rows": sent}
    assert machine.send(*answer["rows"]).json == {"success": True, "inserted": 0, "skipped": 4}


@pytest.mark.requirement("QUE-11")
def test_pages_hold_every_row_once(server: Server) -> None:
    machine = server.sign_up().link()
    sent = [
        row(f"2026-11-1{day}T{hour:02}:30:00Z", source=source, model=model, input=hour)
        for day in (7, 8)
        for hour in (0, 9)
        for source in ("codex", "every-code")
        for model in ("Ω-1", "a", "Z \"'\\", "z")
    ]
    machine.send(*sent)

    key = ("hour_start", "source", "model")
    (whole,) = pages_of(machine, 1000)
    assert sorted(whole, key=lambda each: [each[name] for name in key]) == sorted(
        sent, key=lambda each: [each[name] for name in key]
    )
    assert [each["hour_start"] for each in whole] == sorted(each["hour_start"] for each in sent)
    for limit, sizes in ((1, [1] * 32), (5, [5] * 6 + [2]), (16, [16, 16]), (32, [32])):
        pages = pages_of(machine, limit)
        assert [len(page) for page in pages] == sizes
        assert list(chain(*pages)) == whole


@pytest.mark.requirement("QUE-11")
def test_a_page_has_500_rows_unless_told_otherwise(server: Server) -> None:
    machine = server.sign_up().link()
    machine.send(*(row(model=f"m{number}") for number in range(500)))
    machine.send(row(model="one more"))

    first = rows_of(machine).json
    assert len(first["rows"]) == 500
    assert len(rows_of(machine, after=first["next"]).json["rows"]) == 1


@pytest.mark.requirement("SRV-03", "QUE-11")
def test_no_device_reads_rows_of_another(server: Server) -> None:
    person = server.sign_up()
    mine, sibling, stranger = person.link("mine"), person.link("sibling"), server.sign_up().link()
    mine.send(row(input=1), row("2026-11-18T11:00:00Z", input=2))
    sibling.send(row(input=3))
    stranger.send(row(input=4))

    after = rows_of(mine, limit=1).json["next"]
    assert [each["input_tokens"] for each in rows_of(mine).json["rows"]] == [1, 2]
    assert [each["input_tokens"] for each in rows_of(sibling).json["rows"]] == [3]
    assert rows_of(stranger, after=after).json == {"rows": []}
    assert rows_of(person.link("new")).json == {"rows": []}


@pytest.mark.requirement("QUE-11")
@pytest.mark.parametrize("limit", ["0", "1001", "-1", "1.5", "many"])
def test_a_page_has_one_to_a_thousand_rows(server: Server, limit: str) -> None:
    answer = rows_of(server.sign_up().link(), limit=limit)

    assert (answer.status, answer.json["field"]) == (400, "limit")


def bookmark(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode()


@pytest.mark.requirement("QUE-11")
@pytest.mark.parametrize(
    "after",
    [
        "x",
        "é",
        "%%%",
        bookmark("{}"),
        bookmark("[]"),
        bookmark('["a","b","c"]'),
        bookmark(f'[{2**63},"b","c"]'),
        bookmark('[-1,"b","c"]'),
        bookmark('[1,"b\\u0000","c"]'),
        bookmark('[1,"b","\\ud800"]'),
        bookmark('[1,"b","c",0]'),
    ],
)
def test_a_place_that_no_page_named_is_refused(server: Server, after: str) -> None:
    answer = rows_of(server.sign_up().link(), after=after)

    assert (answer.status, answer.json["field"]) == (400, "after")

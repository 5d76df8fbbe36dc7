"""Taking one's data along, and away (SRV-19)."""

import json
from typing import Any

import pytest
from serving import NOW, PASSWORD, SERVICE_TOKEN, Person, Server, row

from vibescore_server.db import is_sqlite
from vibescore_server.models import TABLES
from vibescore_server.queries.own_data import PAGE


def exported(person: Person) -> list[dict[str, Any]]:
    answer = person.get("export")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/x-ndjson")
    assert answer.text.endswith("\n")
    return [json.loads(line) for line in answer.text.splitlines()]


@pytest.mark.requirement("SRV-19")
def test_an_export_holds_all_own_data_and_no_secret(server: Server) -> None:
    person, other = server.sign_up("Ada"), server.sign_up("Ben")
    machine = person.link("laptop", key="key-of-adas-laptop")
    other.link().send(row(total=99))
    machine.send(
        row("2026-11-18T10:30:00Z", input=10, cached_input=3, output=5, reasoning_output=2),
        row("2026-11-18T10:00:00Z", total=2**63 - 1, source="gemini", model="g"),
    )

    assert exported(person) == [
        {
            "type": "user",
            "id": person.id,
            "email": person.email,
            "name": "Ada",
            "createdAt": NOW,
            "role": server.get("/api/auth/sessions/current", token=person.token).json["user"][
                "role"
            ],
        },
        {"type": "settings", "leaderboard_public": False, "updated_at": None},
        {
            "type": "device",
            "device_id": machine.id,
            "device_name": "laptop",
            "platform": "linux",
            "created_at": NOW,
            "last_seen_at": NOW,
            "last_sync_at": NOW,
            "revoked_at": None,
        },
        {
            "type": "usage",
            "device_id": machine.id,
            **row("2026-11-18T10:00:00Z", total=2**63 - 1, source="gemini", model="g"),
        },
        {
            "type": "usage",
            "device_id": machine.id,
            **row("2026-11-18T10:30:00Z", input=10, cached_input=3, output=5, reasoning_output=2),
        },
    ]
    text = person.get("export").text
    for secret in (machine.token, person.token, "key-of-adas-laptop", "argon2", other.email):
        assert secret not in text


@pytest.mark.requirement("SRV-19")
def test_an_export_of_several_pages_has_every_row_once(server: Server) -> None:
    """Pages end within a half-hour, where rows differ in model and device only."""
    person = server.sign_up()
    machines = [person.link(name) for name in ("laptop", "desktop")]
    models = [f"model-{number:03}" for number in range(250)]
    starts = [f"2026-11-18T0{hour}:00:00Z" for hour in range(PAGE // 250)]
    for machine in machines:
        for start in starts:
            machine.send(*(row(start, model=model, total=1) for model in models))

    rows = [line for line in exported(person) if line["type"] == "usage"]
    keys = [(each["hour_start"], each["source"], each["model"], each["device_id"]) for each in rows]
    assert len(keys) == len(set(keys)) == 2 * len(starts) * len(models)
    assert keys == sorted(keys)


@pytest.mark.requirement("SRV-19")
def test_only_users_export_and_delete(server: Server) -> None:
    machine = server.sign_up().link()
    for token in (None, machine.token, SERVICE_TOKEN):
        assert server.get("export", token=token).status == 401
        answer = server.post("delete-account", token=token, json={"password": PASSWORD})
        assert answer.status == 401


def mentions(server: Server, user_id: str) -> dict[str, int]:
    """How many rows of each table have to do with a user."""
    counts = {}
    with server.database() as db:
        for table in TABLES:
            name = table._meta.table_name
            column = "user_id" if "user_id" in table._meta.fields else "id"
            if name == "user" or column == "user_id":
                value = user_id.replace("-", "") if is_sqlite(db) else user_id
                asked = f'SELECT count(*) FROM "{name}" WHERE {column} = {db.param}'
                (counts[name],) = db.execute_sql(asked, (value,)).fetchone()
    return counts


@pytest.mark.requirement("SRV-17", "SRV-19")
def test_a_deleted_account_leaves_nothing_and_no_token_works(server: Server) -> None:
    person, other = server.sign_up(), server.sign_up()
    machine, others = person.link(), other.link()
    for computer in (machine, others):
        computer.send(row(NOW, total=5), row(total=6))
    for each in (person, other):
        each.post("leaderboard-settings", leaderboard_public=True)
    server.post("leaderboard-refresh", token=SERVICE_TOKEN, json={})
    signed_in = server.post(
        "/api/auth/sessions", json={"email": person.email, "password": PASSWORD}
    )
    cookie = signed_in.headers["set-cookie"].split(";")[0]
    before = mentions(server, other.id)
    everywhere = {name for name, rows in before.items() if rows}
    assert {name for name, rows in mentions(server, person.id).items() if rows} == everywhere
    assert {"user", "usage_half_hour", "ingest_log", "leaderboard_snapshot"} < everywhere

    assert person.post("delete-account", password=PASSWORD).json == {"success": True}

    assert set(mentions(server, person.id).values()) == {0}
    assert mentions(server, other.id) == before
    assert person.get("export").status == 401
    assert machine.send(row()).status == 401
    headers = {"Cookie": cookie, "X-CSRF-Token": signed_in.json["csrfToken"]}
    assert server.post("/api/auth/refresh", headers=headers).status == 401
    assert (
        server.post("/api/auth/sessions", json={"email": person.email, "password": PASSWORD}).status
        == 401
    )
    assert person.id not in other.get("leaderboard").text
    again = server.sign_up(email=person.email)
    assert again.id != person.id
    assert [line["type"] for line in exported(again)] == ["user", "settings"]


@pytest.mark.requirement("SRV-19")
def test_deletion_asks_for_the_password(server: Server) -> None:
    person = server.sign_up()
    refused = person.post("delete-account", password="not the password")
    assert (refused.status, refused.json["error"]) == (403, "INVALID_CREDENTIALS")
    assert person.post("delete-account").status == 400
    assert exported(person)[0]["id"] == person.id


@pytest.mark.requirement("SRV-19", "SRV-20")
def test_the_password_cannot_be_guessed_by_trying(fresh_server: Any) -> None:
    server = fresh_server(sign_in_per_minute=3)
    person = server.sign_up()
    tried = [person.post("delete-account", password=f"guess {n}").status for n in range(4)]
    assert tried == [403, 403, 403, 429]
    assert person.post("delete-account", password=PASSWORD).status == 429
    server.set_clock("2026-11-18T12:01:00Z")
    assert person.post("delete-account", password=PASSWORD).status == 200

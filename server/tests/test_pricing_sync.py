"""Fetching prices from a catalogue, also from one that misbehaves (SRV-12)."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import pytest
from serving import NOW, PATIENCE, SERVICE_TOKEN, Server, row

TODAY = NOW[:10]

MODELS = {
    "openai/gpt-5.2-codex": ("0.00000175", "0.000014", "0.000000175"),
    "anthropic/claude-opus-4.5": ("0.000005", "0.000025", "0.0000005"),
    "anthropic/claude-opus-4.1": ("0.000015", "0.000075", "0.0000015"),
    "google/gemini-3-flash": ("0.0000005", "0.000003", "0.00000005"),
    "openrouter/auto": ("-1", "-1", "0"),
}


def catalogue(**models: tuple[str, str, str]) -> bytes:
    """A document in OpenRouter's format; the first model is the newest."""
    listed = [
        {
            "id": name,
            "created": 1_700_000_000 - number,
            "pricing": {"prompt": prompt, "completion": completion, "input_cache_read": cached},
        }
        for number, (name, (prompt, completion, cached)) in enumerate((models or MODELS).items())
    ]
    return json.dumps({"data": listed}).encode()


@dataclass
class Site:
    """A catalogue's server, which answers as the test wants it to."""

    status: int = 200
    body: bytes = field(default_factory=catalogue)
    headers: dict[str, str] = field(default_factory=dict)
    gate: Event | None = None
    asked: list[str] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def site() -> Iterator[Site]:
    wanted = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted.asked.append(self.path)
            if wanted.gate:
                wanted.gate.wait(PATIENCE)
            self.send_response(wanted.status)
            for name, value in wanted.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(wanted.body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    thread = Thread(target=httpd.serve_forever)
    thread.start()
    wanted.url = f"http://127.0.0.1:{httpd.server_port}/api/v1/models"
    yield wanted
    if wanted.gate:
        wanted.gate.set()
    httpd.shutdown()
    thread.join()
    httpd.server_close()


@pytest.fixture
def server(fresh_server: Callable[..., Server], site: Site) -> Server:
    return fresh_server(pricing_url=site.url)


def sync(server: Server, **body: Any) -> Any:
    answer = server.post("pricing-sync", token=SERVICE_TOKEN, json=body)
    assert answer.status == 200, answer.text
    return answer.json


def kept(server: Server, table: str, *columns: str) -> list[tuple[Any, ...]]:
    with server.database() as db:
        rows = db.execute_sql(f"SELECT {', '.join(columns)} FROM {table}").fetchall()
    return sorted(tuple(row) for row in rows)


def active(server: Server) -> list[tuple[Any, ...]]:
    """Models and days of the profiles that hold."""
    rows = kept(server, "pricing_profile", "model", "effective_from", "active")
    return [(model, day) for model, day, holds in rows if holds]


@pytest.mark.requirement("SRV-12")
def test_models_become_profiles_and_usage_without_a_match_gets_an_alias(server: Server) -> None:
    machine = server.sign_up().link()
    models = (
        "gpt-5.2-codex",
        "claude-opus-4-5-20251101",
        "claude-opus-99",
        "house-model",
        "unknown",
    )
    machine.send(*(row(model=model, total=1) for model in models))

    assert sync(server) == {
        "success": True,
        "source": "openrouter",
        "effective_from": TODAY,
        "models_total": 5,
        "models_processed": 4,
        "models_skipped": 1,
        "rows_upserted": 4,
        "usage_models_total": 4,
        "aliases_generated": 2,
        "aliases_upserted": 2,
        "retention": None,
    }
    columns = ("model", "source", "effective_from", "input", "cached_input", "output", "reasoning")
    assert kept(server, "pricing_profile", *columns)[3] == (
        *("openai/gpt-5.2-codex", "openrouter", TODAY),
        *(1_750_000, 175_000, 14_000_000, 14_000_000),
    )
    names = ("usage_model", "pricing_source", "effective_from", "pricing_model")
    assert kept(server, "pricing_alias", *names) == [
        ("claude-opus-4-5-20251101", "openrouter", TODAY, "anthropic/claude-opus-4.5"),
        ("claude-opus-99", "openrouter", TODAY, "anthropic/claude-opus-4.5"),
    ]


@pytest.mark.requirement("SRV-12")
def test_a_sync_again_on_the_same_day_replaces_and_on_another_adds(
    server: Server, site: Site
) -> None:
    sync(server)
    site.body = catalogue(**{"openai/gpt-5.2-codex": ("0.000002", "0.00002", "0")})
    assert sync(server)["rows_upserted"] == 1
    codex = ("openai/gpt-5.2-codex", TODAY, 2_000_000, 2_000_000)
    rates = kept(server, "pricing_profile", "model", "effective_from", "input", "cached_input")
    assert (len(rates), rates[3]) == (4, codex)
    sync(server, effective_from="2026-12-01")
    rates = kept(server, "pricing_profile", "model", "effective_from", "input", "cached_input")
    assert rates[3:] == [codex, ("openai/gpt-5.2-codex", "2026-12-01", 2_000_000, 2_000_000)]


@pytest.mark.requirement("SRV-12")
def test_only_the_models_wanted_are_taken(server: Server) -> None:
    done = sync(server, allow_models=["anthropic/*", "google/gemini-3-flash"])
    assert (done["models_total"], done["models_processed"], done["models_skipped"]) == (5, 3, 2)
    assert [model for model, _ in active(server)] == [
        "anthropic/claude-opus-4.1",
        "anthropic/claude-opus-4.5",
        "google/gemini-3-flash",
    ]


@pytest.mark.requirement("SRV-12")
def test_prices_replaced_long_ago_are_retired_but_never_what_holds(
    server: Server, site: Site
) -> None:
    site.body = catalogue(**{"a/old": ("0.000001", "0.000001", "0"), "a/gone": ("1", "1", "0")})
    for day in ("2026-01-01", "2026-06-01", "2026-11-01"):
        sync(server, effective_from=day)
    site.body = catalogue(**{"a/old": ("0.000001", "0.000001", "0")})
    sync(server, effective_from="2027-01-01")

    done = sync(server, retention_days=30)
    assert done["retention"] == {"days": 30, "cutoff": "2026-10-19", "deactivated": 2}
    assert active(server) == [
        ("a/gone", "2026-06-01"),
        ("a/gone", "2026-11-01"),
        ("a/old", "2026-06-01"),
        ("a/old", "2026-11-01"),
        ("a/old", TODAY),
        ("a/old", "2027-01-01"),
    ]
    assert sync(server, retention_days=30)["retention"]["deactivated"] == 0


@pytest.mark.requirement("SRV-12", "SRV-21")
@pytest.mark.parametrize(
    "site_does",
    [
        {"status": 500, "body": b"secret stack trace"},
        {"status": 404, "body": b"secret"},
        {"body": b"<html>secret</html>"},
        {"body": b'{"data": "secret"}'},
        {"body": b"[" * 100_000},
        {"body": b""},
        {"body": b" " * 10_000_001},
        {"status": 302, "headers": {"Location": "http://169.254.169.254/secret"}},
        {"status": 200, "headers": {"Content-Encoding": "gzip"}, "body": b"secret"},
        {"status": 200, "headers": {"Content-Length": "5000"}, "body": b'{"data": []'},
    ],
)
def test_a_catalogue_that_misbehaves_changes_nothing_and_is_told(
    server: Server, site: Site, site_does: dict[str, Any]
) -> None:
    sync(server)
    before = active(server)
    for name, value in site_does.items():
        setattr(site, name, value)

    answer = server.post("pricing-sync", token=SERVICE_TOKEN, json={})
    assert (answer.status, answer.json["error"]) == (502, "PRICING_SOURCE_FAILED")
    assert "secret" not in answer.text
    assert "127.0.0.1" not in answer.text
    assert active(server) == before
    assert site.asked == ["/api/v1/models"] * 2
    vars(site).update(vars(Site()) | {"url": site.url})
    assert sync(server)["success"] is True  # the job is free again


@pytest.mark.requirement("SRV-12", "SRV-21")
def test_a_catalogue_that_is_not_there_is_told(fresh_server: Callable[..., Server]) -> None:
    server = fresh_server(pricing_url="http://127.0.0.1:9/models")
    answer = server.post("pricing-sync", token=SERVICE_TOKEN, json={})
    assert (answer.status, answer.json["error"]) == (502, "PRICING_SOURCE_FAILED")
    failed = server.command("jobs", "run", "pricing")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert "price catalogue" in failed.stderr


@pytest.mark.requirement("SRV-12", "SRV-26")
def test_a_server_stops_while_a_catalogue_keeps_it_waiting(
    fresh_server: Callable[..., Server], site: Site
) -> None:
    site.gate = Event()
    server = fresh_server(pricing_url=site.url, pricing_sync_hours=1, scheduler="true")
    until = time.monotonic() + PATIENCE
    while not site.asked:
        assert time.monotonic() < until
    assert server.get("/healthz").status == 200  # meanwhile it answers
    begun = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - begun < 10
    assert [holder for (holder,) in kept(server, "job", "holder") if holder] == []


@pytest.mark.requirement("SRV-12")
@pytest.mark.parametrize(
    "wrong",
    [
        {"effective_from": "2025-12-32"},
        {"effective_from": "tomorrow"},
        {"retention_days": 0},
        {"retention_days": "x"},
        {"allow_models": "openai"},
    ],
)
def test_a_bad_wish_is_named(shared_server: Server, wrong: dict[str, Any]) -> None:
    answer = shared_server.post("pricing-sync", token=SERVICE_TOKEN, json=wrong)
    assert (answer.status, answer.json["field"]) == (400, next(iter(wrong)))


@pytest.mark.requirement("SRV-12")
def test_only_the_service_may_sync(shared_server: Server) -> None:
    assert shared_server.sign_up().post("pricing-sync").status == 401
    assert shared_server.post("pricing-sync", json={}).status == 401


@pytest.mark.requirement("SRV-12")
def test_the_job_syncs_by_the_clock(server: Server, site: Site) -> None:
    done = server.command("jobs", "run", "pricing")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows_upserted"] == 4
    assert len(active(server)) == 4
    assert site.asked == ["/api/v1/models"]

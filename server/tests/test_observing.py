"""What whoever runs a server can see of it: logs and figures (SRV-22)."""

import io
import json
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from raw_http import head, send
from serving import Server, row

from vibescore_server import logs

Starter = Callable[..., Server]

TOKEN = "metrics-" + "m" * 32


def log_of(server: Server) -> list[dict[str, Any]]:
    """What a server wrote until it ended."""
    server.stop()
    return [json.loads(line) for line in server.log.read_text().splitlines()]


@pytest.mark.requirement("SRV-22")
def test_each_request_is_one_line_of_json(fresh_server: Starter) -> None:
    server = fresh_server()
    named = server.get("devices", headers={"X-Request-Id": "mine-1"}, params={"a": "b"})
    server.get("/nowhere/at/all")
    server.call("BREW", "/healthz")

    first, second, third = log_of(server)
    assert first.keys() == {
        *("time", "level", "logger", "event", "method", "route", "status", "ms", "request")
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first["time"])
    assert (first["event"], first["level"]) == ("request", "info")
    assert (first["method"], first["status"]) == ("GET", named.status)
    assert first["route"] == "/functions/vibescore-devices"
    assert first["request"] == named.headers["x-request-id"] == "mine-1"
    assert 0 <= first["ms"] < 10_000
    assert (second["route"], second["status"]) == ("none", 404)
    assert (third["method"], third["status"]) == ("other", 405)


@pytest.mark.requirement("SRV-22")
def test_a_quiet_server_writes_nothing_while_all_is_well(fresh_server: Starter) -> None:
    server = fresh_server(log_level="warning")
    server.sign_up().link().send(row(input=1))

    assert log_of(server) == []


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What is logged in this process."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure("info", stream)
    yield stream
    root.handlers[:], level = before
    root.setLevel(level)


def fail() -> None:
    try:
        int("a secret")
    except ValueError as cause:
        raise LookupError("somebody@example.org") from cause


@pytest.mark.requirement("SRV-21", "SRV-22")
def test_an_error_is_logged_by_kind_and_place_not_by_what_it_says(written: io.StringIO) -> None:
    try:
        fail()
    except LookupError as error:
        log = logging.getLogger("vibescore.requests")
        log.error("request failed", exc_info=error, extra={"request": "r-1"})  # noqa: TRY400

    told = json.loads(written.getvalue())
    assert told["error"] == "builtins.LookupError < builtins.ValueError"
    assert told["at"][-1].startswith("test_observing.py:")
    assert (told["event"], told["request"]) == ("request failed", "r-1")
    assert "secret" not in written.getvalue()
    assert "somebody" not in written.getvalue()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.requirement("SRV-22")
@pytest.mark.usefixtures("written")
def test_a_terminal_gets_short_plain_lines() -> None:
    terminal = Terminal()
    logs.configure("info", terminal)
    told = {"method": "GET", "route": "/healthz", "status": 200}
    logging.getLogger("vibescore.requests").info("request", extra=told)

    moment, _, rest = terminal.getvalue().partition(" ")
    assert moment.endswith("Z")
    assert rest == "info request: method GET, route /healthz, status 200\n"


@pytest.mark.requirement("SRV-22")
@pytest.mark.usefixtures("written")
@pytest.mark.parametrize(
    "name", ["sanic.root", "sanic.access", "sanic.server", "peewee", "asyncio"]
)
def test_libraries_speak_up_only_when_something_is_wrong(name: str, written: io.StringIO) -> None:
    logging.getLogger(name).info("what they always say")
    assert written.getvalue() == ""

    logging.getLogger(name).warning("something is wrong")
    assert json.loads(written.getvalue())["logger"] == name


Figures = dict[tuple[str, frozenset[tuple[str, str]]], float]


def figures(server: Server) -> Figures:
    """The samples of a scrape by name and labels."""
    answer = server.get("/metrics", token=TOKEN)
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return read(answer.text)


def read(text: str) -> Figures:
    return {
        (each.name, frozenset(each.labels.items())): each.value
        for family in text_string_to_metric_families(text)
        for each in family.samples
    }


def figure(found: Figures, name: str, **labels: str) -> float:
    return found.get((name, frozenset(labels.items())), 0)


@pytest.mark.requirement("SRV-22")
def test_metrics_are_not_there_unless_they_are_wanted(server: Server) -> None:
    assert server.get("/metrics").status == 404
    assert server.get("/metrics", token=TOKEN).status == 404


@pytest.mark.requirement("SRV-22")
def test_metrics_are_for_their_token_only(fresh_server: Starter) -> None:
    server = fresh_server(metrics_token=TOKEN)

    assert server.get("/metrics").status == 401
    assert server.get("/metrics", token=TOKEN[:-1]).status == 401
    assert server.get("/metrics", token=server.sign_up().token).status == 401
    assert server.get("/metrics", token=TOKEN).status == 200


@pytest.mark.requirement("SRV-22")
def test_metrics_count_requests_and_rows(fresh_server: Starter) -> None:
    server = fresh_server(metrics_token=TOKEN)
    machine = server.sign_up().link()
    machine.send(row(input=1), row(input=2, model="other"))
    machine.send(row(input=1))
    server.get("/nowhere")

    found = figures(server)
    route = "/functions/vibescore-ingest"
    labels = {"method": "POST", "route": route, "status": "200"}
    assert figure(found, "vibescore_request_seconds_count", **labels) == 2
    assert figure(found, "vibescore_request_seconds_sum", **labels) > 0
    missing = {"method": "GET", "route": "none", "status": "404"}
    assert figure(found, "vibescore_request_seconds_count", **missing) == 1
    assert figure(found, "vibescore_ingest_rows_total", outcome="inserted") == 2
    assert figure(found, "vibescore_ingest_rows_total", outcome="skipped") == 1
    assert figure(found, "vibescore_requests_under_way") == 1
    assert figure(found, "vibescore_database_waiting") == 0


@pytest.mark.requirement("SRV-22", "SRV-26")
def test_any_of_several_processes_answers_for_all(postgresql_server: Starter) -> None:
    server = postgresql_server(workers=2, metrics_token=TOKEN)
    requests = 40
    for _ in range(requests):  # each on a connection of its own, which any process may take
        assert send(server, head()).status == 200

    labels = {"method": "GET", "route": "/healthz", "status": "200"}
    for _ in range(4):
        scraped = send(
            server, head(f"Authorization: Bearer {TOKEN}", path="/metrics")
        ).body.decode()
        assert figure(read(scraped), "vibescore_request_seconds_count", **labels) == requests

"""The document is made from the code, and says what the protocol promises (SRV-22, SRV-25)."""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from serving import Server

from vibescore_server.app import ROUTES
from vibescore_server.openapi import document

PROTOCOL = {
    "POST /functions/vibescore-device-token-issue": {"user", "service"},
    "POST /functions/vibescore-link-code-init": {"user"},
    "POST /functions/vibescore-link-code-exchange": set(),
    "POST /functions/vibescore-device-link-approve": {"user"},
    "POST /functions/vibescore-device-link-exchange": set(),
    "POST /functions/vibescore-device-authorize": set(),
    "POST /functions/vibescore-device-token": set(),
    "POST /functions/vibescore-ingest": {"device"},
    "GET /functions/vibescore-device-rows": {"device"},
    "POST /functions/vibescore-sync-ping": {"device"},
    "GET /functions/vibescore-usage-summary": {"user"},
    "GET /functions/vibescore-usage-daily": {"user"},
    "GET /functions/vibescore-usage-hourly": {"user"},
    "GET /functions/vibescore-usage-monthly": {"user"},
    "GET /functions/vibescore-usage-heatmap": {"user"},
    "GET /functions/vibescore-usage-model-breakdown": {"user"},
    "GET /functions/vibescore-leaderboard": {"user"},
    "POST /functions/vibescore-leaderboard-refresh": {"service", "admin"},
    "GET /functions/vibescore-leaderboard-settings": {"user"},
    "POST /functions/vibescore-leaderboard-settings": {"user"},
    "POST /api/auth/users": set(),
    "POST /api/auth/sessions": set(),
    "GET /api/auth/sessions/current": {"user"},
    "POST /api/auth/refresh": {"session", "csrf"},
    "POST /api/auth/logout": {"session", "csrf"},
    "GET /functions/vibescore-devices": {"user"},
    "POST /functions/vibescore-device-update": {"user"},
    "POST /functions/vibescore-device-revoke": {"user"},
    "POST /functions/vibescore-pricing-sync": {"service"},
    "POST /functions/vibescore-events-retention": {"service"},
    "GET /functions/vibescore-debug-auth": {"user"},
    "GET /functions/vibescore-export": {"user"},
    "POST /functions/vibescore-delete-account": {"user"},
    "GET /healthz": set(),
    "GET /readyz": set(),
    "GET /metrics": {"metrics"},
    "GET /docs": set(),
}
"""Every operation of the wire protocol, and the kinds of tokens that it knows."""

LIMITED = {
    "POST /functions/vibescore-link-code-exchange",
    "POST /functions/vibescore-device-link-exchange",
    "POST /functions/vibescore-device-token",
    "POST /functions/vibescore-ingest",
    "POST /api/auth/users",
    "POST /api/auth/sessions",
}
"""Operations that may be asked too often (SRV-20)."""


def operations(told: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The operations of a document by method and path."""
    return {
        f"{method.upper()} {path}": operation
        for path, methods in told["paths"].items()
        for method, operation in methods.items()
    }


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    return document(ROUTES)


@pytest.mark.requirement("SRV-25")
def test_the_document_names_every_operation_of_the_protocol(told: dict[str, Any]) -> None:
    assert PROTOCOL.keys() <= operations(told).keys()


@pytest.mark.requirement("SRV-25")
@pytest.mark.parametrize("name", sorted(PROTOCOL))
def test_an_operation_takes_the_tokens_of_the_protocol(told: dict[str, Any], name: str) -> None:
    ways = operations(told)[name].get("security", ())

    assert {scheme for way in ways for scheme in way} == PROTOCOL[name]


@pytest.mark.requirement("SRV-21", "SRV-22")
def test_every_operation_tells_what_can_go_wrong(told: dict[str, Any]) -> None:
    for name, operation in operations(told).items():
        statuses = set(operation["responses"])
        assert {"400", "413", "503"} <= statuses, name
        assert ("415" in statuses) == ("requestBody" in operation), name
        assert ("429" in statuses) or name not in LIMITED, name
        if any(way and way.keys() <= {"user", "device", "service"} for way in kinds(operation)):
            assert "401" in statuses or {} in kinds(operation), name
        if any("admin" in way for way in kinds(operation)):
            assert "403" in statuses, name


def kinds(operation: dict[str, Any]) -> list[dict[str, Any]]:
    return list(operation.get("security", ()))


@pytest.mark.requirement("SRV-22")
def test_every_operation_says_in_a_few_words_what_it_does(told: dict[str, Any]) -> None:
    found = operations(told)
    identities = [operation["operationId"] for operation in found.values()]

    assert all(operation["summary"] and operation["tags"] for operation in found.values())
    assert len(set(identities)) == len(identities)


@pytest.mark.requirement("SRV-22")
def test_every_reference_leads_somewhere_and_every_schema_is_one(told: dict[str, Any]) -> None:
    references = set(re.findall(r'"\$ref": "#/components/([^"]+)"', json.dumps(told)))
    assert references
    for reference in references:
        part, name = reference.split("/")
        assert name in told["components"][part]
    for schema in told["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


@pytest.mark.requirement("SRV-22")
def test_patterns_are_those_of_json_schema(told: dict[str, Any]) -> None:
    assert r"\Z" not in json.dumps(told)
    assert told["components"]["schemas"]["SignUp"]["properties"]["email"]["pattern"].endswith("$")


@pytest.mark.requirement("SRV-22")
def test_the_served_document_is_the_printed_one(server: Server) -> None:
    command = (sys.executable, "-m", "vibescore_server", "openapi")
    printed = subprocess.run(command, capture_output=True, check=True, text=True).stdout

    assert json.loads(printed) == server.get("/openapi.json").json


class Page(HTMLParser):
    """What a page shows, loads and links to."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            assert not name.startswith("on")
            assert name != "style"
            if name in {"href", "src"}:
                self.addresses.append(value or "")
            if name == "id":
                self.ids.append(value or "")


@pytest.mark.requirement("SRV-20", "SRV-22")
def test_the_page_shows_every_operation_without_script_or_strangers(
    server: Server, told: dict[str, Any]
) -> None:
    answer = server.get("/docs")
    page = Page(answer.text)

    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.headers["content-security-policy"].startswith(
        "default-src 'none'; style-src 'self';"
    )
    assert not {"script", "style", "iframe", "img"} & set(page.tags)
    assert {operation["operationId"] for operation in operations(told).values()} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    for address in page.addresses:
        if address.startswith("#"):
            assert address[1:] in page.ids
        else:
            assert server.get(address).status == 200
    assert server.get("/docs.css").headers["content-type"] == "text/css; charset=utf-8"

"""The server does what its OpenAPI document says, whatever it is sent (SRV-21, SRV-22).

Schemathesis makes requests from the document, good and bad ones, and checks each answer against
it: status, headers, media type, schema, refusals, methods. An endpoint that is added is tested.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, TypeVar

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.config import ChecksConfig, SchemathesisConfig
from serving import SERVICE_TOKEN, Server

from vibescore_server.app import ROUTES
from vibescore_server.openapi import document

IN_CI = "CI" in os.environ
METRICS_TOKEN = "metrics-" + "m" * 20


Test = TypeVar("Test", bound=Callable[..., None])

pytestmark = pytest.mark.requirement("SRV-20", "SRV-21", "SRV-22", "SRV-25")

MAY_REFUSE: Mapping[str, str] = {
    "/functions/vibescore-ingest": "neither 'hourly' nor 'data'; they cannot both be required",
    "/functions/vibescore-device-token-issue": "the service token needs the id of a user",
    "/functions/vibescore-device-link-approve": "redirect_uri must be a loopback address",
    "/functions/vibescore-device-link-exchange": "an unknown code is 400, as RFC 6749 has it",
    "/functions/vibescore-device-token": "an unknown code is 400, as RFC 8628 has it",
    "/functions/vibescore-link-code-exchange": "an unknown code is 400",
    "/functions/vibescore-device-authorize-request": "an unknown code is 400",
    "/functions/vibescore-device-authorize-approve": "an unknown code is 400",
    "/functions/vibescore-device-authorize-deny": "an unknown code is 400",
    "/functions/vibescore-device-rows": "after is where a page ended",
    "/functions/vibescore-usage-summary": "an unknown zone, from after to, more than 800 days",
    "/functions/vibescore-usage-daily": "an unknown zone, from after to, more than 800 days",
    "/functions/vibescore-usage-hourly": "an unknown zone, an impossible day",
    "/functions/vibescore-usage-monthly": "an unknown zone, an impossible day",
    "/functions/vibescore-usage-heatmap": "an unknown zone, an impossible day",
    "/functions/vibescore-usage-model-breakdown": "an unknown zone, from after to, too many days",
    "/functions/vibescore-events-retention": "whole numbers are written without a point",
    "/functions/vibescore-pricing-sync": "whole numbers are written without a point",
}
"""Operations that answer 400 to what their schema allows, because fields depend on each other."""

ALSO_REFUSES = {"/functions/vibescore-ingest": "more than 500 rows are 413"}
"""Operations that refuse what their schema does not allow with 413 too."""


def examples(most: int) -> settings:
    """So many for each operation; in CI the same ones every time."""
    return settings(
        max_examples=most,
        deadline=None,
        derandomize=IN_CI,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def configuration(**more: Any) -> SchemathesisConfig:
    """All checks; where one cannot hold by design, that operation and status are named."""
    usual = ChecksConfig()
    accepted = [*usual.positive_data_acceptance.expected_statuses, "400"]
    refused = [*usual.negative_data_rejection.expected_statuses, "413"]
    checks = {"positive_data_acceptance": {"expected-statuses": accepted}}
    more_checks = {"negative_data_rejection": {"expected-statuses": refused}}
    exceptions = [
        {"include-path": path, "checks": checks | (more_checks if path in ALSO_REFUSES else {})}
        for path in MAY_REFUSE
    ]
    return SchemathesisConfig.from_dict({"operations": exceptions, "seed": 20261118, **more})


def each_operation(**more: Any) -> Callable[[Test], Test]:
    """Runs a test for every operation."""
    decorate: Callable[[Test], Test] = operations(**more).parametrize()
    return decorate


def each_operation_for(kind: str) -> Callable[[Test], Test]:
    """Runs a test for every operation that takes a kind of token."""

    def takes_others(context: Any) -> bool:
        ways = context.operation.definition.raw.get("security", ())
        return not any(kind in way for way in ways)

    decorate: Callable[[Test], Test] = operations().exclude(takes_others).parametrize()
    return decorate


def operations(**more: Any) -> Any:
    """What the document describes."""
    return schemathesis.openapi.from_dict(document(ROUTES), config=configuration(**more))


class Catalogue(BaseHTTPRequestHandler):
    """An empty price catalogue, so that nothing leaves this machine."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"data": []}')

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def catalogue() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Catalogue) as listening:
        Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}/models"
        listening.shutdown()


@pytest.fixture(scope="session")
def fuzzed(lasting_server: Callable[..., Server], catalogue: str) -> Server:
    """A server that is fuzzed: no other test relies on what is in it."""
    return lasting_server(pricing_url=catalogue, metrics_token=METRICS_TOKEN)


@pytest.fixture(scope="session")
def tokens(fuzzed: Server) -> Mapping[str, str]:
    """A token of each kind."""
    admin, person = fuzzed.sign_up(), fuzzed.sign_up()
    return {
        "admin": admin.token,
        "user": person.token,
        "device": person.link().token,
        "service": SERVICE_TOKEN,
        "metrics": METRICS_TOKEN,
    }


def check(case: schemathesis.Case[Any], server: Server, token: str | None = None) -> None:
    """Send a request and look at the answer."""
    headers = {"Authorization": f"Bearer {token}"} if token else None
    case.call_and_validate(base_url=server.url, headers=headers)


@each_operation()
@examples(15)
def test_it_answers_nobody_as_documented(case: schemathesis.Case[Any], fuzzed: Server) -> None:
    check(case, fuzzed)


@each_operation_for("user")
@examples(25)
def test_it_answers_users_as_documented(
    case: schemathesis.Case[Any], fuzzed: Server, tokens: Mapping[str, str]
) -> None:
    check(case, fuzzed, tokens["user"])


@each_operation_for("device")
@examples(25)
def test_it_answers_devices_as_documented(
    case: schemathesis.Case[Any], fuzzed: Server, tokens: Mapping[str, str]
) -> None:
    check(case, fuzzed, tokens["device"])


@each_operation_for("service")
@examples(25)
def test_it_answers_scripts_as_documented(
    case: schemathesis.Case[Any], fuzzed: Server, tokens: Mapping[str, str]
) -> None:
    check(case, fuzzed, tokens["service"])


@each_operation(phases={"coverage": {"enabled": False}})
@pytest.mark.parametrize("caller", ["admin", "device", "metrics", "service", "user"])
@examples(2)
def test_it_answers_whoever_else_calls_as_documented(
    case: schemathesis.Case[Any], caller: str, fuzzed: Server, tokens: Mapping[str, str]
) -> None:
    check(case, fuzzed, tokens[caller])

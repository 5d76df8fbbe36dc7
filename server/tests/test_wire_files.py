"""The golden wire files are a contract that can be kept, and their player sees who breaks it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from wire import (
    GOLDEN,
    Answer,
    Exchange,
    Request,
    Response,
    differences,
    exchanges,
    filled,
    golden,
    learned,
    place,
    substituted,
)

EXCHANGES = exchanges()
ERRORS = [exchange for exchange in EXCHANGES if exchange.response.status >= 400]
EACH = pytest.mark.parametrize("exchange", EXCHANGES, ids=lambda exchange: exchange.name)
SERVER = msgspec.json.decode((GOLDEN / "server.json").read_bytes())
REQUIREMENTS = (GOLDEN.parents[1] / "docs/requirements.md").read_text("utf-8")

ENDPOINTS = [
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("POST", "/api/auth/users"),
    ("POST", "/api/auth/sessions"),
    ("GET", "/api/auth/sessions/current"),
    ("POST", "/api/auth/refresh"),
    ("POST", "/api/auth/logout"),
    ("POST", "/functions/vibescore-device-token-issue"),
    ("POST", "/functions/vibescore-link-code-init"),
    ("POST", "/functions/vibescore-link-code-exchange"),
    ("POST", "/functions/vibescore-device-link-approve"),
    ("POST", "/functions/vibescore-device-link-exchange"),
    ("POST", "/functions/vibescore-device-authorize"),
    ("POST", "/functions/vibescore-device-authorize-approve"),
    ("POST", "/functions/vibescore-device-token"),
    ("POST", "/functions/vibescore-ingest"),
    ("GET", "/functions/vibescore-device-rows"),
    ("POST", "/functions/vibescore-sync-ping"),
    ("GET", "/functions/vibescore-usage-summary"),
    ("GET", "/functions/vibescore-usage-daily"),
    ("GET", "/functions/vibescore-usage-hourly"),
    ("GET", "/functions/vibescore-usage-monthly"),
    ("GET", "/functions/vibescore-usage-heatmap"),
    ("GET", "/functions/vibescore-usage-model-breakdown"),
    ("GET", "/functions/vibescore-leaderboard"),
    ("POST", "/functions/vibescore-leaderboard-refresh"),
    ("GET", "/functions/vibescore-leaderboard-settings"),
    ("POST", "/functions/vibescore-leaderboard-settings"),
    ("GET", "/functions/vibescore-devices"),
    ("POST", "/functions/vibescore-device-update"),
    ("POST", "/functions/vibescore-device-revoke"),
    ("POST", "/functions/vibescore-pricing-sync"),
    ("POST", "/functions/vibescore-events-retention"),
    ("GET", "/functions/vibescore-export"),
    ("POST", "/functions/vibescore-delete-account"),
]
FOR_ANYONE = ("GET", "/functions/vibescore-debug-auth")
"""Answers whoever asks: there is no error of its own."""


def texts(value: Any) -> Iterator[str]:
    """All strings in ``value``."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


def sent(request: Request) -> list[str]:
    return [*texts(request.query), *texts(request.headers), *texts(request.body)]


def teaching() -> dict[str, str]:
    """Every golden value that varies, and the exchange that teaches it."""
    return {value: exchange.name for exchange in EXCHANGES for value in taught(exchange)}


def taught(exchange: Exchange) -> list[str]:
    return [place(golden(exchange), pointer) for pointer in exchange.varies]


def endpoint(exchange: Exchange) -> tuple[str, str]:
    return exchange.request.method, exchange.request.path


@pytest.mark.requirement("SRV-25")
def test_the_files_are_numbered_and_time_never_runs_backwards() -> None:
    numbers = [int(exchange.name[:3]) for exchange in EXCHANGES]
    assert numbers == sorted(set(numbers))
    assert all(re.fullmatch(r"\d{3}(-[a-z0-9]+)+", exchange.name) for exchange in EXCHANGES)
    assert all(earlier.at <= later.at for earlier, later in pairwise(EXCHANGES))


@EACH
@pytest.mark.requirement("SRV-25")
def test_every_exchange_says_what_it_shows(exchange: Exchange) -> None:
    assert exchange.about.endswith((".", "…"))
    assert exchange.requirements
    for requirement in exchange.requirements:
        assert f"\n| {requirement} | " in REQUIREMENTS


@pytest.mark.requirement("SRV-25")
def test_every_endpoint_is_shown_with_a_success_and_an_error() -> None:
    succeeding = {endpoint(each) for each in EXCHANGES if each.response.status < 400}
    failing = {endpoint(each) for each in EXCHANGES if each.response.status >= 400}
    assert [each for each in (*ENDPOINTS, FOR_ANYONE) if each not in succeeding] == []
    reads = {path for method, path in failing if method == "POST"}  # 405
    assert [each for each in ENDPOINTS if each not in failing and each[1] not in reads] == []


@pytest.mark.requirement("SRV-25")
def test_nothing_is_asked_of_an_endpoint_that_is_not_in_the_list() -> None:
    paths = {path for _, path in (*ENDPOINTS, FOR_ANYONE)}
    strange = {each.name for each in EXCHANGES if each.request.path not in paths}
    assert strange == {"004-unknown-path"}


@EACH
@pytest.mark.requirement("SRV-25")
def test_what_varies_is_there_and_what_is_absent_is_not(exchange: Exchange) -> None:
    assert all(len(value) >= 8 for value in taught(exchange))
    assert differences(exchange, golden(exchange), {}) == []


@pytest.mark.requirement("SRV-25")
def test_no_value_that_varies_is_used_before_it_is_learned() -> None:
    learned_in = teaching()
    known: set[str] = set()
    for exchange in EXCHANGES:
        used = "\n".join(sent(exchange.request))
        assert [value for value in learned_in if value in used and value not in known] == []
        known |= set(taught(exchange))
        answered = "\n".join([*texts(exchange.response.body), *texts(exchange.response.headers)])
        assert [value for value in learned_in if value in answered and value not in known] == []


@pytest.mark.requirement("SRV-25")
def test_every_value_that_varies_is_learned_once_and_is_part_of_no_other() -> None:
    counts = Counter(value for exchange in EXCHANGES for value in taught(exchange))
    assert [value for value, times in counts.items() if times > 1] == []
    assert [(a, b) for a in counts for b in counts if a != b and a in b] == []


@pytest.mark.requirement("SRV-25")
def test_exchanges_under_a_condition_come_last_and_can_be_left_out() -> None:
    conditions = [exchange.condition for exchange in EXCHANGES]
    first = next(number for number, condition in enumerate(conditions) if condition)
    assert None not in conditions[first:]
    assert [value for exchange in EXCHANGES[first:] for value in taught(exchange)] == []


@pytest.mark.requirement("SRV-25")
def test_whoever_is_let_in_shows_a_token_that_was_given_out() -> None:
    given = {SERVER["service_token"], *teaching()}
    shown = [(each, each.request.headers.get("Authorization")) for each in EXCHANGES]
    strangers = [
        each
        for each, header in shown
        if header is not None and header.removeprefix("Bearer ") not in given
    ]
    assert {each.response.status for each in strangers if endpoint(each) != FOR_ANYONE} == {401}


@pytest.mark.requirement("SRV-21")
@pytest.mark.parametrize("exchange", ERRORS, ids=lambda exchange: exchange.name)
def test_errors_have_code_sentence_and_status(exchange: Exchange) -> None:
    body = exchange.response.body
    assert re.fullmatch(r"[A-Z]+(_[A-Z]+)*|[a-z]+(_[a-z]+)*", body["error"])
    assert body["message"].endswith(".")
    assert body["statusCode"] == exchange.response.status
    assert all(word in body["message"] for word in exchange.mentions)


@pytest.mark.requirement("SRV-21")
def test_the_readme_lists_every_code_with_its_status() -> None:
    readme = (GOLDEN / "README.md").read_text("utf-8")
    codes = {each.response.body["error"] for each in ERRORS}
    assert {code for code in codes if code.isupper() and f"`{code}`" not in readme} == set()


@EACH
@pytest.mark.requirement("SRV-25")
def test_every_body_has_a_type_and_every_answer_the_version(exchange: Exchange) -> None:
    version = (GOLDEN / "api-version").read_text("ascii")
    headers = exchange.response.headers
    if exchange.response.status == 204:
        assert exchange.response.body is msgspec.UNSET
    else:
        assert headers["content-type"] in {"application/json", "application/x-ndjson"}
        assert headers["x-vibescore-api"] + "\n" == version


@EACH
@pytest.mark.requirement("SRV-25")
def test_times_are_utc_with_z_and_seconds(exchange: Exchange) -> None:
    for text in texts(exchange.response.body):
        if re.match(r"\d{4}-\d\d-\d\dT.*Z", text):
            assert datetime.fromisoformat(text).strftime("%Y-%m-%dT%H:%M:%SZ") == text


def usage(slug: str) -> dict[str, Any]:
    """Successful answers of a usage endpoint of the same day, by query."""
    path = f"/functions/vibescore-usage-{slug}"
    day = [each for each in EXCHANGES if 300 <= int(each.name[:3]) < 340]
    found = [each for each in day if each.request.path == path and each.response.status == 200]
    return {str(sorted(each.request.query.items())): each.response.body for each in found}


def added(rows: list[dict[str, str]]) -> dict[str, int]:
    fields = [field for field in rows[0] if field.endswith("_tokens")]
    return {field: sum(int(row[field]) for row in rows) for field in fields}


def tokens(totals: Mapping[str, str]) -> dict[str, int]:
    return {field: int(value) for field, value in totals.items() if field.endswith("_tokens")}


@pytest.mark.requirement("SRV-07")
def test_the_golden_days_sources_and_models_add_up_to_the_golden_summary() -> None:
    for daily in usage("daily").values():
        assert added(daily["data"]) == tokens(daily["summary"]["totals"])
    query = str(sorted({"from": "2025-12-17", "to": "2025-12-22"}.items()))
    summary, sources = usage("summary")[query], usage("model-breakdown")[query]["sources"]
    assert usage("daily")[query]["summary"]["totals"] == summary["totals"]
    assert added([source["totals"] for source in sources]) == tokens(summary["totals"])
    for source in sources:
        assert added([model["totals"] for model in source["models"]]) == tokens(source["totals"])


@pytest.mark.requirement("SRV-11")
def test_a_million_tokens_cost_what_the_list_says() -> None:
    query = str(sorted({"from": "2025-12-17", "to": "2025-12-17"}.items()))
    cost = Decimal(usage("summary")[query]["totals"]["total_cost_usd"])
    others = Decimal("901.425") + Decimal("1727.250") + Decimal("1930.425")  # millionths of a USD
    assert cost == round(Decimal("8.435") + others / 1_000_000, 6)


def made_up(value: str) -> str:
    """What another server makes of a golden value."""
    return f"<{sum(map(ord, value))}-{value[::-1]}>"


@pytest.mark.requirement("SRV-25")
def test_a_server_with_values_of_its_own_keeps_the_contract() -> None:
    actual = {value: made_up(value) for value in teaching()}
    known: dict[str, str] = {}
    for exchange in EXCHANGES:
        request = filled(exchange.request, known)
        assert [value for value in teaching() for text in sent(request) if text == value] == []
        answer = speaking(golden(exchange), actual)
        known |= learned(exchange, answer)
        assert differences(exchange, answer, known) == []
    assert known == actual


def speaking(answer: Answer, actual: Mapping[str, str]) -> Answer:
    """The same answer in the words of a server that made other values up."""
    headers = tuple((name, substituted(value, actual)) for name, value in answer.headers)
    return Answer(answer.status, headers, substituted(answer.content.decode(), actual).encode())


ISSUED = Exchange(
    about="A device.",
    requirements=("SRV-04",),
    at=datetime.fromisoformat("2025-12-22T12:00:00Z"),
    request=Request("POST", "/functions/vibescore-device-token-issue"),
    response=Response(
        200,
        {"content-type": "application/json", "allow": "GET, POST", "x-vibescore-api": "1"},
        {"token": "golden-token", "rows": [{"n": 1, "missing": True}, {"n": 2}]},
    ),
    varies=("/token",),
    absent=("/secret", "/rows/*/prompt", "headers:server"),
)
HEADERS = {
    "X-Request-Id": "1",
    "Content-Type": "application/json; charset=utf-8",
    "Allow": "post,get,head",
    "X-Vibescore-Api": "1",
}
BODY = {"token": "other-token", "rows": [{"n": 1, "missing": True}, {"n": 2, "more": 3}], "new": 1}


def answered(
    body: Any = BODY, *, status: int = 200, headers: Mapping[str, str] = HEADERS
) -> Answer:
    return Answer(status, tuple(headers.items()), msgspec.json.encode(body))


def told(answer: Answer, known: Mapping[str, str] | None = None) -> list[str]:
    return differences(ISSUED, answer, {**(known or {}), **learned(ISSUED, answer)})


@pytest.mark.requirement("SRV-25")
def test_more_fields_more_names_and_another_charset_are_no_difference() -> None:
    assert told(answered()) == []


@pytest.mark.requirement("SRV-25")
@pytest.mark.parametrize(
    "answer, difference",
    [
        (answered(status=201), "status: 201 instead of 200"),
        (answered(headers={**HEADERS, "X-Request-Id": ""}), "headers:x-request-id is missing"),
        (
            answered(headers={**HEADERS, "Allow": "GET"}),
            "headers:allow: 'GET' instead of 'GET, POST'",
        ),
        (
            answered(headers={**HEADERS, "Content-Type": "text/html"}),
            "headers:content-type: 'text/html' instead of 'application/json'",
        ),
        (
            answered(headers={key: HEADERS[key] for key in list(HEADERS)[:3]}),
            "headers:x-vibescore-api is missing",
        ),
        (answered(headers={**HEADERS, "Server": "some"}), "headers:server is there"),
        (answered({**BODY, "token": 7}), "/token: 7 instead of 'golden-token'"),
        (answered({**BODY, "token": ""}), "/token is no text that varies"),
        (answered({**BODY, "secret": "s"}), "/secret is there"),
        (answered({"token": "other-token"}), "/rows is missing"),
        (answered({**BODY, "rows": []}), "/rows: 0 items instead of 2"),
        (answered({**BODY, "rows": [{"n": 1}, {"n": 2}]}), "/rows/0/missing is missing"),
        (
            answered({**BODY, "rows": [{"n": 1, "missing": True}, {"n": "2"}]}),
            "/rows/1/n: '2' instead of 2",
        ),
        (
            answered({**BODY, "rows": [{"n": True, "missing": True}, {"n": 2}]}),
            "/rows/0/n: True instead of 1",
        ),
        (
            answered({**BODY, "rows": [{"n": 1, "missing": True}, {"n": 2, "missing": False}]}),
            "/rows/1/missing is there, where it is only in other items",
        ),
        (
            answered({**BODY, "rows": [{"n": 1, "missing": True}, {"n": 2, "prompt": ""}]}),
            "/rows/*/prompt is there",
        ),
        (answered([]), "body: [] instead of"),
    ],
)
def test_a_difference_is_told_by_its_place(answer: Answer, difference: str) -> None:
    assert any(line.startswith(difference) for line in told(answer)), told(answer)


@pytest.mark.requirement("SRV-25")
def test_a_body_that_is_no_json_is_told_with_its_status() -> None:
    status, body = told(Answer(502, (), b"<html>"))
    assert status == "status: 502"
    assert body.startswith("the body is no JSON")


@pytest.mark.requirement("SRV-25")
def test_a_known_value_has_to_come_again_and_a_new_one_has_to_be_new() -> None:
    again = msgspec.structs.replace(ISSUED, varies=())
    known = {"golden-token": "other-token"}
    assert differences(again, answered(), known) == []
    changed = differences(again, answered({**BODY, "token": "third-token"}), known)
    assert changed == ["/token: 'third-token' instead of 'other-token'"]
    assert told(answered(), {"older-token": "other-token"}) == [
        "/token is not new: it is what 'older-token' was"
    ]


REFUSED = msgspec.structs.replace(
    ISSUED,
    response=Response(
        401,
        {"content-type": "application/json"},
        {"error": "UNAUTHORIZED", "message": "Wrong password.", "statusCode": 401},
    ),
    varies=(),
    mentions=("password",),
)


@pytest.mark.requirement("SRV-21")
@pytest.mark.parametrize(
    "message, known, found",
    [
        ("The password is not right.", {}, []),
        (" ", {}, ["/message: ' ' is no sentence"]),
        (None, {}, ["/message: None is no sentence"]),
        ("No.", {}, ["/message: 'No.' does not mention 'password'"]),
        ("A password.", {"Wrong password.": "A password."}, []),
        (
            "Other password.",
            {"Wrong password.": "A password."},
            ["/message: 'Other password.' differs from 'A password.' before"],
        ),
    ],
)
def test_a_message_is_any_sentence_unless_its_text_was_learned(
    message: str | None, known: dict[str, str], found: list[str]
) -> None:
    answer = answered({"error": "UNAUTHORIZED", "message": message, "statusCode": 401}, status=401)
    assert differences(REFUSED, answer, known) == found


SESSION = msgspec.structs.replace(
    ISSUED,
    response=Response(200, {"set-cookie": "refresh=golden-cookie; HttpOnly; Path=/api"}, {}),
    varies=("headers:set-cookie/refresh",),
    absent=(),
)


@pytest.mark.requirement("SRV-17")
@pytest.mark.parametrize(
    "cookie, found",
    [
        ("refresh=abc; Path=/; Secure; httponly", []),
        ("refresh=abc; Path=/", ["headers:set-cookie/refresh is without httponly"]),
        (
            "other=abc; HttpOnly; Path=/",
            [
                "headers:set-cookie sets no refresh",
                "headers:set-cookie/refresh is no text that varies",
            ],
        ),
    ],
)
def test_a_cookie_is_learned_by_name_and_keeps_its_attributes(
    cookie: str, found: list[str]
) -> None:
    answer = answered({}, headers={"X-Request-Id": "1", "Set-Cookie": cookie})
    known = learned(SESSION, answer)
    assert differences(SESSION, answer, known) == found
    assert set(known.values()) <= {"abc"}


@pytest.mark.requirement("SRV-25")
def test_known_values_are_replaced_inside_of_longer_strings_and_the_longest_first() -> None:
    known = {"code-1": "A", "code-1-long": "B"}
    request = Request(
        "GET",
        "/x/code-1",
        query={"after": "code-1"},
        headers={"Authorization": "Bearer code-1-long"},
        body={"code-1": ["http://127.0.0.1/?code=code-1&state=s", 1, None]},
    )
    sent_on = filled(request, known)
    assert sent_on.path == "/x/A"
    assert sent_on.query == {"after": "A"}
    assert sent_on.headers == {"Authorization": "Bearer B"}
    assert sent_on.body == {"code-1": ["http://127.0.0.1/?code=A&state=s", 1, None]}
    assert filled(Request("POST", "/x", text="[code-1]"), known).content == b"[A]"


@pytest.mark.requirement("SRV-25")
def test_what_is_sent_is_the_text_or_the_json_with_its_repeated_rows() -> None:
    request = Request("POST", "/x", body={"hourly": [{"n": 1}]}, repeat={"/hourly": 3})
    assert request.content == b'{"hourly":[{"n":1},{"n":1},{"n":1}]}'
    assert request.body == {"hourly": [{"n": 1}]}
    assert Request("POST", "/x", text='{"hourly": [').content == b'{"hourly": ['
    assert Request("POST", "/x").content == b""


@pytest.mark.requirement("SRV-25")
def test_a_query_parameter_inside_of_an_address_is_a_place() -> None:
    answer = answered({"redirect_to": "http://[::1]:4/cb?code=c%2B1&state=s"})
    assert place(answer, "/redirect_to?code") == "c+1"
    assert place(answer, "/redirect_to?none") == ""
    assert place(answer, "/none?code") == ""


@pytest.mark.requirement("SRV-17")
def test_a_cookie_that_is_cleared_has_no_value() -> None:
    headers = {"set-cookie": 'refresh=""; Max-Age=0'}
    cleared = msgspec.structs.replace(SESSION, response=Response(200, headers, {}), varies=())
    for value, count in (('""', 0), ("", 0), ("abc", 1)):
        cookie = {"X-Request-Id": "1", "Set-Cookie": f"refresh={value}; Max-Age=0"}
        assert len(differences(cleared, answered({}, headers=cookie), {})) == count


@pytest.mark.requirement("SRV-20")
@pytest.mark.parametrize(
    "seconds, kept", [("1", True), ("3600", True), ("0", False), ("soon", False)]
)
def test_a_wait_is_any_whole_number_of_seconds(seconds: str, kept: bool) -> None:  # noqa: FBT001
    response = Response(503, {"retry-after": "60"}, REFUSED.response.body)
    busy = msgspec.structs.replace(REFUSED, response=response)
    headers = {"X-Request-Id": "1", "Retry-After": seconds}
    answer = answered(REFUSED.response.body, status=503, headers=headers)
    assert (differences(busy, answer, {}) == []) == kept


@pytest.mark.requirement("SRV-20")
def test_a_preflight_has_no_body() -> None:
    preflight = msgspec.structs.replace(REFUSED, response=Response(204, {}))
    headers = (("X-Request-Id", "1"),)
    assert differences(preflight, Answer(204, headers, b""), {}) == []
    (difference,) = differences(preflight, Answer(204, headers, b"{}"), {})
    assert difference.startswith("a body came")


@pytest.mark.requirement("SRV-19")
def test_json_lines_are_compared_line_by_line() -> None:
    lines = {"content-type": "application/x-ndjson"}
    export = msgspec.structs.replace(REFUSED, response=Response(200, lines, [{"n": 1}, {"n": 2}]))
    headers = (("X-Request-Id", "1"), ("Content-Type", "application/x-ndjson"))
    assert differences(export, Answer(200, headers, b'{"n":1}\n{"n":2}\n'), {}) == []
    assert differences(export, Answer(200, headers, b'{"n":1}\n'), {}) == [
        "body: 1 items instead of 2"
    ]

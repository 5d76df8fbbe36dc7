"""What surrounds every endpoint: bad requests, hosts, origins, methods, limits (SRV-20, SRV-21)."""

import socket
from collections.abc import Callable

import httpx
import pytest
from msgspec.structs import fields
from raw_http import Answer, connection, head, read, send, trickle
from serving import Server, row

from vibescore_server.app import HEADERS, ROUTES
from vibescore_server.auth import UserCaller

ORIGIN = "https://dashboard.example.org"

Starter = Callable[..., Server]


def assert_refused(answer: Answer, status: int, code: str) -> None:
    """It is an error in our form, with what every answer carries."""
    assert (answer.status, answer.headers["content-type"]) == (status, "application/json")
    assert answer.json["error"] == code
    assert answer.json["statusCode"] == status
    assert answer.json["message"].endswith(".")
    assert answer.headers["x-request-id"]
    assert HEADERS.items() <= {name: answer.headers.get(name.lower()) for name in HEADERS}.items()


@pytest.mark.requirement("SRV-21")
@pytest.mark.parametrize(
    "request_bytes, status, code",
    [
        pytest.param(b"nonsense\r\n\r\n", 400, "BAD_REQUEST", id="no HTTP"),
        pytest.param(b"GET /healthz HTTP/9\r\n\r\n", 400, "BAD_REQUEST", id="other version"),
        pytest.param(b"GET /healthz HTTP/1.1\r\nHost\r\n\r\n", 400, "BAD_REQUEST", id="bad header"),
        pytest.param(head(path="/\xe4"), 400, "BAD_REQUEST", id="no ASCII in the path"),
        pytest.param(head("X: " + "x" * 20_000), 413, "PAYLOAD_TOO_LARGE", id="huge head"),
        pytest.param(head(path="/" + "x" * 20_000), 413, "PAYLOAD_TOO_LARGE", id="huge path"),
        pytest.param(head(path="/nowhere"), 404, "NOT_FOUND", id="no such path"),
        pytest.param(head(path="/%00%ff"), 404, "NOT_FOUND", id="no such odd path"),
        pytest.param(head(method="POST"), 405, "METHOD_NOT_ALLOWED", id="other method"),
        pytest.param(head(method="SHOUT"), 405, "METHOD_NOT_ALLOWED", id="unknown method"),
        pytest.param(head(method="OPTIONS"), 405, "METHOD_NOT_ALLOWED", id="no preflight"),
        pytest.param(head("Expect: magic", "Content-Length: 0"), 400, "BAD_REQUEST", id="expects"),
        pytest.param(head("X-Vibescore-Api: 2"), 400, "API_VERSION", id="other API"),
        pytest.param(head(host=""), 400, "BAD_REQUEST", id="no host"),
        pytest.param(head("Host: localhost"), 400, "BAD_REQUEST", id="two hosts"),
        pytest.param(head("Content-Length: x"), 400, "BAD_REQUEST", id="bad length"),
        pytest.param(
            head("Content-Length: 1", "Transfer-Encoding: chunked"),
            400,
            "BAD_REQUEST",
            id="smuggled",
        ),
        pytest.param(
            head("Transfer-Encoding: chunked", path="/api/auth/sessions", method="POST")
            + b"zz\r\n",
            400,
            "BAD_REQUEST",
            id="bad chunk",
        ),
        pytest.param(
            head("Content-Length: 1000001", path="/api/auth/sessions", method="POST"),
            413,
            "PAYLOAD_TOO_LARGE",
            id="huge body announced",
        ),
        pytest.param(
            head("Transfer-Encoding: chunked", path="/api/auth/sessions", method="POST")
            + b"f4241\r\nx",
            413,
            "PAYLOAD_TOO_LARGE",
            id="huge chunk",
        ),
        pytest.param(
            head("Content-Length: 2", path="/api/auth/sessions", method="POST") + b"{}",
            415,
            "UNSUPPORTED_MEDIA_TYPE",
            id="no media type",
        ),
    ],
)
def test_whatever_is_wrong_is_answered_in_one_form(
    server: Server, request_bytes: bytes, status: int, code: str
) -> None:
    assert_refused(send(server, request_bytes), status, code)


@pytest.mark.requirement("SRV-21")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"x": ' + b"[" * 100_000,
        b'{"email": "\\ud800"}',
        b'{"email": "\xff"}',
        b"NaN",
        b"\x00",
    ],
    ids=["empty", "half", "deep", "surrogate", "no UTF-8", "NaN", "NUL"],
)
def test_a_body_that_is_no_json_is_bad_json(server: Server, body: bytes) -> None:
    answer = server.post(
        "/api/auth/sessions", content=body, headers={"Content-Type": "application/json"}
    )

    assert (answer.status, answer.json["error"]) == (400, "BAD_REQUEST")


@pytest.mark.requirement("SRV-21")
def test_an_unanswered_method_is_told_which_are(server: Server) -> None:
    assert server.post("/healthz").headers["allow"] == "GET, HEAD"
    assert server.get("ingest").headers["allow"] == "POST"
    assert server.call("DELETE", "ingest").headers["allow"] == "POST"


@pytest.mark.requirement("SRV-21")
def test_head_answers_as_get_does_without_the_body(server: Server) -> None:
    asked, answered = server.call("HEAD", "/healthz"), server.get("/healthz")

    assert (asked.status, asked.text) == (200, "")
    assert asked.headers["content-length"] == answered.headers["content-length"]
    assert asked.headers["content-type"] == answered.headers["content-type"]


@pytest.mark.requirement("SRV-20")
def test_every_answer_carries_the_security_headers_and_the_api_version(server: Server) -> None:
    for answer in (server.get("/healthz"), server.get("/nowhere"), server.get("devices")):
        assert HEADERS.items() <= {name: answer.headers.get(name) for name in HEADERS}.items()
        assert "Strict-Transport-Security" not in answer.headers


@pytest.mark.requirement("SRV-20")
def test_https_is_insisted_on_where_people_come_by_https(fresh_server: Starter) -> None:
    server = fresh_server(public_url="https://score.example.org")

    answer = server.post(
        "/api/auth/users", json={"email": "a@example.org", "password": "correct horse"}
    )

    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert all("Secure" in each for each in answer.headers.get_list("set-cookie"))


@pytest.mark.requirement("SRV-22")
@pytest.mark.parametrize("given", ["abc-123", "0007", "A" * 64, "9f3c.2_x"])
def test_a_short_plain_request_id_is_kept(server: Server, given: str) -> None:
    assert server.get("/healthz", headers={"X-Request-Id": given}).headers["x-request-id"] == given


@pytest.mark.requirement("SRV-22")
@pytest.mark.parametrize("given", ["", "A" * 65, "a b", "a;b", '"', "\xe4", "<script>", "a\tb"])
def test_any_other_request_id_is_replaced(server: Server, given: str) -> None:
    request = head(f"X-Request-Id: {given}")
    first, second = (send(server, request).headers["x-request-id"] for _ in range(2))

    assert given not in (first, second)
    assert first != second


@pytest.mark.requirement("SRV-20")
@pytest.mark.parametrize(
    "host", ["localhost", "LocalHost:80", "127.0.0.1:1", "[::1]", "[::1]:8390", "localhost:"]
)
def test_this_computers_own_names_are_answered(server: Server, host: str) -> None:
    assert send(server, head(host=host)).status == 200


@pytest.mark.requirement("SRV-20")
@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "evil.example:80@localhost",
        "localhost@evil.example",
        "127.0.0.1, evil.example",
        "localhost:x",
        "localhost:80:80",
        "localhost.",
        "[::1",
        "::1",
        "",
        "\xe4",
    ],
)
def test_other_names_are_not_answered_whatever_is_asked(server: Server, host: str) -> None:
    for path in ("/healthz", "/nowhere", "/functions/vibescore-devices"):
        assert_refused(send(server, head("X: y", path=path, host=host)), 400, "BAD_REQUEST")


@pytest.mark.requirement("SRV-20")
def test_names_that_the_settings_allow_are_answered(fresh_server: Starter) -> None:
    server = fresh_server(
        public_url="https://Score.Example.org:8443", allowed_hosts="Other, [FE80::1]"
    )

    for host in ("score.example.org:8443", "score.example.org", "OTHER:1", "[fe80::1]:80"):
        assert send(server, head(host=host)).status == 200
    assert send(server, head(host="example.org")).status == 400


@pytest.mark.requirement("SRV-20")
def test_pages_of_allowed_origins_may_call_and_others_may_not(fresh_server: Starter) -> None:
    server = fresh_server(allowed_origins=f"{ORIGIN}/")
    asked = {"Access-Control-Request-Method": "POST"}

    allowed = server.call("OPTIONS", "ingest", headers={"Origin": ORIGIN, **asked})
    assert (allowed.status, allowed.text) == (204, "")
    assert allowed.headers["access-control-allow-origin"] == ORIGIN
    assert allowed.headers["access-control-allow-methods"] == "GET, POST"
    assert "authorization" in allowed.headers["access-control-allow-headers"].lower()
    for origin in ("https://evil.example", "null", ORIGIN.upper(), f"{ORIGIN}.evil.example"):
        refused = server.call("OPTIONS", "ingest", headers={"Origin": origin, **asked})
        assert (refused.status, refused.json["error"]) == (403, "FORBIDDEN")
        read_anyway = server.get("/healthz", headers={"Origin": origin})
        for answer in (refused, read_anyway):
            assert not [name for name in answer.headers if name.startswith("access-control")]

    answer = server.get("devices", headers={"Origin": ORIGIN})
    assert answer.status == 401
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "x-request-id" in answer.headers["access-control-expose-headers"].lower()


@pytest.mark.requirement("SRV-20")
def test_caches_keep_answers_to_different_origins_apart(fresh_server: Starter) -> None:
    server = fresh_server(allowed_origins=ORIGIN)

    for origin in ({}, {"Origin": ORIGIN}, {"Origin": "https://evil.example"}):
        assert server.get("/healthz", headers=origin).headers["vary"] == "Origin"


@pytest.mark.requirement("SRV-20")
def test_no_origin_is_allowed_by_default(server: Server) -> None:
    answer = server.call(
        "OPTIONS", "ingest", headers={"Origin": "null", "Access-Control-Request-Method": "POST"}
    )

    assert (answer.status, answer.json["error"]) == (403, "FORBIDDEN")


@pytest.mark.requirement("SRV-21")
def test_a_parameter_is_given_once_and_has_a_value(server: Server) -> None:
    person = server.sign_up()

    for endpoint in (each for routes in ROUTES for each in routes.endpoints):
        if endpoint.query is None or (endpoint.caller and UserCaller not in endpoint.caller[1]):
            continue
        for field in fields(endpoint.query):
            twice = {field.encode_name: ["1", "1"]}
            answer = server.get(endpoint.path, token=person.token, params=twice)
            assert (answer.status, answer.json["field"]) == (400, field.encode_name)


@pytest.mark.requirement("SRV-20")
def test_a_client_cannot_choose_its_address(fresh_server: Starter) -> None:
    server = fresh_server(sign_in_per_minute=3)
    statuses = [sign_in(server, f"203.0.113.{number}") for number in range(5)]

    assert statuses == [401, 401, 401, 429, 429]


@pytest.mark.requirement("SRV-20")
def test_behind_proxies_the_address_is_what_the_outermost_one_saw(fresh_server: Starter) -> None:
    server = fresh_server(sign_in_per_minute=3, proxies=2)

    assert [sign_in(server, f"198.51.100.{n}, 203.0.113.1, 10.0.0.1") for n in range(4)] == [
        *(401, 401, 401),
        429,
    ]
    assert sign_in(server, "198.51.100.1, 203.0.113.2, 10.0.0.1") == 401


def sign_in(server: Server, forwarded_for: str) -> int:
    """Try to sign in, each time as somebody else."""
    address = forwarded_for.partition(",")[0]
    account = {"email": f"{address}@example.org", "password": "wrong"}
    forwarded = {
        "X-Forwarded-For": forwarded_for,
        "X-Real-IP": address,
        "Forwarded": f"for={address}",
    }
    return server.post("/api/auth/sessions", json=account, headers=forwarded).status


@pytest.mark.requirement("SRV-20")
def test_a_head_that_never_ends_is_given_up(fresh_server: Starter) -> None:
    server = fresh_server(head_seconds=1)

    with connection(server) as line:
        trickle(line, head("X: " + "x" * 200), every=0.05)
        assert_refused(read(line), 408, "TOO_SLOW")
        assert line.recv(1) == b""


@pytest.mark.requirement("SRV-20")
@pytest.mark.parametrize("more", [(), ("Upgrade: websocket", "Connection: upgrade")])
def test_a_body_that_never_ends_is_given_up(fresh_server: Starter, more: tuple[str, ...]) -> None:
    server = fresh_server(head_seconds=1, request_seconds=1)
    request = head("Content-Length: 201", *more, path="/api/auth/sessions", method="POST")

    with connection(server) as line:
        line.sendall(request)
        trickle(line, b"x" * 200, every=0.05)
        assert_refused(read(line), 503, "UNAVAILABLE")
        assert line.recv(1) == b""


@pytest.mark.requirement("SRV-20")
def test_a_request_that_arrives_in_pieces_is_answered(server: Server) -> None:
    with connection(server) as line:
        trickle(line, head(), every=0.001)
        assert read(line).status == 200


@pytest.mark.requirement("SRV-20")
def test_connections_that_break_leave_no_request_under_way(fresh_server: Starter) -> None:
    server = fresh_server(max_in_flight=3, metrics_token="m" * 20)
    account = b'{"email": "nobody@example.org", "password": "takes a while to check"}'
    request = head(
        "Content-Type: application/json",
        f"Content-Length: {len(account)}",
        path="/api/auth/sessions",
        method="POST",
    )

    for _ in range(30):
        with connection(server) as line:
            line.sendall(request + account)
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # reset

    for _ in range(10_000):
        if "vibescore_requests_under_way 1.0" in metrics(server):
            break  # which is the request for the metrics
    assert server.get("devices").status == 401


def metrics(server: Server) -> str:
    return server.get("/metrics", token="m" * 20).text


@pytest.mark.requirement("SRV-20")
def test_a_busy_server_says_so_and_still_tells_that_it_is_alive(fresh_server: Starter) -> None:
    server = fresh_server(max_in_flight=1)
    person = server.sign_up()
    machine = person.link()

    with httpx.Client(base_url=server.url) as client:
        busy = 0
        for answers in overlapping(server, 8):
            busy += sum(answer.status == 503 for answer in answers)
            for answer in answers:
                if answer.status == 503:
                    assert_refused(answer, 503, "OVERLOADED")
                    assert answer.headers["retry-after"] == "1"
            assert client.get("/healthz").status_code == 200
            if busy:
                break
    assert busy
    assert machine.send(row(input=1)).json["inserted"] == 1


def overlapping(server: Server, times: int) -> list[list[Answer]]:
    """Answers to requests of which several are sent before the first is answered."""
    account = b'{"email": "nobody@example.org", "password": "takes a while to check"}'
    request = head(
        "Content-Type: application/json",
        f"Content-Length: {len(account)}",
        path="/api/auth/sessions",
        method="POST",
    )
    rounds = []
    for _ in range(times):
        with connection(server) as first, connection(server) as second, connection(server) as third:
            for line in (first, second, third):
                line.sendall(request + account)
            rounds.append([read(line) for line in (first, second, third)])
    return rounds

"""Linking a computer: by a code, through a browser, or by a code that it shows (SRV-04, SRV-05)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from serving import Machine, Person, Response, Server

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
"""RFC 7636, appendix B."""

KEY = "k" * 64
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"


def link_code(person: Person) -> str:
    code: str = person.post("link-code-init").json["link_code"]
    return code


def exchange(server: Server, code: str, request_id: str = "one", **more: Any) -> Response:
    body = {"device_name": "tower", "platform": "linux"} | more
    return server.post(
        "link-code-exchange", json={"link_code": code, "request_id": request_id, **body}
    )


def approve(person: Person, **changed: Any) -> Response:
    asked = {
        "redirect_uri": "http://127.0.0.1:53682/callback",
        "state": "af0ifjsldkj",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "device_name": "tower",
        "platform": "windows",
    }
    return person.post("device-link-approve", **(asked | changed))


def browser_code(person: Person) -> str:
    to: str = approve(person).json["redirect_to"]
    return parse_qs(urlsplit(to).query)["code"][0]


def exchange_browser(server: Server, code: str, request_id: str = "one", **more: Any) -> Response:
    body = {"code": code, "code_verifier": VERIFIER, "request_id": request_id} | more
    return server.post("device-link-exchange", json=body)


def authorize(server: Server) -> Any:
    answer = server.post("device-authorize", json={"device_name": "build-box", "platform": "linux"})
    assert answer.status == 200, answer.text
    return answer.json


def poll(server: Server, device_code: str, **more: Any) -> Response:
    return server.post("device-token", json={"device_code": device_code, **more})


def refusal(answer: Response) -> tuple[int, str]:
    assert answer.json["statusCode"] == answer.status
    return answer.status, answer.json["error"]


def devices(person: Person) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = person.get("devices").json["devices"]
    return listed


def works(person: Person, answer: Response) -> bool:
    """Whether the answer's token is that of the device it names."""
    machine = Machine(person, answer.json["device_id"], answer.json["token"])
    ping = machine.post("sync-ping")
    return ping.status == 200 and ping.json["device_id"] == machine.id


INVALID = (400, "INVALID_CODE")
USED = (409, "CODE_USED")


@pytest.mark.requirement("SRV-05")
def test_a_link_code_links_one_computer(server: Server) -> None:
    person = server.sign_up()
    made = person.post("link-code-init").json

    assert made["expires_at"] == "2026-11-18T12:10:00Z"
    answer = exchange(server, made["link_code"])
    assert answer.json.keys() == {"token", "device_id", "user_id"}
    assert answer.json["user_id"] == person.id
    assert works(person, answer)
    assert [(each["device_name"], each["platform"]) for each in devices(person)] == [
        ("tower", "linux")
    ]


@pytest.mark.requirement("SRV-05")
def test_a_link_code_of_the_command_line_links_one_computer(server: Server) -> None:
    person = server.sign_up()
    told = server.command("user", "link-code", person.email.upper())

    assert told.returncode == 0, told.stderr
    assert "one computer until 2026-11-18T12:10:00Z" in told.stderr
    code = told.stdout.strip()
    assert code not in told.stderr
    assert works(person, exchange(server, code))
    assert refusal(exchange(server, code, "two")) == USED


@pytest.mark.requirement("SRV-05")
def test_a_link_code_may_be_typed_in_lower_case_and_without_dashes(server: Server) -> None:
    code = link_code(server.sign_up())

    assert exchange(server, f" {code.replace('-', ' ').lower()}").status == 200


@pytest.mark.requirement("SRV-05")
def test_the_same_request_gets_the_same_answer_and_another_gets_none(server: Server) -> None:
    person = server.sign_up()
    code = link_code(person)

    first = exchange(server, code, "one")
    assert first.status == 200
    assert exchange(server, code, "one").json == first.json
    assert refusal(exchange(server, code, "two")) == USED
    assert len(devices(person)) == 1


@pytest.mark.requirement("SRV-05")
def test_a_lost_answer_is_repeated_for_ten_minutes_after_it(server: Server) -> None:
    person = server.sign_up()
    code = link_code(person)
    server.set_clock("2026-11-18T12:09:59Z")
    first = exchange(server, code)

    server.set_clock("2026-11-18T12:19:58Z")
    assert exchange(server, code).json == first.json
    server.set_clock("2026-11-18T12:19:59Z")
    assert refusal(exchange(server, code)) == INVALID


@pytest.mark.requirement("SRV-05")
def test_codes_that_are_unknown_or_ten_minutes_old_are_worth_nothing(server: Server) -> None:
    person = server.sign_up()
    code, other = link_code(person), browser_code(person)

    assert refusal(exchange(server, "XXXX-XXXX-XXXX")) == INVALID
    assert refusal(exchange_browser(server, "x" * 43)) == INVALID
    server.set_clock("2026-11-18T12:10:00Z")
    assert refusal(exchange(server, code)) == INVALID
    assert refusal(exchange_browser(server, other)) == INVALID
    assert devices(server.sign_up()) == []


@pytest.mark.requirement("SRV-05")
def test_a_code_of_one_way_opens_no_other_way(server: Server) -> None:
    person = server.sign_up()
    code, in_browser = link_code(person), browser_code(person)
    shown = authorize(server)
    person.post("device-authorize-approve", user_code=shown["user_code"])

    assert refusal(exchange_browser(server, code.replace("-", ""))) == INVALID
    assert refusal(exchange(server, in_browser)) == INVALID
    assert refusal(exchange(server, shown["user_code"])) == INVALID
    assert refusal(exchange_browser(server, shown["device_code"])) == INVALID
    assert refusal(poll(server, in_browser)) == (400, "invalid_grant")


@pytest.mark.requirement("SRV-04", "SRV-05")
def test_the_same_computer_linked_in_three_ways_is_one_device(server: Server) -> None:
    person = server.sign_up()
    shown = authorize(server)
    person.post("device-authorize-approve", user_code=shown["user_code"])

    answers = [
        exchange(server, link_code(person), device_key=KEY),
        exchange_browser(server, browser_code(person), device_key=KEY),
        poll(server, shown["device_code"], device_key=KEY),
    ]
    assert len({answer.json["device_id"] for answer in answers}) == 1
    assert len({answer.json["token"] for answer in answers}) == 3
    assert all(works(person, answer) for answer in answers)
    assert [each["device_name"] for each in devices(person)] == ["build-box"]


@pytest.mark.requirement("SRV-04", "SRV-05")
def test_the_same_key_of_another_user_is_another_device(server: Server) -> None:
    one, other = (
        exchange(server, link_code(server.sign_up()), device_key=KEY).json for _ in range(2)
    )

    assert one["device_id"] != other["device_id"]


@pytest.mark.requirement("SRV-05")
@pytest.mark.parametrize("way", [exchange, exchange_browser])
def test_of_requests_at_the_same_time_one_redeems_the_code(
    server: Server, way: Callable[[Server, str, str], Response]
) -> None:
    person = server.sign_up()
    code = link_code(person) if way is exchange else browser_code(person)

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda number: way(server, code, f"{number}"), range(8)))

    assert sorted(answer.status for answer in answers) == [200, *[409] * 7]
    assert len(devices(person)) == 1


@pytest.mark.requirement("SRV-05")
def test_one_request_sent_many_times_at_once_has_one_answer(server: Server) -> None:
    person = server.sign_up()
    code = link_code(person)

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: exchange(server, code), range(8)))

    assert {answer.status for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert len(devices(person)) == 1


@pytest.mark.requirement("SRV-04", "SRV-05")
def test_linking_that_fails_half_way_leaves_nothing(fresh_server: Callable[..., Server]) -> None:
    server = fresh_server()
    person = server.sign_up()
    code = link_code(person)

    server.sql("ALTER TABLE device_token RENAME TO out_of_reach")
    failed = exchange(server, code)
    issued = person.post("device-token-issue", device_name="tower", platform="linux")
    server.sql("ALTER TABLE out_of_reach RENAME TO device_token")

    for answer in (failed, issued):
        assert answer.status in {500, 503}
        assert "device_token" not in answer.text
    assert server.sql("SELECT count(*) FROM device") == [(0,)]
    assert server.sql("SELECT count(*) FROM device_token") == [(0,)]
    assert server.sql("SELECT request_hash, device_id FROM device_grant") == [(None, None)]
    assert works(person, exchange(server, code, "another"))
    assert len(devices(person)) == 1


@pytest.mark.requirement("SRV-04", "SRV-05")
def test_no_code_or_token_is_kept_or_logged(fresh_server: Callable[..., Server]) -> None:
    server = fresh_server()
    person = server.sign_up()
    code, in_browser, shown = link_code(person), browser_code(person), authorize(server)
    person.post("device-authorize-approve", user_code=shown["user_code"])
    answers = [
        exchange(server, code),
        exchange_browser(server, in_browser),
        poll(server, shown["device_code"]),
    ]
    secrets = [code, code.replace("-", ""), in_browser, shown["device_code"], shown["user_code"]]
    secrets += [answer.json["token"] for answer in answers]

    tables = ("device", "device_token", "device_grant", "attempt")
    kept = "".join(str(server.sql(f"SELECT * FROM {table}")) for table in tables)
    assert sha256(in_browser.encode()).hexdigest() in kept
    assert sha256(answers[0].json["token"].encode()).hexdigest() in kept
    assert [secret for secret in secrets if secret in kept] == []
    assert [secret for secret in secrets if secret in server.log.read_text()] == []


@pytest.mark.requirement("SRV-05")
def test_a_browser_takes_a_code_back_that_only_the_verifier_redeems(server: Server) -> None:
    person = server.sign_up()
    to = urlsplit(approve(person).json["redirect_to"])

    assert to._replace(query="").geturl() == "http://127.0.0.1:53682/callback"
    told = parse_qs(to.query)
    assert told.keys() == {"code", "state"}
    assert told["state"] == ["af0ifjsldkj"]
    assert refusal(exchange_browser(server, told["code"][0], code_verifier="w" * 43)) == INVALID
    answer = exchange_browser(server, told["code"][0])
    assert works(person, answer)
    assert refusal(exchange_browser(server, told["code"][0], code_verifier="w" * 43)) == INVALID
    assert refusal(exchange_browser(server, told["code"][0], "two")) == USED
    assert exchange_browser(server, told["code"][0]).json == answer.json
    assert [(each["device_name"], each["platform"]) for each in devices(person)] == [
        ("tower", "windows")
    ]


@pytest.mark.requirement("SRV-05")
@pytest.mark.parametrize(
    "redirect_uri",
    [
        "http://127.0.0.1:53682/callback",
        "http://127.0.0.1/",
        "http://127.0.0.1",
        "http://127.200.0.9:1/x",
        "http://[::1]:40001/done",
        "http://localhost:65535/a/b;c=d,(e)?f='g'",
    ],
)
def test_a_code_goes_to_any_port_of_this_computer(server: Server, redirect_uri: str) -> None:
    answer = approve(server.sign_up(), redirect_uri=redirect_uri)

    assert answer.status == 200, answer.text
    assert answer.json["redirect_to"].startswith(redirect_uri)


@pytest.mark.requirement("SRV-05")
@pytest.mark.parametrize(
    "redirect_uri",
    [
        "",
        "127.0.0.1:53682/callback",
        "https://127.0.0.1:53682/callback",
        "ftp://127.0.0.1/",
        "javascript:alert(1)//127.0.0.1",
        "http://elsewhere.example/callback",
        "http://127.0.0.1.elsewhere.example/",
        "http://localhost.elsewhere.example/",
        "http://127.0.0.1@elsewhere.example/",
        "http://me@127.0.0.1/",
        "http://me:secret@127.0.0.1/",
        "http://elsewhere.example#@127.0.0.1/",
        "http://elsewhere.example\\@127.0.0.1/",
        "http://127.0.0.1/#fragment",
        "http://127.0.0.1/#",
        "http://127.0.0.256/",
        "http://128.0.0.1/",
        "http://0.0.0.0/",
        "http://10.0.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "http://[::]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[fe80::1]/",
        "http://127.0.0.1:65536/",
        "http://127.0.0.1:port/",
        "http://127.0.0.1/two words",
        "http://127.0.0.1/\r\nSet-Cookie: a=b",
        "http://127.0.0.1/\n",
        "http://127.0.0.1/<script>",
        'http://127.0.0.1/"',
        "http://127.0.0.1/é",
        " http://127.0.0.1/",
        "//127.0.0.1/",
    ],
)
def test_a_code_goes_to_no_other_place(server: Server, redirect_uri: str) -> None:
    answer = approve(server.sign_up(), redirect_uri=redirect_uri)

    assert answer.status == 400
    assert answer.json["field"] == "redirect_uri"


@pytest.mark.requirement("SRV-05")
def test_a_redirect_keeps_its_own_query(server: Server) -> None:
    asked = {"redirect_uri": "http://[::1]:9/cb?a=1&b=%20c", "state": "x &=#\r\n?ü"}
    to = urlsplit(approve(server.sign_up(), **asked).json["redirect_to"])

    assert to.query.startswith("a=1&b=%20c&code=")
    assert parse_qs(to.query)["state"] == ["x &=#\r\n?ü"]
    assert to.fragment == ""


@pytest.mark.requirement("SRV-05")
@pytest.mark.parametrize(
    "field, value",
    [
        ("code_challenge_method", "plain"),
        ("code_challenge", CHALLENGE[:-1]),
        ("code_challenge", CHALLENGE + "="),
        ("code_challenge", CHALLENGE[:-1] + "+"),
        ("code_challenge", CHALLENGE[:-1] + "\n"),
        ("device_name", " "),
        ("device_name", "x" * 129),
        ("device_name", "a\nb"),
        ("platform", "x" * 33),
        ("platform", "linux\n"),
        ("state", "x" * 1025),
        ("redirect_uri", "http://127.0.0.1/" + "x" * 2048),
    ],
)
def test_what_is_approved_is_well_formed(server: Server, field: str, value: str) -> None:
    answer = approve(server.sign_up(), **{field: value})

    assert (answer.status, answer.json["field"]) == (400, field)


@pytest.mark.requirement("SRV-05")
@pytest.mark.parametrize(
    "slug",
    [
        "link-code-init",
        "device-link-approve",
        "device-authorize-approve",
        "device-authorize-deny",
    ],
)
def test_only_a_user_promises_anything(server: Server, slug: str) -> None:
    person = server.sign_up()
    body = {
        "redirect_uri": "http://127.0.0.1/",
        "code_challenge": CHALLENGE,
        "device_name": "x",
        "platform": "x",
        "user_code": "AAAA-AAAA",
    }

    assert server.post(slug, json=body).status == 401
    assert person.link().post(slug, **body).status == 401


@pytest.mark.requirement("SRV-05")
def test_a_computer_without_a_browser_waits_until_its_code_is_approved(server: Server) -> None:
    person = server.sign_up()
    shown = authorize(server)
    code, user_code = shown["device_code"], shown["user_code"]

    assert shown == {
        "device_code": code,
        "user_code": user_code,
        "verification_uri": f"{server.url}/link",
        "verification_uri_complete": f"{server.url}/link?user_code={user_code}",
        "expires_in": 600,
        "interval": 5,
    }
    assert [len(part) for part in user_code.split("-")] == [4, 4]
    assert not set(user_code) & set("01IO")
    assert refusal(poll(server, code, grant_type=GRANT_TYPE)) == (400, "authorization_pending")
    asked = person.get("device-authorize-request", user_code=user_code.lower())
    assert asked.json == {
        "device_name": "build-box",
        "platform": "linux",
        "expires_at": "2026-11-18T12:10:00Z",
    }
    approved = person.post("device-authorize-approve", user_code=user_code.replace("-", ""))
    assert approved.json == {"success": True, "device_name": "build-box", "platform": "linux"}
    answer = poll(server, code, grant_type=GRANT_TYPE, request_id="one")
    assert works(person, answer)
    assert poll(server, code, request_id="one").json == answer.json
    assert refusal(poll(server, code, request_id="two")) == (400, "invalid_grant")
    assert refusal(poll(server, code)) == (400, "invalid_grant")
    assert len(devices(person)) == 1


@pytest.mark.requirement("SRV-05")
def test_a_client_that_knows_no_request_ids_gets_its_answer_again(server: Server) -> None:
    shown = authorize(server)
    server.sign_up().post("device-authorize-approve", user_code=shown["user_code"])

    answer = poll(server, shown["device_code"])
    assert answer.status == 200
    assert poll(server, shown["device_code"]).json == answer.json


@pytest.mark.requirement("SRV-05")
def test_every_poll_that_comes_too_soon_makes_the_interval_five_seconds_longer(
    server: Server,
) -> None:
    code = authorize(server)["device_code"]
    pending, slower = (400, "authorization_pending"), (400, "slow_down")
    polls = (
        ("12:00:00", pending),
        ("12:00:05", pending),
        ("12:00:09", slower),  # 10 from now on
        ("12:00:18", slower),  # 15
        ("12:00:33", pending),
        ("12:00:48", pending),
        ("12:01:02", slower),
    )

    for time, expected in polls:
        server.set_clock(f"2026-11-18T{time}Z")
        assert refusal(poll(server, code)) == expected, time


@pytest.mark.requirement("SRV-05")
def test_a_computer_learns_that_it_was_refused_or_came_too_late(server: Server) -> None:
    person = server.sign_up()
    denied, late = authorize(server), authorize(server)

    answer = person.post("device-authorize-deny", user_code=denied["user_code"])
    assert answer.json == {"success": True, "device_name": "build-box", "platform": "linux"}
    assert refusal(poll(server, denied["device_code"])) == (400, "access_denied")
    again = person.post("device-authorize-approve", user_code=denied["user_code"])
    assert refusal(again) == INVALID
    server.set_clock("2026-11-18T12:10:00Z")
    assert refusal(poll(server, late["device_code"])) == (400, "expired_token")
    assert refusal(poll(server, "unheard-of")) == (400, "invalid_grant")
    other = server.sign_up()
    for slug in ("device-authorize-approve", "device-authorize-deny"):
        assert refusal(other.post(slug, user_code=late["user_code"])) == INVALID
    assert refusal(other.get("device-authorize-request", user_code=late["user_code"])) == INVALID


@pytest.mark.requirement("SRV-05")
def test_a_code_that_one_user_approved_is_closed_to_another(server: Server) -> None:
    owner, other = server.sign_up(), server.sign_up()
    shown = authorize(server)
    code = {"user_code": shown["user_code"]}

    assert owner.post("device-authorize-approve", **code).status == 200
    assert owner.post("device-authorize-approve", **code).status == 200
    assert refusal(other.post("device-authorize-approve", **code)) == INVALID
    assert refusal(other.post("device-authorize-deny", **code)) == INVALID
    assert refusal(other.get("device-authorize-request", **code)) == INVALID
    assert poll(server, shown["device_code"]).json["user_id"] == owner.id


@pytest.mark.requirement("SRV-05")
def test_a_poll_of_another_grant_type_is_refused(server: Server) -> None:
    answer = poll(server, authorize(server)["device_code"], grant_type="password")

    assert (answer.status, answer.json["field"]) == (400, "grant_type")


@pytest.mark.requirement("SRV-05")
def test_people_are_sent_to_the_public_address(fresh_server: Callable[..., Server]) -> None:
    server = fresh_server(public_url="https://tokens.example.org")
    shown = authorize(server)

    assert shown["verification_uri"] == "https://tokens.example.org/link"


@pytest.mark.requirement("SRV-05", "SRV-20")
def test_codes_cannot_be_tried_many_times(fresh_server: Callable[..., Server]) -> None:
    server = fresh_server(link_per_minute=3)
    person, other = server.sign_up(), server.sign_up()

    def statuses(attempt: Callable[[], Response]) -> list[int]:
        return [attempt().status for _ in range(4)]

    assert statuses(lambda: exchange(server, "XXXX-XXXX-XXXX")) == [400, 400, 400, 429]
    assert exchange_browser(server, "x" * 43).status == 429
    assert statuses(lambda: poll(server, "x")) == [400, 400, 400, 429]
    ask = {"device_name": "x", "platform": "x"}
    begin = statuses(lambda: server.post("device-authorize", json=ask))
    assert begin == [200, 200, 200, 429]
    guess = {"user_code": "AAAA-AAAA"}
    assert person.get("device-authorize-request", **guess).status == 400
    assert person.post("device-authorize-deny", **guess).status == 400
    assert person.post("device-authorize-approve", **guess).status == 400
    last = person.post("device-authorize-approve", **guess)
    assert (last.status, last.json["error"]) == (429, "RATE_LIMITED")
    assert last.headers["Retry-After"] == "60"
    assert other.post("device-authorize-approve", **guess).status == 400
    server.set_clock("2026-11-18T12:01:00Z")
    assert exchange(server, "XXXX-XXXX-XXXX").status == 400

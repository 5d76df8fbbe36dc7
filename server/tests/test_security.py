"""What nobody may do: forge, replay, peek, guess, flood, inject (SRV-17, SRV-20, SRV-04)."""

import asyncio
import base64
import hashlib
import hmac
import json
import stat
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import argon2
import jwt
import pytest
from clusters import Cluster, NoPostgresql, temporary_cluster
from rows import all_rows, remove_user, rows_of
from sampling import ENDPOINTS, Sample, sample
from serving import NOW, PASSWORD, SERVICE_TOKEN, Machine, Person, Response, Server, row, serving

from vibescore_server.api import Endpoint
from vibescore_server.auth import (
    AdminCaller,
    Caller,
    DeviceCaller,
    ServiceCaller,
    UserCaller,
)
from vibescore_server.tokens import Passwords

Starter = Callable[..., Server]

START = int(datetime.fromisoformat(NOW).timestamp())
METRICS_TOKEN = "metrics-" + "m" * 32


def name_of(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


def each_endpoint(*chosen: Endpoint) -> pytest.MarkDecorator:
    """Runs a test for endpoints."""
    return pytest.mark.parametrize("endpoint", chosen, ids=name_of)


def ask(server: Server, asked: Sample, token: str | None) -> Response:
    """Send a sample."""
    return server.call(asked.endpoint.method, asked.endpoint.path, token=token, **asked.request)


@dataclass(frozen=True)
class Forger:
    """Makes tokens; ``key`` is that of the server, which only tests can know."""

    user_id: str
    key: bytes

    def claims(self, **other: Any) -> dict[str, Any]:
        usual = {"sub": self.user_id, "aud": "vibescore", "iat": START, "exp": START + 900}
        return {name: value for name, value in (usual | other).items() if value is not None}

    def token(self, *, alg: str = "HS256", key: bytes | None = None, **other: Any) -> str:
        """A token signed by HMAC-SHA256, whatever its header says."""
        head = encoded(json.dumps({"alg": alg, "typ": "JWT"}).encode())
        signed = f"{head}.{encoded(json.dumps(self.claims(**other)).encode())}"
        signature = hmac.digest(self.key if key is None else key, signed.encode(), "sha256")
        return f"{signed}.{encoded(signature)}"


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def forger(server: Server, person: Person) -> Forger:
    secret = (server.data_dir / "secret").read_bytes()
    return Forger(person.id, hmac.digest(secret, b"access token", "sha256"))


def who(server: Server, token: str) -> int:
    """The status of asking who one is."""
    return server.get("/api/auth/sessions/current", token=token).status


@pytest.mark.requirement("SRV-17")
def test_an_access_token_is_good_until_it_expires(server: Server) -> None:
    person = server.sign_up()

    assert who(server, person.token) == 200
    server.set_clock("2026-11-18T12:14:59Z")
    assert who(server, person.token) == 200
    server.set_clock("2026-11-18T12:15:00Z")
    assert who(server, person.token) == 401


@pytest.mark.requirement("SRV-17")
@pytest.mark.parametrize(
    "change",
    [
        {"alg": "none"},
        {"alg": "HS384"},
        {"alg": "RS256"},
        {"alg": "ES256"},
        {"key": b"another key that is long enough to be one"},
        {"key": b""},
        {"aud": "somebody else"},
        {"aud": None},
        {"exp": START},
        {"exp": START - 1},
        {"exp": None},
        {"exp": "tomorrow"},
        {"iat": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 1},
        {"sub": "admin"},
        {"sub": "00000000-0000-4000-8000-000000000000"},
    ],
    ids=str,
)
def test_a_token_with_anything_wrong_is_worth_nothing(
    server: Server, change: dict[str, Any]
) -> None:
    forge = forger(server, server.sign_up())

    assert who(server, forge.token()) == 200
    assert who(server, forge.token(**change)) == 401


@pytest.mark.requirement("SRV-17")
def test_an_unsigned_token_is_worth_nothing(server: Server) -> None:
    forge = forger(server, server.sign_up())
    unsigned = jwt.encode(forge.claims(), None, algorithm="none")
    head, body, _ = forge.token().split(".")

    for token in (unsigned, f"{head}.{body}.", f"{head}.{body}", "..", f"{head}.{body}.AAAA"):
        assert who(server, token) == 401


@pytest.mark.requirement("SRV-17")
def test_a_key_of_another_use_signs_no_access_token(server: Server) -> None:
    forge = forger(server, server.sign_up())
    secret = (server.data_dir / "secret").read_bytes()

    for use in (b"redeemed code", b"form of a session", b""):
        assert who(server, forge.token(key=hmac.digest(secret, use, "sha256"))) == 401
    assert who(server, forge.token(key=secret)) == 401


@pytest.mark.requirement("SRV-17", "SRV-19")
def test_nothing_of_a_user_who_is_gone_works(server: Server) -> None:
    person = server.sign_up()
    session = Session.begin(server, person)
    remove_user(server, person.id)

    assert who(server, person.token) == 401
    assert person.post("device-token-issue", device_name="x", platform="x").status == 401
    assert session.refresh().status == 401
    assert server.post("/api/auth/sessions", json=account(person)).status == 401


def account(person: Person, password: str = PASSWORD) -> dict[str, str]:
    return {"email": person.email, "password": password}


@dataclass
class Session:
    """A browser that is signed in."""

    server: Server
    cookie: str
    csrf: str
    token: str

    @classmethod
    def begin(cls, server: Server, person: Person) -> "Session":
        return cls.of(server, server.post("/api/auth/sessions", json=account(person)))

    @classmethod
    def of(cls, server: Server, answer: Response) -> "Session":
        assert answer.status in {200, 201}, answer.text
        set_cookies = answer.headers.get_list("set-cookie")
        (kept,) = (each for each in set_cookies if each.startswith("vibescore_refresh="))
        assert "HttpOnly" in kept
        assert "SameSite=Lax" in kept
        cookie = kept.partition(";")[0]
        return cls(server, cookie, answer.json["csrfToken"], answer.json["accessToken"])

    def refresh(self, **headers: str) -> Response:
        shown = {"Cookie": self.cookie, "X-CSRF-Token": self.csrf} | headers
        return self.server.post("/api/auth/refresh", headers=shown)


@pytest.mark.requirement("SRV-17")
def test_a_refresh_token_used_twice_ends_its_whole_family(server: Server) -> None:
    person = server.sign_up()
    stolen, other = Session.begin(server, person), Session.begin(server, person)

    second = Session.of(server, stolen.refresh())
    third = Session.of(server, second.refresh())
    assert stolen.refresh().json["error"] == "UNAUTHORIZED"

    assert [third.refresh().status, second.refresh().status] == [401, 401]
    assert other.refresh().status == 200


@pytest.mark.requirement("SRV-17")
def test_a_refresh_token_shown_again_at_once_has_the_same_successor(server: Server) -> None:
    """A page that is loaded twice in a row asks twice, and an answer can get lost."""
    session = Session.begin(server, server.sign_up())
    with ThreadPoolExecutor(4) as pages:
        answers = list(pages.map(lambda _: session.refresh(), range(4)))
    (cookie,) = {Session.of(server, answer).cookie for answer in answers}
    assert cookie != session.cookie
    assert Session.of(server, answers[0]).refresh().status == 200
    assert session.refresh().status == 401, "somebody went on with the successor already"


@pytest.mark.requirement("SRV-17")
def test_a_refresh_token_shown_again_later_ends_the_session(server: Server) -> None:
    session = Session.begin(server, server.sign_up())
    successor = Session.of(server, session.refresh())
    server.set_clock("2026-11-18T12:00:30Z")
    assert [session.refresh().status, successor.refresh().status] == [401, 401]


@pytest.mark.requirement("SRV-17")
def test_a_session_is_refreshed_with_its_own_csrf_token_only(server: Server) -> None:
    mine, other = (Session.begin(server, server.sign_up()) for _ in range(2))
    before = all_rows(server)["refresh_token"]

    assert mine.refresh(**{"X-CSRF-Token": ""}).status == 403
    assert mine.refresh(**{"X-CSRF-Token": other.csrf}).status == 403
    assert mine.refresh(**{"X-CSRF-Token": mine.csrf[:-1]}).status == 403
    assert mine.refresh(Cookie=other.cookie).status == 403
    assert mine.refresh(Cookie="").status == 401
    assert all_rows(server)["refresh_token"] == before
    assert mine.refresh().status == 200


@pytest.mark.requirement("SRV-17")
@pytest.mark.parametrize(
    "cookie",
    ["vibescore_refresh=", "vibescore_refresh=\udcff\udcfe", "=", ";;;", 'a="\\377"', "\udc80"],
)
def test_a_bad_cookie_is_no_session(server: Server, cookie: str) -> None:
    shown = {"Cookie": cookie, "X-CSRF-Token": cookie, "Authorization": f"Bearer {cookie}"}
    raw = {name.encode(): value.encode(errors="surrogateescape") for name, value in shown.items()}

    for path in ("refresh", "logout", "sessions/current"):
        method = "GET" if path.endswith("current") else "POST"
        answer = server.client.request(method, f"/api/auth/{path}", headers=raw)
        if path != "logout" or cookie.startswith("vibescore"):
            assert answer.status_code in (401, 403)


@pytest.mark.requirement("SRV-17")
def test_a_session_that_was_signed_out_is_over(server: Server) -> None:
    session = Session.begin(server, server.sign_up())

    shown = {"Cookie": session.cookie, "X-CSRF-Token": session.csrf}
    assert server.post("/api/auth/logout", headers=shown).status == 200

    assert session.refresh().status == 401


@pytest.mark.requirement("SRV-04")
def test_a_revoked_device_sends_nothing_any_more(server: Server) -> None:
    person = server.sign_up()
    machine, other = person.link("laptop"), person.link("desktop")
    assert machine.send(row(input=1)).status == 200

    person.post("device-revoke", device_id=machine.id)

    assert machine.send(row(input=2)).status == 401
    assert other.send(row(input=3)).status == 200
    kept = rows_of(server, person.id)["usage_half_hour"]
    assert sorted(each["input_tokens"] for each in kept) == [1, 3]


@dataclass(frozen=True)
class Callers:
    """One of each kind."""

    admin: Person
    user: Person
    device: Machine

    def token(self, kind: type[Caller]) -> str:
        return {
            AdminCaller: self.admin.token,
            UserCaller: self.user.token,
            DeviceCaller: self.device.token,
            ServiceCaller: SERVICE_TOKEN,
        }[kind]


@pytest.fixture(scope="session")
def guarded(lasting_server: Starter) -> Server:
    """A server whose first user is nobody's business."""
    return lasting_server(metrics_token=METRICS_TOKEN)


@pytest.fixture(scope="session")
def callers(guarded: Server) -> Callers:
    admin, user = guarded.sign_up(), guarded.sign_up()
    return Callers(admin, user, user.link())


def kinds_of(endpoint: Endpoint) -> tuple[type[Caller], ...]:
    return endpoint.caller[1] if endpoint.caller else ()


PROTECTED = tuple(each for each in ENDPOINTS if each.caller)
ADMIN_ONLY = tuple(
    each for each in PROTECTED if AdminCaller in kinds_of(each) and UserCaller not in kinds_of(each)
)


@pytest.mark.requirement("SRV-17", "SRV-25")
@each_endpoint(*PROTECTED)
def test_a_token_of_another_kind_is_worth_nothing(
    endpoint: Endpoint, guarded: Server, callers: Callers
) -> None:
    taken = kinds_of(endpoint)
    strangers: list[type[Caller]] = [DeviceCaller, ServiceCaller]
    others = [kind for kind in strangers if kind not in taken]
    if not {UserCaller, AdminCaller} & set(taken):
        others += [UserCaller, AdminCaller]
    tokens = [callers.token(kind) for kind in others]

    for token in (*tokens, METRICS_TOKEN, "wrong", "null", "undefined", "", None):
        answer = ask(guarded, sample(endpoint), token)
        assert (answer.status, answer.json["error"]) == (401, "UNAUTHORIZED")
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.requirement("SRV-17", "SRV-25")
@each_endpoint(*PROTECTED)
def test_a_token_is_shown_as_a_bearer_token_only(
    endpoint: Endpoint, guarded: Server, callers: Callers
) -> None:
    token = callers.token(kinds_of(endpoint)[0])
    asked = sample(endpoint)

    for said in (token, f"Basic {token}", f"Bearer{token}", f"Token {token}", f"Bearer {token} x"):
        answer = guarded.call(
            endpoint.method, endpoint.path, headers={"Authorization": said}, **asked.request
        )
        assert answer.status == 401
    for place in ("token", "access_token"):
        asked_in_query = asked.request | {"params": asked.params | {place: token}}
        assert guarded.call(endpoint.method, endpoint.path, **asked_in_query).status == 401


@pytest.mark.requirement("SRV-17", "SRV-25")
@each_endpoint(*ADMIN_ONLY)
def test_a_user_without_the_role_is_told_so(
    endpoint: Endpoint, guarded: Server, callers: Callers
) -> None:
    answer = ask(guarded, sample(endpoint), callers.user.token)

    assert (answer.status, answer.json["error"]) == (403, "FORBIDDEN")


@dataclass(frozen=True)
class Victim:
    """A user with something of everything, who is not public."""

    person: Person
    machine: Machine
    revoked: Machine
    session: Session

    @classmethod
    def appear(cls, server: Server) -> "Victim":
        person = server.sign_up(name="Victoria Victim", email=f"victoria-{uuid4().hex}@example.org")
        machine, revoked = person.link("victims-laptop", "victim-" + "k" * 30), person.link("old")
        machine.send(*(row(model="victims-model", input=123_456_789, source="victims-source"),))
        person.post("device-revoke", device_id=revoked.id)
        return cls(person, machine, revoked, Session.begin(server, person))

    @property
    def handles(self) -> tuple[str, ...]:
        """By what others might name the user or what belongs to the user."""
        return (self.person.id, self.machine.id, self.revoked.id, self.person.email)

    @property
    def private(self) -> tuple[str, ...]:
        """What nobody else may see."""
        return (*self.handles, "Victoria", "victims-", "123456789", self.machine.token)

    def view(self) -> dict[str, tuple[int, str]]:
        """What the user sees through every endpoint that only reads."""
        seen = {}
        for endpoint in ENDPOINTS:
            if endpoint.method == "GET" and kinds_of(endpoint):
                token = (
                    self.machine.token if DeviceCaller in kinds_of(endpoint) else self.person.token
                )
                answer = ask(self.person.server, sample(endpoint), token)
                seen[name_of(endpoint)] = (answer.status, answer.text)
        return seen


OWN = tuple(
    each
    for each in ENDPOINTS
    if ServiceCaller not in kinds_of(each) or UserCaller in kinds_of(each)
)
"""All endpoints but those that only scripts may call, whose work is everybody's."""


@pytest.mark.requirement("SRV-03", "SRV-04", "SRV-17", "SRV-19")
@pytest.mark.usefixtures("callers")
@each_endpoint(*OWN)
def test_nobody_sees_or_changes_what_is_somebody_elses(endpoint: Endpoint, guarded: Server) -> None:
    victim = Victim.appear(guarded)
    stranger = guarded.sign_up()
    tokens = [None, stranger.token, stranger.link().token] if endpoint.security else [None]
    before, seen = rows_of(guarded, victim.person.id), victim.view()

    asked = sample(endpoint)
    for token in tokens:
        assert_tells_nothing(ask(guarded, asked, token), victim.private)
        for handle in victim.handles:
            others = [each for each in victim.private if each not in handle]
            for planted in (*asked.planted(handle), with_query(asked, handle)):
                assert_tells_nothing(ask(guarded, planted, token), others)

    assert rows_of(guarded, victim.person.id) == before
    assert victim.view() == seen
    assert victim.machine.send(row(input=1, model="later")).status == 200
    assert victim.session.refresh().status == 200


def with_query(asked: Sample, handle: str) -> Sample:
    """The same request with parameters that nobody asked for."""
    names = ("id", "user_id", "userId", "device_id", "user", "device", "email")
    return Sample(asked.endpoint, asked.params | dict.fromkeys(names, handle), asked.body)


def assert_tells_nothing(answer: Response, private: tuple[str, ...] | list[str]) -> None:
    assert answer.status < 500
    said = answer.text + str(answer.headers)
    assert not [each for each in private if each in said]


def attempt(server: Server, email: str) -> Response:
    shown = {"email": email, "password": "not the password"}
    return server.post("/api/auth/sessions", json=shown)


@pytest.mark.requirement("SRV-17")
def test_sign_in_says_the_same_whether_there_is_such_a_user(server: Server) -> None:
    person = server.sign_up()
    known, unknown = attempt(server, person.email), attempt(server, "nobody@example.org")

    def told(answer: Response) -> tuple[int, str, dict[str, str]]:
        changing = {"x-request-id", "date"}
        headers = {name: each for name, each in answer.headers.items() if name not in changing}
        return answer.status, answer.text, headers

    assert told(known) == told(unknown)
    assert known.status == 401


@pytest.mark.requirement("SRV-17")
def test_sign_in_takes_as_long_whether_there_is_such_a_user(server: Server) -> None:
    person = server.sign_up()
    seconds: dict[str, list[float]] = {person.email: [], "nobody@example.org": []}
    for _ in range(15):
        for email, taken in seconds.items():
            began = time.perf_counter()
            attempt(server, email)
            taken.append(time.perf_counter() - began)

    known, unknown = (statistics.median(each) for each in seconds.values())
    assert 0.5 < known / unknown < 2


@pytest.mark.requirement("SRV-17")
def test_a_password_is_hashed_once_whether_there_is_such_a_user(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hashed: list[str] = []
    verify = argon2.PasswordHasher.verify

    def counted(hasher: argon2.PasswordHasher, known: str, password: str) -> bool:
        hashed.append(password)
        return verify(hasher, known, password)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", counted)

    async def sign_in() -> list[bool]:
        passwords = Passwords()
        known = await passwords.hash("right")
        answers = [await passwords.fits(*shown) for shown in (("right", known), ("wrong", known))]
        return [*answers, await passwords.fits("right", None)]

    assert asyncio.run(sign_in()) == [True, False, False]
    assert hashed == ["right", "wrong", "right"]


LIMITS: Mapping[str, tuple[str, int]] = {
    "/api/auth/sessions": ("sign_in_per_minute", 60),
    "/api/auth/users": ("sign_up_per_hour", 3600),
    "/functions/vibescore-ingest": ("ingest_per_minute", 60),
    "/functions/vibescore-link-code-exchange": ("link_per_minute", 60),
    "/functions/vibescore-device-link-exchange": ("link_per_minute", 60),
    "/functions/vibescore-device-token": ("link_per_minute", 60),
}
"""What may be asked only so often: the setting, and for how many seconds it counts."""


@pytest.mark.requirement("SRV-20")
@each_endpoint(*(each for each in ENDPOINTS if each.path in LIMITS and each.method == "POST"))
def test_who_asks_too_often_is_told_to_wait(endpoint: Endpoint, fresh_server: Starter) -> None:
    setting, seconds = LIMITS[endpoint.path]
    server = fresh_server(**{setting: 3})
    token = server.sign_up().link().token
    allowed = 2 if setting == "sign_up_per_hour" else 3
    asked = sample(endpoint)

    answers = [ask(server, asked, token) for _ in range(5)]
    assert [answer.status == 429 for answer in answers] == [at >= allowed for at in range(5)]
    wait = seconds - START % seconds
    assert answers[-1].json["error"] == "RATE_LIMITED"
    assert int(answers[-1].headers["retry-after"]) == wait

    server.set_clock(datetime.fromtimestamp(START + wait, UTC).isoformat())
    assert ask(server, asked, token).status != 429


@pytest.mark.requirement("SRV-20")
def test_attempts_for_one_user_are_counted_wherever_they_come_from(fresh_server: Starter) -> None:
    server = fresh_server(sign_in_per_minute=2, proxies=1)
    person = server.sign_up()

    statuses = [
        server.post(
            "/api/auth/sessions",
            json=account(person, "wrong"),
            headers={"X-Forwarded-For": f"203.0.113.{number}"},
        ).status
        for number in range(3)
    ]

    assert statuses == [401, 401, 429]


@pytest.mark.requirement("SRV-20")
@each_endpoint(*(each for each in ENDPOINTS if each.body is not None))
def test_a_body_that_is_too_large_is_not_looked_at(endpoint: Endpoint, guarded: Server) -> None:
    answer = guarded.call(
        endpoint.method,
        endpoint.path,
        content=b" " * 1_000_001,
        headers={"Content-Type": "application/json"},
    )

    assert (answer.status, answer.json["error"]) == (413, "PAYLOAD_TOO_LARGE")


INJECTED = (
    "' OR '1'='1",
    "'; DELETE FROM user; --",
    '"; DROP TABLE "user"; --',
    "1); DROP TABLE device; --",
    "%' OR TRUE --",
    "\\'; SELECT pg_sleep(9); --",
    "a\r\nSet-Cookie: injected=1\r\n\r\n<p>injected",
    "a\nX-Injected: 1",
    "a\x00b",
    "<script>injected()</script>",
    "{{7*7}}${7*7}%s%(x)s{0.__class__}",
    "../../../../etc/passwd",
    "\u202e\U0001f4a3" * 9,
    "9" * 400,
    "-1e999",
)


@pytest.mark.requirement("SRV-20")
@pytest.mark.usefixtures("callers")
@each_endpoint(*ENDPOINTS)
def test_whatever_is_written_into_a_field_is_only_text(endpoint: Endpoint, guarded: Server) -> None:
    bystander = Victim.appear(guarded)
    stranger = guarded.sign_up()
    kinds = kinds_of(endpoint)
    token = SERVICE_TOKEN if ServiceCaller in kinds else stranger.token
    token = stranger.link().token if DeviceCaller in kinds else token
    before = rows_of(guarded, bystander.person.id)

    for word in INJECTED:
        for planted in sample(endpoint).planted(word):
            answer = ask(guarded, planted, token)
            assert answer.status < 500 or answer.json["error"] == "PRICING_SOURCE_FAILED"
            assert "injected" not in str(answer.headers).lower()
            if answer.headers["content-type"].startswith("text/html"):
                assert "<script" not in answer.text

    assert rows_of(guarded, bystander.person.id) == before


SENT_ANYWHERE = "a-secret-that-was-sent-to-the-wrong-place"


@pytest.mark.requirement("SRV-04", "SRV-20")
def test_secrets_are_in_no_log_and_in_no_answer_but_the_one_that_issues_them(
    fresh_server: Starter,
) -> None:
    server = fresh_server(log_level="debug", metrics_token=METRICS_TOKEN)
    person = server.sign_up()
    issued = person.post("device-token-issue", device_name="laptop", platform="linux")
    machine = Machine(person, issued.json["device_id"], issued.json["token"])
    signed_in = server.post("/api/auth/sessions", json=account(person))
    session = Session.of(server, signed_in)
    secrets = {
        PASSWORD,
        SERVICE_TOKEN,
        METRICS_TOKEN,
        SENT_ANYWHERE,
        person.token,
        machine.token,
        session.token,
        session.cookie.partition("=")[2],
        session.csrf,
        (server.data_dir / "secret").read_text(),
    }
    answers = [*later_answers(server, session, machine)]
    kept = str(all_rows(server))
    server.stop()
    log = server.log.read_text()

    assert '"event": "request"' in log
    for secret in secrets:
        assert secret not in log
        assert hashlib.sha256(secret.encode()).hexdigest() not in log
        assert secret not in kept
        assert not [answer for answer in answers if secret in answer.text + str(answer.headers)]
    for personal in (person.email, person.id, "127.0.0.1", "victims-model", "?"):
        assert personal not in log.partition("\n")[2]


def later_answers(server: Server, session: Session, machine: Machine) -> Iterator[Response]:
    """All that may be asked when everything is issued, rightly and wrongly."""
    user, device = machine.owner.token, machine.token
    for token in (None, user, device, SERVICE_TOKEN, METRICS_TOKEN, session.token, SENT_ANYWHERE):
        for endpoint in ENDPOINTS:
            if "token-issue" not in endpoint.path and "/auth/" not in endpoint.path:
                yield ask(server, sample(endpoint), token)
    yield machine.send(row(model="victims-model", input=1))
    yield machine.send({"hour_start": device, "model": device, "secret": device})
    yield session.refresh(**{"X-CSRF-Token": SENT_ANYWHERE})
    yield server.get("/nowhere", params={"token": user, "password": PASSWORD})
    yield server.get("devices", token=user, params={"token": SENT_ANYWHERE})
    yield server.get(f"/{SENT_ANYWHERE}", headers={"Cookie": session.cookie})
    yield server.get("/healthz", headers={"X-Request-Id": "a b", "Referer": SENT_ANYWHERE})
    yield server.call(SENT_ANYWHERE, "/healthz")
    yield server.post("/api/auth/sessions", content=f'{{"password": "{PASSWORD}'.encode())
    yield server.post("/api/auth/sessions", json={"email": PASSWORD, "password": SENT_ANYWHERE})
    yield server.post("/api/auth/users", json={"email": "x@example.org", "password": [PASSWORD]})


@pytest.mark.requirement("SRV-20")
def test_what_the_server_keeps_is_for_its_owner_only(tmp_path: Path) -> None:
    with serving(tmp_path / "server") as server:
        server.sign_up()
        modes = {
            path.name: stat.S_IMODE(path.stat().st_mode)
            for path in (server.data_dir, *server.data_dir.iterdir())
        }

    assert modes.pop("data") == 0o700
    assert {"secret", "vibescore.db", "vibescore.db-wal"} <= modes.keys()
    assert set(modes.values()) == {0o600}


@pytest.mark.requirement("SRV-22", "SRV-25")
def test_a_caller_may_ask_whether_a_token_is_good(server: Server) -> None:
    person = server.sign_up()
    good = server.get("debug-auth", token=person.token)
    none, bad = server.get("debug-auth"), server.get("debug-auth", token="wrong")

    assert good.json == {
        "hasAnonKey": False,
        "hasBearer": True,
        "authOk": True,
        "userId": person.id,
        "error": None,
    }
    assert (none.json["hasBearer"], none.json["authOk"], none.json["userId"]) == (
        False,
        False,
        None,
    )
    assert (bad.json["hasBearer"], bad.json["authOk"], bad.json["userId"]) == (True, False, None)
    assert bad.json["error"]


@contextmanager
def own_cluster() -> Iterator[Cluster]:
    try:
        with temporary_cluster() as cluster:
            yield cluster
    except NoPostgresql as reason:
        pytest.skip(f"no PostgreSQL: {reason}")


@pytest.mark.requirement("SRV-17", "SRV-20")
def test_who_cannot_be_checked_is_told_to_come_again_not_to_go_away(tmp_path: Path) -> None:
    with own_cluster() as cluster, serving(tmp_path / "server", cluster.url) as server:
        person = server.sign_up()
        machine, session = person.link(), Session.begin(server, person)
        cluster.stop("immediate")

        answers = [
            person.get("devices"),
            person.get("debug-auth"),
            machine.send(row(input=1)),
            session.refresh(),
            server.post("/api/auth/sessions", json=account(person)),
            server.get("/readyz"),
        ]
        assert [(each.status, each.json["error"]) for each in answers] == [
            (503, "UNAVAILABLE") for _ in answers
        ]
        assert all(int(each.headers["retry-after"]) > 0 for each in answers)
        assert server.get("devices").status == 401
        assert server.get("/healthz").status == 200

        cluster.start()
        assert machine.send(row(input=1)).json["inserted"] == 1
        assert session.refresh().status == 200

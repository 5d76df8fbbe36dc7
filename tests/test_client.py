"""The one client that talks to the server, against real sockets (QUE-09, QUE-10)."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from backend import (
    DEVICE,
    TOKEN,
    Act,
    Backend,
    dribbles,
    hangs_up,
    keeps_silent,
    says,
    stores_and_says,
)

import vibescore
from vibescore.client import Client
from vibescore.errors import ConfigError, Rejected, Retryable, Unauthorized, UploadError
from vibescore.link import Link
from vibescore.model import Bucket, TokenTotals
from vibescore.wire import API_VERSION

GOLDEN = Path(__file__).parent / "golden"
ROW = json.dumps(
    {
        "source": "codex",
        "model": "gpt-5.1",
        "hour_start": "2026-08-10T09:00:00Z",
        "input_tokens": 10,
        "cached_input_tokens": 1,
        "output_tokens": 2,
        "reasoning_output_tokens": 1,
        "total_tokens": 12,
    }
)
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No proxy and no certificates but those of the test."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


@pytest.fixture
def backend() -> Iterator[Backend]:
    with Backend.running() as backend:
        backend.stored[TOKEN] = {}
        yield backend


def ingest(url: str, **options: Any) -> tuple[int, int]:
    with Client.open(url, TOKEN, **options) as client:
        taken = client.ingest([ROW])
    return taken.inserted, taken.skipped


def failure(url: str, **options: Any) -> UploadError:
    """What sending a row fails with; the token is in no part of it."""
    with pytest.raises(UploadError) as told:
        ingest(url, **options)
    chain: BaseException | None = told.value
    while chain is not None:
        assert TOKEN not in f"{chain} {chain!r} {chain.__dict__}"
        chain = chain.__cause__ or chain.__context__
    return told.value


def exchange(name: str) -> dict[str, Any]:
    (path,) = (GOLDEN / "wire").glob(f"[0-9][0-9][0-9]-{name}.json")
    golden: dict[str, Any] = json.loads(path.read_text())
    return golden


def answers_like(name: str) -> Act:
    """What the golden file says the server answers."""
    response = exchange(name)["response"]
    headers = {key.replace("-", "_"): value for key, value in response["headers"].items()}
    return says(response["status"], json.dumps(response["body"]).encode(), **headers)


@pytest.mark.requirement("QUE-09")
def test_the_version_of_the_api_is_the_golden_one() -> None:
    assert str(API_VERSION) == (GOLDEN / "api-version").read_text().strip()


@pytest.mark.requirement("QUE-09", "QUE-10")
def test_every_request_says_who_sends_it_and_which_api_it_speaks(backend: Backend) -> None:
    with Client.open(backend.url, TOKEN) as client:
        client.ingest([ROW])
        client.ping()
        client.device_rows()
    assert [(each.method, each.path.partition("?")[0]) for each in backend.requests] == [
        ("POST", "/functions/vibescore-ingest"),
        ("POST", "/functions/vibescore-sync-ping"),
        ("GET", "/functions/vibescore-device-rows"),
    ]
    for request in backend.requests:
        assert request.headers["User-Agent"] == f"vibescore/{vibescore.__version__}"
        assert request.headers["X-Vibescore-Api"] == "1"
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert backend.requests[0].headers["Content-Type"] == "application/json"
    assert backend.requests[0].rows == [json.loads(ROW)]


@pytest.mark.requirement("QUE-09")
def test_without_a_token_none_is_sent(backend: Backend) -> None:
    backend.does(says(200, b"{}"))
    with Client.open(f"{backend.url}/") as client:
        assert client.post("link-code-exchange", {"a": 1}, dict[str, str]) == {}
    (request,) = backend.requests
    assert request.path == "/functions/vibescore-link-code-exchange"
    assert "Authorization" not in request.headers
    assert json.loads(request.body) == {"a": 1}


@pytest.mark.requirement("QUE-02", "QUE-07", "QUE-11")
def test_it_understands_the_golden_answers(backend: Backend) -> None:
    pages = ["device-rows-first-page", "device-rows-second-page", "device-rows-last-page"]
    backend.does(*map(answers_like, ["ingest-changed", "ping-after-ingest", *pages]))
    with Client.open(backend.url, TOKEN) as client:
        taken, heard, rows = client.ingest([ROW]), client.ping(), client.device_rows()
    assert (taken.inserted, taken.skipped) == (1, 1)
    assert heard.last_sync_at.isoformat() == "2025-12-22T12:10:00+00:00"
    assert heard.interval == 1800
    whole = exchange("device-rows")["response"]["body"]["rows"]
    assert len(rows) == len(whole) == 11
    assert rows[Bucket("codex", "gpt-5.2-codex", 1_765_965_600)] == TokenTotals(
        1_000_000, 200_000, 500_000, 100_000, 1_500_000
    )
    nexts = [exchange(page)["response"]["body"].get("next") for page in pages]
    asked = [request.path.partition("after=")[2] for request in backend.requests[2:]]
    assert asked == ["", *nexts[:2]]


GOLDEN_ERRORS: dict[str, tuple[type[UploadError], int, str, str]] = {
    "wrong-token": (Unauthorized, 401, "UNAUTHORIZED", "'vibescore init' links it again"),
    "bad-second-row": (Rejected, 400, "INVALID_ROW", "output_tokens"),
    "too-many": (Rejected, 413, "PAYLOAD_TOO_LARGE", "refuses this"),
    "other-api": (Rejected, 400, "API_VERSION", "update the older of the two"),
    "ingest-limited": (Retryable, 429, "RATE_LIMITED", "sent later"),
    "ingest-overloaded": (Retryable, 503, "OVERLOADED", "sent later"),
}


@pytest.mark.requirement("QUE-05", "QUE-06", "QUE-09", "CLI-05")
@pytest.mark.parametrize("name", GOLDEN_ERRORS)
def test_it_understands_the_golden_errors(name: str, backend: Backend) -> None:
    kind, status, code, words = GOLDEN_ERRORS[name]
    backend.does(answers_like(name))
    error = failure(backend.url)
    assert type(error) is kind
    assert (error.status, error.code) == (status, code)
    assert words in str(error)
    assert backend.url in str(error)
    if isinstance(error, Rejected):
        assert (error.row, error.field) == ((1, "output_tokens") if "row" in name else (None, None))
    if isinstance(error, Retryable):
        assert error.retry_after == 60


@pytest.mark.requirement("QUE-05")
@pytest.mark.parametrize(
    "status, tries",
    [(429, "soon"), (500, ""), (502, "soon"), (503, "soon"), (504, "soon"), (507, "")],
)
def test_a_server_in_trouble_is_asked_again_later(
    status: int, tries: str, backend: Backend
) -> None:
    backend.does(says(status), says(status, b"<html>", retry_after="Tue, 11 Aug 2026 02:00:00 GMT"))
    plain, dated = (failure(backend.url, now=lambda: 1_786_406_400.0) for _ in range(2))
    assert isinstance(plain, Retryable)
    assert isinstance(dated, Retryable)
    assert (plain.status, plain.soon, plain.retry_after) == (status, tries == "soon", None)
    assert (dated.code, dated.soon, dated.retry_after) == (None, tries == "soon", 7200)


BODIES = {
    "nothing": b"",
    "a sign-in page": b"<html>Welcome to the airport</html>",
    "half of it": b'{"success": true, "inser',
    "something else": b'{"success": true}',
    "no success": b'{"success": false, "inserted": 1, "skipped": 0}',
    "numbers as texts": b'{"success": true, "inserted": "1", "skipped": "0"}',
    "a list": b"[1]",
    "another encoding": b"\xff\xfe{}",
    "deep": b"[" * 100_000,
}


@pytest.mark.requirement("QUE-02", "QUE-10")
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_an_answer_that_is_none_is_told(body: bytes, backend: Backend) -> None:
    backend.does(stores_and_says(body))
    error = failure(backend.url)
    assert type(error) is UploadError
    assert "check its address" in str(error)


@pytest.mark.requirement("QUE-10")
def test_an_answer_that_does_not_end_is_not_read_to_its_end(backend: Backend) -> None:
    backend.does(says(200, b" " * (17 << 20)))
    assert "check its address" in str(failure(backend.url))


@pytest.mark.requirement("QUE-02")
def test_an_answer_that_is_packed_wrongly_is_told(backend: Backend) -> None:
    backend.does(says(200, b"not packed", content_encoding="gzip"))
    assert "check its address" in str(failure(backend.url))


@pytest.mark.requirement("CLI-07")
@pytest.mark.parametrize("act", [dribbles, keeps_silent])
def test_a_server_that_is_too_slow_is_waited_for_as_long_as_the_setting_says(
    act: Act, backend: Backend
) -> None:
    backend.does(act)
    error = failure(backend.url, timeout=0.3)
    assert isinstance(error, Retryable)
    assert not error.soon
    assert "within 0.3 seconds" in str(error)
    assert "VIBESCORE_HTTP_TIMEOUT" in str(error)


@pytest.mark.requirement("QUE-05")
def test_a_connection_that_breaks_and_one_that_never_was_can_be_tried_again(
    backend: Backend,
) -> None:
    backend.does(hangs_up)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nowhere = f"http://127.0.0.1:{closed.getsockname()[1]}"
    for url in (backend.url, nowhere):
        error = failure(url)
        assert isinstance(error, Retryable)
        assert error.soon
        assert f"{url} cannot be reached (" in str(error)


@pytest.mark.requirement("QUE-10")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_and_the_token_goes_nowhere_else(
    status: int, backend: Backend
) -> None:
    with Backend.running() as elsewhere:
        for place in (f"{elsewhere.url}/x?y", "https://user:pass@new.example/", "/elsewhere"):
            backend.does(says(status, location=place))
            error = failure(backend.url)
            assert type(error) is UploadError
            assert error.status == status
            assert "nothing was sent" in str(error)
            assert "pass" not in str(error)
        assert elsewhere.requests == []
    assert len(backend.requests) == 3


@pytest.mark.requirement("QUE-10")
def test_a_redirect_names_the_new_address_and_what_to_do(backend: Backend) -> None:
    backend.does(says(308, location="https://new.example/functions/vibescore-ingest"))
    assert "'vibescore init --server https://new.example'" in str(failure(backend.url))


ADDRESSES = {
    "ftp://host": "https://vibescore.example",
    "host": "https://vibescore.example",
    "": "https://vibescore.example",
    "https://": "https://vibescore.example",
    "https://host:99999": "not the address",
    "https://host?x=1": "https://vibescore.example",
    "https://me:secret@host": "leave out what is before the @",
    "http://host": "allow_http = true",
    "http://10.0.0.1:8390": "allow_http = true",
    "http://localhost.example": "allow_http = true",
}


@pytest.mark.requirement("QUE-10", "CLI-05")
@pytest.mark.parametrize("server, words", ADDRESSES.items())
def test_an_address_that_cannot_be_used_is_told(server: str, words: str) -> None:
    with pytest.raises(ConfigError, match=r"address|clear") as told, Client.open(server, TOKEN):
        pytest.fail("it was used")
    assert words in str(told.value)
    assert "secret" not in str(told.value)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-made certificate for this computer and for vibescore.test, with its key."""
    path = tmp_path_factory.mktemp("certificate") / "both.pem"
    names = "subjectAltName=IP:127.0.0.1,DNS:vibescore.test"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=vibescore.test", "-addext", names, "-keyout", str(path), "-out", "-"]
    done = subprocess.run(command, check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + done.stdout)
    return path


@pytest.mark.requirement("QUE-10")
def test_a_certificate_that_nobody_vouches_for_is_told_and_nothing_is_sent(
    certificate: Path,
) -> None:
    with Backend.running(certificate=certificate) as backend:
        error = failure(backend.url)
        assert type(error) is UploadError
        assert "is not trusted: self" in str(error)
        assert "ca_file" in str(error)
        assert backend.requests == []


@pytest.mark.requirement("QUE-10")
def test_a_certificate_of_ones_own_can_be_trusted_by_setting_or_by_variable(
    certificate: Path, environment: pytest.MonkeyPatch
) -> None:
    with Backend.running(certificate=certificate) as backend:
        backend.stored[TOKEN] = {}
        assert ingest(backend.url, ca_file=str(certificate)) == (1, 0)
        environment.setenv("SSL_CERT_FILE", str(certificate))
        assert ingest(backend.url) == (0, 1)
        name = backend.url.replace("127.0.0.1", "localhost")
        assert "is not trusted" in str(failure(name))


@pytest.mark.requirement("QUE-10", "CLI-05")
@pytest.mark.parametrize("content", [None, b"no certificate"])
def test_certificates_that_cannot_be_used_are_told(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with (
        pytest.raises(ConfigError, match="cannot be used") as told,
        Client.open("https://vibescore.test", TOKEN, ca_file=str(path)),
    ):
        pytest.fail("it was used")
    assert str(path) in str(told.value)


@contextmanager
def tunnel(backend: Backend) -> Iterator[tuple[str, list[bytes]]]:
    """A proxy that leads every tunnel to the backend: its address, and what it got to read."""
    heard: list[bytes] = []
    port = int(backend.url.rpartition(":")[2])

    def pump(source: socket.socket, target: socket.socket) -> None:
        try:
            while piece := source.recv(65536):
                heard.append(piece)
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def serve() -> None:
        inside, _ = listening.accept()
        with inside, socket.create_connection(("127.0.0.1", port)) as outside:
            heard.append(inside.recv(65536))
            inside.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            back = Thread(target=pump, args=(outside, inside))
            back.start()
            pump(inside, outside)
            back.join()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", heard
        thread.join()


@pytest.mark.requirement("QUE-10")
def test_a_proxy_is_used_and_sees_nothing_of_what_goes_through(
    certificate: Path, environment: pytest.MonkeyPatch
) -> None:
    with Backend.running(certificate=certificate) as backend:
        backend.stored[TOKEN] = {}
        with tunnel(backend) as (proxy, heard):
            environment.setenv("HTTPS_PROXY", proxy)
            assert ingest("https://vibescore.test", ca_file=str(certificate)) == (1, 0)
    assert heard[0].startswith(b"CONNECT vibescore.test:443 HTTP/1.1\r\n")
    assert TOKEN.encode() not in b"".join(heard)


@pytest.mark.requirement("QUE-10")
def test_a_proxy_is_used_without_tls_too_but_never_on_the_way_to_this_computer(
    environment: pytest.MonkeyPatch, backend: Backend
) -> None:
    with Backend.running() as proxy:
        proxy.does(says(200, b'{"success": true, "inserted": 1, "skipped": 0}'))
        environment.setenv("HTTP_PROXY", proxy.url)
        assert ingest("http://vibescore.test", allow_http=True) == (1, 0)
        assert [each.path for each in proxy.requests] == [
            "http://vibescore.test/functions/vibescore-ingest"
        ]
        assert ingest(backend.url) == (1, 0)
        assert len(proxy.requests) == 1


@pytest.mark.requirement("QUE-10", "CLI-05")
@pytest.mark.parametrize("proxy", ["gopher://127.0.0.1", "http://127.0.0.1:port"])
def test_a_proxy_that_cannot_be_used_is_told(proxy: str, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("HTTPS_PROXY", proxy)
    with (
        pytest.raises(ConfigError, match="proxy"),
        Client.open("https://vibescore.test", TOKEN),
    ):
        pytest.fail("it was used")


@pytest.mark.requirement("QUE-08", "QUE-10")
@pytest.mark.parametrize("shown", [str, repr, lambda link: f"{link}"])
def test_a_link_and_a_client_show_no_token(shown: Callable[[object], str]) -> None:
    link = Link("https://vibescore.test", DEVICE, TOKEN)
    assert TOKEN not in shown(link)
    assert TOKEN not in link.key
    assert TOKEN not in link._replace(device_id="").key
    with Client.open(link.server, link.token) as client:
        assert TOKEN not in f"{shown(client)}{vars(client)}"

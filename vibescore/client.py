"""The only code that talks to the server (QUE-09, QUE-10).

Every request goes to the one server it was made for, with our version in ``User-Agent`` and that
of the API in ``X-Vibescore-Api``. No redirect is followed, so the token goes nowhere else. Whatever
goes wrong becomes one of our errors here and nowhere else:

    no connection, 429, 502, 503, 504      Retryable, worth another try within the run
    timeout, any other 5xx                 Retryable in a later run
    401                                    Unauthorized
    any other 4xx                          Rejected, with row and field where they are named
    redirect, certificate, garbage         UploadError

The imports that take long (httpx: 170 ms; certificates: 25 ms, and 70 ms if httpx loads them for
every proxy) happen when a client is opened, which a sync with nothing to send never does.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from vibescore import __version__
from vibescore.errors import ConfigError, Rejected, Retryable, Unauthorized, UploadError
from vibescore.model import Bucket, TokenTotals
from vibescore.throttle import pause, retry_after
from vibescore.wire import API_VERSION, Row

if TYPE_CHECKING:
    import ssl

    import httpx

SOON = (429, 502, 503, 504)
LONGEST_ANSWER = 16 << 20
LONGEST_MESSAGE = 200
ROWS_A_PAGE = 1000
MOST_PAGES = 10_000


Answer = TypeVar("Answer")


class Taken(Struct, frozen=True):
    """Rows of a batch that were new or changed, and those that the server had already."""

    success: bool
    inserted: int
    skipped: int

    def __post_init__(self) -> None:
        if not self.success:
            raise ValueError("it was no success")


class Heard(Struct, frozen=True):
    """What the server says to a heartbeat."""

    last_sync_at: datetime
    min_interval_minutes: int
    device_id: str

    @property
    def interval(self) -> float:
        """Seconds to the next heartbeat."""
        return self.min_interval_minutes * 60.0


class Page(Struct, frozen=True):
    """Some of the device's rows, and where the following ones begin."""

    rows: list[Row]
    next: str | None = None


class Told(Struct, frozen=True):
    """What the server says of a request that it refuses."""

    error: str | None = None
    message: str = ""
    row: int | None = None
    field: str = ""


class Client:
    """An open connection to one server, with the token of one device, or none."""

    def __init__(
        self, server: str, http: httpx.Client, *, timeout: float, now: Callable[[], float]
    ) -> None:
        self.server = server
        self._http = http
        self._timeout = timeout
        self._now = now

    @classmethod
    @contextmanager
    def open(
        cls,
        server: str,
        token: str | None = None,
        *,
        timeout: float = 20.0,
        ca_file: str | None = None,
        allow_http: bool = False,
        now: Callable[[], float] = time.time,
    ) -> Iterator[Client]:
        """A client of ``server``; ``timeout`` is in seconds for a whole answer, 0 for none.

        Proxies are those of the environment, but none for this computer itself; certificates are
        those of ``ca_file``, SSL_CERT_FILE, SSL_CERT_DIR, or the usual ones. Raises ConfigError for
        an address or certificates that cannot be used.
        """
        is_local = check_address(server, allow_http=allow_http)
        import httpx

        headers = {
            "User-Agent": f"vibescore/{__version__}",
            "X-Vibescore-Api": str(API_VERSION),
            "Accept": "application/json",
        }
        if token:
            headers["Authorization"] = f"Bearer {token}"
        try:
            http = httpx.Client(
                headers=headers,
                timeout=timeout or None,
                verify=_certificates(server, ca_file),
                trust_env=not is_local,
            )
        except (ValueError, httpx.InvalidURL) as error:
            raise ConfigError(
                f"a proxy in the environment (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY) cannot be used: "
                f"{error}"
            ) from error
        with http:
            yield cls(server.rstrip("/"), http, timeout=timeout, now=now)

    def ingest(self, rows: Sequence[str]) -> Taken:
        """Send rows, each as JSON. Raises UploadError."""
        content = f'{{"hourly":[{",".join(rows)}]}}'
        return self._ask("POST", "ingest", Taken, content=content.encode())

    def ping(self) -> Heard:
        """Tell that a sync found nothing new (QUE-07). Raises UploadError."""
        return self.post("sync-ping", {}, Heard)

    def check_token(self) -> None:
        """Ask something that only a linked computer is told. Raises UploadError."""
        self._ask("GET", "device-rows", Page, params={"limit": "1"})

    def device_rows(self) -> dict[Bucket, TokenTotals]:
        """All rows that the server has of this device (QUE-11). Raises UploadError."""
        rows: dict[Bucket, TokenTotals] = {}
        params = {"limit": str(ROWS_A_PAGE)}
        for _ in range(MOST_PAGES):
            page = self._ask("GET", "device-rows", Page, params=params)
            rows.update((each.bucket, each.tokens) for each in page.rows)
            if page.next is None:
                return rows
            params["after"] = page.next
        raise self._garbage()

    def post(self, slug: str, body: object, answer: type[Answer]) -> Answer:
        """The answer to a POST of ``body`` as JSON, to a function. Raises UploadError."""
        return self._ask("POST", slug, answer, content=json.dumps(body).encode())

    def _ask(self, method: str, slug: str, answer: type[Answer], **request: Any) -> Answer:
        import httpx

        url = f"{self.server}/functions/vibescore-{slug}"
        headers = {"Content-Type": "application/json"} if method == "POST" else {}
        try:
            with self._http.stream(method, url, headers=headers, **request) as response:
                body = self._read(response)
        except httpx.TimeoutException as error:
            raise self._too_slow() from error
        except httpx.DecodingError as error:
            raise self._garbage() from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._not_reached(error) from error
        if not response.is_success:
            raise self._refusal(response, body)
        try:
            return msgspec.json.decode(body, type=answer)
        except msgspec.DecodeError as error:
            raise self._garbage() from error

    def _read(self, response: httpx.Response) -> bytes:
        """The body, as long as it comes in time and is not absurdly long."""
        deadline = time.monotonic() + self._timeout if self._timeout else float("inf")
        body = bytearray()
        for piece in response.iter_bytes():
            body += piece
            if time.monotonic() > deadline:
                raise self._too_slow()
            if len(body) > LONGEST_ANSWER:
                raise self._garbage()
        return bytes(body)

    def _refusal(self, response: httpx.Response, body: bytes) -> UploadError:
        """The error behind a status that is no success."""
        status = response.status_code
        if response.is_redirect:
            return self._moved(response)
        told = _told(body)
        if status == 401:
            return Unauthorized(
                f"{self.server} does not know this computer any more: 'vibescore init' links it "
                "again. What was collected is kept",
                status=status,
                code=told.error,
            )
        if status == 429 or status >= 500:
            return Retryable(
                f"{self.server} is busy or out of order (HTTP {status}); what was collected is "
                "kept and sent later",
                status=status,
                code=told.error,
                retry_after=retry_after(response.headers.get("Retry-After"), self._now()),
                soon=status in SOON,
            )
        return Rejected(
            self._rejection(status, told),
            status=status,
            code=told.error,
            row=told.row,
            field=_plain(told.field) or None,
        )

    def _rejection(self, status: int, told: Told) -> str:
        if told.error == "API_VERSION":
            return (
                f"{self.server} speaks another version of the API than this vibescore "
                f"({API_VERSION}): update the older of the two"
            )
        if status == 404:
            return f"{self.server} is no vibescore server, or an older one: check its address"
        said = _plain(told.message)
        return f"{self.server} refuses this (HTTP {status}{': ' + said if said else ''})"

    def _moved(self, response: httpx.Response) -> UploadError:
        place = urlsplit(_plain(response.headers.get("Location", "")))
        new = f"{place.scheme}://{place.netloc.rpartition('@')[2]}" if place.netloc else "elsewhere"
        return UploadError(
            f"{self.server} has moved to {new}, where nothing was sent: if that is right, "
            f"'vibescore init --server {new}' links this computer to it",
            status=response.status_code,
        )

    def _not_reached(self, error: Exception) -> UploadError:
        cause = _root(error)
        if "CERTIFICATE_VERIFY_FAILED" in str(cause):
            reason = getattr(cause, "verify_message", "") or "it cannot be verified"
            return UploadError(
                f"the certificate of {self.server} is not trusted: {reason}. Where it is issued by "
                "your own authority, ca_file in config.toml (or SSL_CERT_FILE) names its "
                "certificate"
            )
        return Retryable(
            f"{self.server} cannot be reached ({_sentence(cause)}); what was collected is kept and "
            "sent later"
        )

    def _too_slow(self) -> Retryable:
        return Retryable(
            f"{self.server} did not answer within {self._timeout:g} seconds; what was collected is "
            "kept and sent later. VIBESCORE_HTTP_TIMEOUT sets the time",
            soon=False,
        )

    def _garbage(self) -> UploadError:
        return UploadError(
            f"what {self.server} answered is not the answer of a vibescore server: check its "
            "address, and whether something in between (a proxy, a sign-in page) answers instead"
        )


def patiently(
    ask: Callable[[], Answer],
    *,
    sleep: Callable[[float], None] = time.sleep,
    lot: Callable[[], float] = random.random,
) -> Answer:
    """Ask up to three times, with pauses, while that makes sense (QUE-05). Raises UploadError."""
    for tries in count(1):
        try:
            return ask()
        except Retryable as error:
            seconds = pause(tries, error.retry_after, lot=lot())
            if seconds is None or not error.soon:
                raise
        sleep(seconds)
    raise AssertionError("counting has no end")


def check_address(server: str, *, allow_http: bool) -> bool:
    """Whether a server is on this computer. Raises ConfigError for an address that cannot be one,
    or that would carry the token in the clear (QUE-10).
    """
    try:
        parts = urlsplit(server)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError(f"{server!r} is not the address of a server: {error}") from error
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
        raise ConfigError(
            f"{server!r} is not the address of a server: it looks like https://vibescore.example"
        )
    if "@" in parts.netloc:
        raise ConfigError("the address of the server names a user: leave out what is before the @")
    is_local = _is_loopback(host)
    if parts.scheme == "http" and not (is_local or allow_http):
        raise ConfigError(
            f"{server} would carry the device token in the clear: use https://, or set "
            "allow_http = true in config.toml if the way there is safe"
        )
    return is_local


def _is_loopback(host: str) -> bool:
    from ipaddress import ip_address

    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _certificates(server: str, ca_file: str | None) -> ssl.SSLContext:
    """Whom to trust, loaded once for all ways there; nobody where no certificate is asked for."""
    import ssl

    import httpx

    if server.startswith("http://"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts none, and loads none
    try:
        if ca_file:
            return ssl.create_default_context(cafile=ca_file)
        return httpx.create_ssl_context()
    except OSError as error:
        where = ca_file or "SSL_CERT_FILE or SSL_CERT_DIR"
        raise ConfigError(
            f"the certificates in {where} cannot be used: {error}. Name a PEM file"
        ) from error


def _told(body: bytes) -> Told:
    try:
        return msgspec.json.decode(body, type=Told)
    except msgspec.DecodeError:
        return Told()


def _plain(text: str) -> str:
    """What somebody else said, fit to be shown in one line."""
    return "".join(filter(str.isprintable, text))[:LONGEST_MESSAGE].rstrip(". ")


def _root(error: BaseException) -> BaseException:
    """What an error came from: httpx wraps those of the socket twice."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return error


def _sentence(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return _plain(text)

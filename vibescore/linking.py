"""Linking this computer to a server as a device of a user, who never shows it more than that
(SRV-05).

Three ways: the user's browser, which comes back to a loopback address (RFC 8252, with PKCE, RFC
7636); a code that is shown here and approved elsewhere (RFC 8628); a code that the user brings. A
fourth is no dialogue at all: a token that was made beforehand. An exchange may be repeated with
the same request id, so a lost answer costs nothing.
"""

import base64
import hashlib
import secrets
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple
from urllib.parse import urlencode

from msgspec import Struct

from vibescore.client import Client, patiently
from vibescore.errors import LinkError, Rejected, Retryable
from vibescore.landing import Landing
from vibescore.link import Link

PATIENCE = 600.0
"""Seconds to wait for somebody who has to say yes; the codes of a server hold as long."""

SLOWER = 5.0
"""Seconds that a server means by ``slow_down`` (RFC 8628, 3.5)."""

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"

ENDINGS = {
    "access_denied": "it was refused in the browser",
    "expired_token": "nobody approved it in time",
    "invalid_grant": "the server does not know this attempt any more",
    "INVALID_CODE": "the code is unknown or has expired: a code holds for ten minutes",
    "CODE_USED": "the code was used before: each links one computer",
}
"""How linking ends without a link, by the code of the server's refusal."""


class Device(NamedTuple):
    """How this computer introduces itself: ``key`` is that of `machine.device_key`."""

    name: str
    platform: str
    key: str


class Token(Struct, frozen=True):
    """The answer of every exchange."""

    token: str
    device_id: str


class Shown(Struct, frozen=True):
    """What a computer without a browser shows, and how it asks; times are in seconds."""

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_in: float
    interval: float = 5.0


class Watch(NamedTuple):
    """Seconds of a clock that only goes on, and waiting for some."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def link_by_browser(
    client: Client,
    device: Device,
    *,
    open_page: Callable[[str], object],
    patience: float = PATIENCE,
) -> Link:
    """Have the user approve in a browser on this computer; ``open_page`` takes the address.

    Raises LinkError when the user refuses or nobody answers in time, UploadError.
    """
    verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(32)
    with Landing.open(state) as landing:
        asked = {
            "redirect_uri": landing.address,
            "state": state,
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
            "device_name": device.name,
            "platform": device.platform,
        }
        open_page(f"{client.server}/link?{urlencode(asked)}")
        answer = landing.wait(patience)
    if answer is None:
        raise LinkError(_sentence(f"nobody answered within {patience / 60:.0f} minutes"))
    if "code" not in answer:
        raise _refused(answer.get("error", ""))
    shown = {"code": answer["code"], "code_verifier": verifier, "device_key": device.key}
    return _exchange(client, "device-link-exchange", shown)


def link_by_showing(
    client: Client,
    device: Device,
    *,
    show: Callable[[Shown], object],
    watch: Watch | None = None,
) -> Link:
    """Have the user approve elsewhere what ``show`` shows here. Raises LinkError, UploadError."""
    watch = watch or Watch()
    named = {"client_id": "vibescore", "device_name": device.name, "platform": device.platform}
    shown = patiently(partial(client.post, "device-authorize", named, Shown), sleep=watch.sleep)
    show(shown)
    body = {
        "grant_type": GRANT_TYPE,
        "device_code": shown.device_code,
        "device_key": device.key,
        "request_id": secrets.token_hex(16),
    }
    deadline, interval = watch.now() + shown.expires_in, shown.interval
    while watch.now() + interval <= deadline:
        watch.sleep(interval)
        try:
            return _linked(client, client.post("device-token", body, Token))
        except Rejected as error:
            interval += _longer(error)
        except Retryable as error:
            interval = max(2 * interval, error.retry_after or 0.0)
    raise _refused("expired_token")


def link_by_code(client: Client, device: Device, code: str) -> Link:
    """Use a code that the user made on the server. Raises LinkError, UploadError."""
    shown = {
        "link_code": code,
        "device_name": device.name,
        "platform": device.platform,
        "device_key": device.key,
    }
    return _exchange(client, "link-code-exchange", shown)


def link_by_token(client: Client, token: str) -> Link:
    """Use a token that was made beforehand; the server tells whose it is. Raises UploadError."""
    return Link(client.server, patiently(client.ping).device_id, token)


def _exchange(client: Client, slug: str, shown: dict[str, str]) -> Link:
    body = shown | {"request_id": secrets.token_hex(16)}
    try:
        return _linked(client, patiently(partial(client.post, slug, body, Token)))
    except Rejected as error:
        raise _refused(error.code or "", error) from error


def _linked(client: Client, answer: Token) -> Link:
    return Link(client.server, answer.device_id, answer.token)


def _longer(error: Rejected) -> float:
    """Seconds to wait longer from now on. Raises LinkError when waiting makes no sense."""
    if error.code == "authorization_pending":
        return 0.0
    if error.code == "slow_down":
        return SLOWER
    raise _refused(error.code or "", error) from error


def _refused(code: str, error: Exception | None = None) -> LinkError:
    return LinkError(_sentence(ENDINGS.get(code) or str(error or "the server refused it")))


def _sentence(why: str) -> str:
    return f"this computer was not linked, because {why}. 'vibescore init' tries again"


def _challenge(verifier: str) -> str:
    """RFC 7636, 4.2."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

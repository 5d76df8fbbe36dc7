"""Linking a computer without showing it who its user is (SRV-05): three ways, one ending.

A code that the user copies into the command line (``link-code-…``); a browser that comes back to
the command line on a loopback redirect, with PKCE (``device-link-…``, RFC 8252 and RFC 7636); a
code that the computer shows and the user approves elsewhere (``device-authorize…``, RFC 8628).
"""

import re
from typing import Annotated, Literal
from urllib.parse import urlencode
from uuid import UUID

from msgspec import Meta, Struct

from vibescore_server.api import Call, Routes
from vibescore_server.auth import UserCaller
from vibescore_server.errors import BadRequest, Conflict, Invalid, TooMany
from vibescore_server.queries import grants
from vibescore_server.queries.grants import Claim, Linked, Promise, Waiting
from vibescore_server.routes.words import END, DeviceKey, Name, Platform, instant
from vibescore_server.tokens import digest, new_code, new_token, typed

LOOPBACK = re.compile(
    r"http://(?:127(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}|\[::1\]|localhost)(?::(?P<port>\d{1,5}))?"
    r"(?:/[\w.~!$&'()*+,;=:@%/-]*)?(?:\?[\w.~!$&'()*+,;=:@%/?-]*)?",
    re.ASCII,
)
"""A URL of this computer, without userinfo or fragment (RFC 8252, 7.3)."""

REFUSALS: dict[grants.Refusal, str] = {
    "authorization_pending": "Nobody has approved yet.",
    "slow_down": "You ask too often: wait five seconds longer from now on.",
    "access_denied": "The user refused.",
    "expired_token": "The device code has expired: begin anew.",
    "invalid_grant": "The device code is unknown or was used before.",
}

routes = Routes("Linking")

Code = Annotated[str, Meta(min_length=1, max_length=128)]
RequestId = Annotated[
    str,
    Meta(min_length=1, max_length=128, description="The computer's own name for the attempt"),
]


class LinkCode(Struct):
    link_code: str
    expires_at: str


class LinkCodeExchange(Struct):
    link_code: Code
    request_id: RequestId
    device_name: Name
    platform: Platform
    device_key: DeviceKey | None = None


class Token(Struct):
    token: str
    device_id: UUID
    user_id: UUID


class Approval(Struct):
    """What a computer asks for that opened the user's browser."""

    redirect_uri: Annotated[
        str, Meta(max_length=2048, description="http on a loopback address, any port")
    ]
    code_challenge: Annotated[
        str, Meta(min_length=43, max_length=43, pattern=r"^[A-Za-z0-9_-]+" + END)
    ]
    device_name: Name
    platform: Platform
    state: Annotated[str, Meta(max_length=1024)] = ""
    code_challenge_method: Literal["S256"] = "S256"


class Approved(Struct):
    redirect_to: str


class LinkExchange(Struct):
    code: Code
    code_verifier: Annotated[
        str, Meta(min_length=43, max_length=128, pattern=r"^[A-Za-z0-9._~-]+" + END)
    ]
    request_id: RequestId
    device_key: DeviceKey | None = None


class Authorize(Struct):
    device_name: Name
    platform: Platform
    client_id: str | None = None


class Authorizing(Struct):
    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_in: int
    interval: int


class Poll(Struct):
    device_code: Code
    grant_type: Literal["urn:ietf:params:oauth:grant-type:device_code"] | None = None
    request_id: Annotated[str, Meta(max_length=128)] = ""
    device_key: DeviceKey | None = None


class UserCode(Struct):
    user_code: Annotated[str, Meta(min_length=1, max_length=64)]


class Request(Struct):
    device_name: str
    platform: str
    expires_at: str


class Answered(Struct):
    device_name: str
    platform: str
    success: bool = True


@routes.post(
    "/functions/vibescore-link-code-init",
    summary="A code that links one computer within ten minutes",
    errors=(TooMany,),
)
async def init(call: Call, user: UserCaller) -> LinkCode:
    await limit_user(call, user.id)
    code, ends = await call.db.write(grants.add_link_code, user.id, now=call.now)
    return LinkCode(code, instant(ends))


@routes.post(
    "/functions/vibescore-link-code-exchange",
    summary="A device token for a link code",
    errors=(Conflict, TooMany),
)
async def exchange(call: Call, body: LinkCodeExchange) -> Token:
    await limit_address(call, "exchange")
    claim = claimed(call, "link", digest(typed(body.link_code)), body)
    named = claim._replace(name=body.device_name.strip(), platform=body.platform)
    return await redeemed(call, named)


@routes.post(
    "/functions/vibescore-device-link-approve",
    summary="Let the computer that opened your browser link itself",
    errors=(TooMany,),
)
async def approve_link(call: Call, user: UserCaller, body: Approval) -> Approved:
    return Approved(await approve_redirect(call, user.id, body))


@routes.post(
    "/functions/vibescore-device-link-exchange",
    summary="A device token for the code that came back to the computer",
    errors=(Conflict, TooMany),
)
async def exchange_link(call: Call, body: LinkExchange) -> Token:
    await limit_address(call, "exchange")
    claim = claimed(call, "browser", digest(body.code), body)
    return await redeemed(call, claim._replace(verifier=body.code_verifier))


@routes.post(
    "/functions/vibescore-device-authorize",
    summary="Codes for a computer without a browser: one to show, one to poll with",
    errors=(TooMany,),
)
async def authorize(call: Call, body: Authorize) -> Authorizing:
    await limit_address(call, "authorize")
    device_code, user_code = new_token(), new_code(2)
    promise = Promise(
        "device",
        digest(device_code),
        user_code_hash=digest(typed(user_code)),
        device_name=body.device_name.strip(),
        platform=body.platform,
    )
    await call.db.write(grants.add, promise, now=call.now)
    page = f"{call.base_url}/link"
    complete = f"{page}?user_code={user_code}"
    return Authorizing(device_code, user_code, page, complete, grants.LIFETIME, grants.INTERVAL)


@routes.post(
    "/functions/vibescore-device-token",
    summary="A device token, once the shown code is approved",
    errors=(TooMany,),
)
async def poll(call: Call, body: Poll) -> Token:
    await limit_address(call, "poll")
    code_hash = digest(body.device_code)
    if refusal := await call.db.write(grants.poll, code_hash, now=call.now):
        raise refused(refusal)
    try:
        return await redeemed(call, claimed(call, "device", code_hash, body))
    except (BadRequest, Conflict):
        raise refused("invalid_grant") from None


@routes.get(
    "/functions/vibescore-device-authorize-request",
    summary="Which computer shows a code",
    errors=(TooMany,),
)
async def request(call: Call, user: UserCaller, query: UserCode) -> Request:
    asked = await waiting(call, user.id, query.user_code)
    return Request(asked.device_name, asked.platform, instant(asked.expires_at))


@routes.post(
    "/functions/vibescore-device-authorize-approve",
    summary="Let the computer that shows a code link itself",
    errors=(TooMany,),
)
async def approve_code(call: Call, user: UserCaller, body: UserCode) -> Answered:
    asked = await approve(call, user.id, body.user_code)
    return Answered(asked.device_name, asked.platform)


@routes.post(
    "/functions/vibescore-device-authorize-deny",
    summary="Turn the computer away that shows a code",
    errors=(TooMany,),
)
async def deny_code(call: Call, user: UserCaller, body: UserCode) -> Answered:
    asked = await deny(call, user.id, body.user_code)
    return Answered(asked.device_name, asked.platform)


async def approve_redirect(call: Call, user_id: UUID, asked: Approval) -> str:
    """Promise to link the computer; answers where the browser takes the code. Raises Invalid."""
    check_redirect(asked.redirect_uri)
    await limit_user(call, user_id)
    code = new_token()
    promise = Promise(
        "browser",
        digest(code),
        user_id,
        challenge=asked.code_challenge,
        device_name=asked.device_name.strip(),
        platform=asked.platform,
    )
    await call.db.write(grants.add, promise, now=call.now)
    return answered(asked, code=code)


def check_redirect(uri: str) -> None:
    """Refuse to take a code to another computer. Raises Invalid."""
    match = LOOPBACK.fullmatch(uri)
    if match is None or int(match["port"] or 80) > 65_535:
        raise Invalid("redirect_uri", "it has to be http on a loopback address, such as 127.0.0.1")


def answered(asked: Approval, **answer: str) -> str:
    """Where the computer waits for the answer, with it (RFC 6749, 4.1.2)."""
    address, _, query = asked.redirect_uri.partition("?")
    told = urlencode(answer | ({"state": asked.state} if asked.state else {}))
    return f"{address}?{query}&{told}" if query else f"{address}?{told}"


async def waiting(call: Call, user_id: UUID, user_code: str) -> Waiting:
    """The computer that shows a code. Raises BadRequest, TooMany."""
    await limit_user(call, user_id)
    return _known(await call.db.read(grants.waiting, digest(typed(user_code)), now=call.now))


async def approve(call: Call, user_id: UUID, user_code: str) -> Waiting:
    """Let the computer that shows a code link itself. Raises BadRequest, TooMany."""
    await limit_user(call, user_id)
    code_hash = digest(typed(user_code))
    return _known(await call.db.write(grants.approve, user_id, code_hash, now=call.now))


async def deny(call: Call, user_id: UUID, user_code: str) -> Waiting:
    """Turn the computer away that shows a code. Raises BadRequest, TooMany."""
    await limit_user(call, user_id)
    return _known(await call.db.write(grants.deny, digest(typed(user_code)), now=call.now))


def claimed(
    call: Call, kind: grants.Kind, code_hash: str, shown: LinkCodeExchange | LinkExchange | Poll
) -> Claim:
    """The claim of a computer; the same request claims the same token."""
    token = call.services.signer.device_token(code_hash, shown.request_id)
    return Claim(kind, code_hash, shown.request_id, token, shown.device_key)


async def redeemed(call: Call, claim: Claim) -> Token:
    """The token of a claim. Raises BadRequest, Conflict."""
    try:
        linked: Linked = await call.db.write(grants.redeem, claim, now=call.now)
    except grants.CodeInvalid:
        raise invalid_code() from None
    except grants.CodeUsed:
        raise Conflict("The code was used before.", code="CODE_USED") from None
    return Token(claim.token, *linked)


def _known(asked: Waiting | None) -> Waiting:
    if asked is None:
        raise invalid_code()
    return asked


def invalid_code() -> BadRequest:
    return BadRequest("The code is unknown or has expired.", code="INVALID_CODE")


def refused(refusal: grants.Refusal) -> BadRequest:
    return BadRequest(REFUSALS[refusal], code=refusal)


async def limit_user(call: Call, user_id: UUID) -> None:
    """A user code has 40 bits: nobody may try many (RFC 8628, 5.1). Raises TooMany."""
    most = call.settings.link_per_minute
    await call.limit("linking by", str(user_id), most=most, seconds=60)


async def limit_address(call: Call, what: str) -> None:
    """Raises TooMany when an address links more than a few people would."""
    most = call.settings.link_per_minute
    await call.limit(f"{what} from", call.address, most=most, seconds=60)

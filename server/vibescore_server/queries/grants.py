"""Grants: promises to link a computer, each redeemed once, by its code (SRV-05).

A code is kept as its SHA-256 and holds for ten minutes. Redeeming it and linking the computer are
one transaction, in which the grant's row is locked: of several requests with one code, one wins.
"""

from typing import Any, Literal, NamedTuple
from uuid import UUID

from vibescore_server.models import Grant
from vibescore_server.queries import devices
from vibescore_server.queries.devices import Computer
from vibescore_server.tokens import challenge_of, digest, new_code, same, typed

LIFETIME = 600
"""Seconds in which a code can be redeemed, and then as many in which the answer is repeated."""

INTERVAL = 5
"""Seconds between two polls of a device; so many more after each that came too soon."""

Kind = Literal["link", "browser", "device"]
Refusal = Literal[
    "authorization_pending", "slow_down", "access_denied", "expired_token", "invalid_grant"
]
"""Why a device that polls gets no token (RFC 8628, 3.5; RFC 6749, 5.2)."""


class Promise(NamedTuple):
    """A new grant: whose it is, or by which ``user_code`` somebody may make it theirs."""

    kind: Kind
    code_hash: str
    user_id: UUID | None = None
    user_code_hash: str | None = None
    challenge: str | None = None
    device_name: str | None = None
    platform: str | None = None


class Claim(NamedTuple):
    """What a computer shows to be linked; ``request_id`` is its own name for the attempt.

    A computer with a link code says its name and platform now. Those of other kinds were told to
    the user who approved them, and stand in the grant.
    """

    kind: Kind
    code_hash: str
    request_id: str
    token: str
    key: str | None = None
    verifier: str | None = None
    name: str = ""
    platform: str = ""


class Linked(NamedTuple):
    """A device, and whose."""

    device_id: UUID
    user_id: UUID


class Waiting(NamedTuple):
    """A computer that waits to be approved."""

    device_name: str
    platform: str
    expires_at: int


class CodeInvalid(Exception):
    """The code is unknown, of another kind or expired, or its verifier is wrong."""


class CodeUsed(Exception):
    """Another request redeemed the code."""


class _Held(NamedTuple):
    user_id: UUID | None
    challenge: str | None
    device_name: str | None
    platform: str | None
    expires_at: int
    polled_at: int | None
    interval: int
    denied_at: int | None
    request_hash: str | None
    device_id: UUID | None


HELD: tuple[Any, ...] = tuple(getattr(Grant, name) for name in _Held._fields)
WAITING: tuple[Any, ...] = tuple(getattr(Grant, name) for name in Waiting._fields)


def add(db: Any, promise: Promise, *, now: int) -> int:
    """Remember a promise; answers when it ends."""
    Grant.insert(
        **promise._asdict(), created_at=now, expires_at=now + LIFETIME, interval=INTERVAL
    ).execute(db)
    return now + LIFETIME


def add_link_code(db: Any, user_id: UUID, *, now: int) -> tuple[str, int]:
    """A code that links one computer to the user, and when it ends."""
    code = new_code(3)
    return code, add(db, Promise("link", digest(typed(code)), user_id), now=now)


def redeem(db: Any, claim: Claim, *, now: int) -> Linked:
    """Link the computer that shows a code, which uses the code up; the request that did so gets the
    same answer again. Raises CodeInvalid, CodeUsed: then nothing is used up.
    """
    grant = _hold(db, claim.kind, claim.code_hash)
    if grant is None or grant.expires_at <= now or not _proven(grant, claim):
        raise CodeInvalid
    if grant.user_id is None:
        raise CodeInvalid
    if grant.request_hash is None:
        return Linked(_link(db, grant, grant.user_id, claim, now=now), grant.user_id)
    if grant.device_id is None or not same(digest(claim.request_id), grant.request_hash):
        raise CodeUsed
    return Linked(grant.device_id, grant.user_id)


def poll(db: Any, code_hash: str, *, now: int) -> Refusal | None:
    """Why a device gets no token yet, or never; None when it was approved (RFC 8628, 3.5)."""
    grant = _hold(db, "device", code_hash)
    if grant is None:
        return "invalid_grant"
    if grant.expires_at <= now:
        return "expired_token"
    if grant.denied_at is not None:
        return "access_denied"
    if grant.user_id is not None:
        return None
    hasty = grant.polled_at is not None and now < grant.polled_at + grant.interval
    longer = grant.interval + INTERVAL if hasty else grant.interval
    Grant.update(polled_at=now, interval=longer).where(Grant.code_hash == code_hash).execute(db)
    return "slow_down" if hasty else "authorization_pending"


def waiting(db: Any, user_code_hash: str, *, now: int) -> Waiting | None:
    """The computer that shows a user code, while nobody approved or denied it."""
    asked = Grant.select(*WAITING).where(_open(user_code_hash, now), Grant.user_id.is_null())
    row = asked.tuples().bind(db).first()
    return Waiting(*row) if row else None


def approve(db: Any, user_id: UUID, user_code_hash: str, *, now: int) -> Waiting | None:
    """Let a computer link itself to the user; once more changes nothing. None as ``waiting``."""
    mine = Grant.user_id.is_null() | (Grant.user_id == user_id)
    approved = Grant.update(user_id=user_id).where(_open(user_code_hash, now), mine)
    return _first(db, approved)


def deny(db: Any, user_code_hash: str, *, now: int) -> Waiting | None:
    """Turn a computer away. None as ``waiting``."""
    open_to_all = _open(user_code_hash, now) & Grant.user_id.is_null()
    return _first(db, Grant.update(denied_at=now).where(open_to_all))


def forget(db: Any, *, now: int) -> int:
    """Remove grants that ended long enough ago to need no explanation; answers how many."""
    removed: int = Grant.delete().where(Grant.expires_at <= now - LIFETIME).execute(db)
    return removed


def _hold(db: Any, kind: Kind, code_hash: str) -> _Held | None:
    """The grant of a code, locked until the transaction ends: an update that changes nothing is
    the one statement for this that both databases know.
    """
    sought = (Grant.code_hash == code_hash) & (Grant.kind == kind)
    held = Grant.update(expires_at=Grant.expires_at).where(sought).returning(*HELD)
    return next((_Held(*row) for row in held.tuples().execute(db)), None)


def _proven(grant: _Held, claim: Claim) -> bool:
    """Whether the claim comes from where the challenge came from (RFC 7636, 4.6)."""
    if grant.challenge is None:
        return True
    return claim.verifier is not None and same(challenge_of(claim.verifier), grant.challenge)


def _link(db: Any, grant: _Held, user_id: UUID, claim: Claim, *, now: int) -> UUID:
    name = claim.name if grant.device_name is None else grant.device_name
    platform = claim.platform if grant.platform is None else grant.platform
    computer = Computer(name, platform, claim.key)
    device_id = devices.issue(db, user_id, claim.token, computer, now=now)
    Grant.update(
        device_id=device_id, request_hash=digest(claim.request_id), expires_at=now + LIFETIME
    ).where(Grant.code_hash == claim.code_hash).execute(db)
    return device_id


def _open(user_code_hash: str, now: int) -> Any:
    unanswered = (Grant.user_code_hash == user_code_hash) & Grant.denied_at.is_null()
    return unanswered & (Grant.expires_at > now)


def _first(db: Any, change: Any) -> Waiting | None:
    rows = change.returning(*WAITING).tuples().execute(db)
    return next((Waiting(*row) for row in rows), None)

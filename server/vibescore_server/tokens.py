"""Tokens, codes and passwords: made, compared and told apart, without a database.

A secret is shown once and kept as its SHA-256: it has at least 256 random bits, so nothing slower
is needed. Passwords are kept as argon2id hashes.
"""

import asyncio
import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from uuid import UUID

import jwt
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from jwt.types import Options

T = TypeVar("T")

AUDIENCE = "vibescore"
ALGORITHM = "HS256"
CLAIMS = ["sub", "aud", "iat", "exp"]
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Of codes that people type: 32, none of which looks like another."""


def new_token() -> str:
    """256 random bits, for a device, a session or a code that no person types."""
    return secrets.token_urlsafe(32)


def new_code(groups: int) -> str:
    """A code for people to type, such as ``K7QM-2WXD``: 20 random bits in each group."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(groups))


def typed(code: str) -> str:
    """The letters of a code, in whatever way somebody typed it (RFC 8628, 6.1)."""
    return "".join(letter for letter in code.upper() if letter in LETTERS)


def digest(secret: str) -> str:
    """The form in which a secret is kept."""
    return hashlib.sha256(_bytes(secret)).hexdigest()


def same(shown: str, expected: str) -> bool:
    """Whether two secrets are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(_bytes(shown), _bytes(expected))


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a PKCE verifier (RFC 7636, 4.2)."""
    return _unpadded(hashlib.sha256(verifier.encode()).digest())


def _bytes(secret: str) -> bytes:
    """What was sent: in a header it may be no UTF-8."""
    return secret.encode(errors="surrogateescape")


def _unpadded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


class Signer:
    """What only this server can make: each use has a key of its own, derived from one secret."""

    def __init__(self, secret: bytes) -> None:
        self._access = _key(secret, b"access token")
        self._redeemed = _key(secret, b"redeemed code")
        self._csrf = _key(secret, b"form of a session")
        self._successor = _key(secret, b"refresh token")

    def access_token(self, user_id: UUID, *, now: int, seconds: int) -> str:
        """A JWT that says who its bearer is until then (RFC 7519)."""
        claims = {"sub": str(user_id), "aud": AUDIENCE, "iat": now, "exp": now + seconds}
        return jwt.encode(claims, self._access, algorithm=ALGORITHM)

    def user_of(self, access_token: str, *, now: int) -> UUID | None:
        """Who an access token speaks for; None when it is not ours, altered or expired."""
        unclocked: Options = {"require": CLAIMS, "verify_exp": False, "verify_iat": False}
        try:
            claims = jwt.decode(
                access_token,
                self._access,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                options=unclocked,  # by our clock, below
            )
            return UUID(claims["sub"]) if now < int(claims["exp"]) else None
        except (jwt.InvalidTokenError, ValueError, TypeError):
            return None

    def device_token(self, code_hash: str, request_id: str) -> str:
        """The token that a code was redeemed for: the same request gets it again (SRV-05)."""
        return _unpadded(_mac(self._redeemed, f"{code_hash}\0{request_id}"))

    def successor(self, refresh_token: str) -> str:
        """The refresh token that comes after one: who asks again gets it again (SRV-17)."""
        return _unpadded(_mac(self._successor, refresh_token))

    def csrf_token(self, refresh_token: str) -> str:
        """What a form or a script of ours sends beside the session's cookie."""
        return _unpadded(_mac(self._csrf, refresh_token))


def _key(secret: bytes, use: bytes) -> bytes:
    return hmac.digest(secret, use, "sha256")


def _mac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, _bytes(text), "sha256")


class Passwords:
    """Hashing takes long on purpose, so it has threads of its own."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)  # OWASP's
        self._threads = ThreadPoolExecutor(2, "password")
        self._nobody = self._hasher.hash(new_token())

    async def hash(self, password: str) -> str:
        """An argon2id hash with its parameters (RFC 9106)."""
        return await self._run(self._hasher.hash, password)

    async def fits(self, password: str, hashed: str | None) -> bool:
        """Whether it is the password. Without a hash it takes as long, and never is (SRV-17)."""
        fits = await self._run(self._fits, password, hashed or self._nobody)
        return fits and hashed is not None

    def close(self) -> None:
        self._threads.shutdown()

    def _fits(self, password: str, hashed: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, function: Callable[..., T], *args: str) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *args)

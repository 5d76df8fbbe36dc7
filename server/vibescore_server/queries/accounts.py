"""Users and their sessions (SRV-17)."""

from typing import Any, NamedTuple
from uuid import UUID, uuid4

from peewee import IntegrityError

from vibescore_server.db import queue_up
from vibescore_server.models import RefreshToken, User
from vibescore_server.tokens import digest

FIRST_USER = 0x76696266
"""Of the locks to queue up for: of those who sign up at the same moment, one is the first."""

LEEWAY = 30
"""Seconds in which a used refresh token is good for the same successor again: the answer was lost,
or is still on its way to a page that has been loaded anew.
"""

ADMIN = "admin"
USER = "user"

PUBLIC = (User.id, User.email, User.name, User.role, User.created_at)


class UserRow(NamedTuple):
    """A user as everybody but the password check sees one."""

    id: UUID
    email: str
    name: str | None
    role: str
    created_at: int


class EmailTaken(Exception):
    """There is a user with this address."""


class SignUpClosed(Exception):
    """There is a user already, and only a first one may sign up."""


class UserGone(Exception):
    """The user was deleted meanwhile."""


def user_by_id(db: Any, user_id: UUID) -> UserRow | None:
    """The user, if there still is one."""
    row = User.select(*PUBLIC).where(User.id == user_id).tuples().bind(db).first()
    return UserRow(*row) if row else None


def credentials(db: Any, email: str) -> tuple[UserRow, str] | None:
    """The user of an address, in any case, and the hash of the password."""
    asked = User.select(*PUBLIC, User.password).where(User.email == email.casefold())
    row = asked.tuples().bind(db).first()
    return (UserRow(*row[:-1]), row[-1]) if row else None


def password_of(db: Any, user_id: UUID) -> str | None:
    """The hash of a user's password."""
    hashed: str | None = User.select(User.password).where(User.id == user_id).bind(db).scalar()
    return hashed


def hold_user(db: Any, user_id: UUID) -> None:
    """Lock the user's row until the transaction ends, so that nothing is given to somebody who is
    just being deleted: an update that changes nothing does that on both databases. Raises UserGone.
    """
    if not User.update(role=User.role).where(User.id == user_id).execute(db):
        raise UserGone


def has_users(db: Any) -> bool:
    """Whether anybody has signed up."""
    return bool(User.select(User.id).limit(1).bind(db).exists())


def add_user(
    db: Any, *, email: str, password: str, name: str | None, first_only: bool, now: int
) -> UserRow:
    """A new user: the first of all is admin. Raises EmailTaken, SignUpClosed."""
    queue_up(db, FIRST_USER)
    first = not has_users(db)
    if first_only and not first:
        raise SignUpClosed
    user = UserRow(uuid4(), email.casefold(), name, ADMIN if first else USER, now)
    try:
        User.insert(**user._asdict(), password=password).execute(db)
    except IntegrityError:
        raise EmailTaken from None
    return user


def users(db: Any) -> list[UserRow]:
    """All users, in the order in which they came."""
    asked = User.select(*PUBLIC).order_by(User.created_at, User.email)
    rows: Any = asked.tuples().bind(db)
    return [UserRow(*row) for row in rows]


def set_role(db: Any, email: str, role: str) -> bool:
    """Give a user a role; False when nobody has this address."""
    changed = User.update(role=role).where(User.email == email.casefold())
    return bool(changed.execute(db))


def set_password(db: Any, email: str, password: str) -> bool:
    """Give a user another password (its hash), and end all sessions; False when nobody has this
    address.
    """
    asked = User.select(User.id).where(User.email == email.casefold())
    RefreshToken.delete().where(RefreshToken.user_id.in_(asked)).execute(db)
    changed = User.update(password=password).where(User.email == email.casefold())
    return bool(changed.execute(db))


def start_session(db: Any, user_id: UUID, token: str, *, expires_at: int, now: int) -> None:
    """Remember the first refresh token of a new family. Raises UserGone."""
    hold_user(db, user_id)
    _remember(db, user_id, token, uuid4(), expires_at=expires_at, now=now)


def _remember(
    db: Any, user_id: UUID, token: str, family: UUID, *, expires_at: int, now: int
) -> None:
    RefreshToken.insert(
        token_hash=digest(token),
        user_id=user_id,
        family=family,
        created_at=now,
        expires_at=expires_at,
    ).execute(db)


def session_user(db: Any, token: str, *, now: int) -> UserRow | None:
    """Whose session an unused refresh token belongs to; it stays unused."""
    asked = (
        User.select(*PUBLIC)
        .join(RefreshToken, on=RefreshToken.user_id == User.id)
        .where(
            RefreshToken.token_hash == digest(token),
            RefreshToken.used_at.is_null(),
            RefreshToken.expires_at > now,
        )
    )
    row = asked.tuples().bind(db).first()
    return UserRow(*row) if row else None


def rotate_session(
    db: Any, token: str, successor: str, *, expires_at: int, now: int
) -> UserRow | None:
    """Use a refresh token up, for its successor, which is the same each time. One that was used
    before ends its whole family, LEEWAY aside: somebody else has it too (RFC 9700, 4.14.2).
    """
    spent = RefreshToken.token_hash == digest(token)
    asked = RefreshToken.select(RefreshToken.user_id, RefreshToken.family).where(spent)
    session = asked.tuples().bind(db).first()
    if session is None:
        return None
    user_id, family = session
    fresh = spent & RefreshToken.used_at.is_null() & (RefreshToken.expires_at > now)
    user = user_by_id(db, user_id)
    if user and RefreshToken.update(used_at=now).where(fresh).execute(db):
        _remember(db, user_id, successor, family, expires_at=expires_at, now=now)
        return user
    if user and _is_repeated(db, token, successor, now=now):
        return user
    RefreshToken.delete().where(RefreshToken.family == family).execute(db)
    return None


def _is_repeated(db: Any, token: str, successor: str, *, now: int) -> bool:
    """Whether a refresh token was used just now, and its successor not yet."""
    used, is_it = RefreshToken.used_at, RefreshToken.token_hash
    just_used = (is_it == digest(token)) & (used > now - LEEWAY)
    waiting = (is_it == digest(successor)) & used.is_null()
    both: int = RefreshToken.select().where(just_used | waiting).bind(db).count()
    return both == 2


def end_session(db: Any, token: str) -> None:
    """Forget the family of a refresh token."""
    family = RefreshToken.select(RefreshToken.family).where(
        RefreshToken.token_hash == digest(token)
    )
    RefreshToken.delete().where(RefreshToken.family.in_(family)).execute(db)

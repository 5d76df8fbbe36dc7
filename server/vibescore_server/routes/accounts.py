"""Accounts: sign-up, sign-in, sessions (SRV-17)."""

from uuid import UUID

from msgspec import Struct

from vibescore_server.api import Answer, Call, Cookie, Routes
from vibescore_server.auth import UserCaller
from vibescore_server.errors import Conflict, Forbidden, TooMany, Unauthorized
from vibescore_server.queries import accounts
from vibescore_server.queries.accounts import UserRow
from vibescore_server.routes.words import (
    Email,
    Name,
    Password,
    ShownEmail,
    ShownPassword,
    instant,
)
from vibescore_server.tokens import new_token, same

SESSION = "vibescore_refresh"
CSRF = "vibescore_csrf"

routes = Routes("Accounts")


class SignUp(Struct):
    email: Email
    password: Password
    name: Name | None = None


class SignIn(Struct):
    email: ShownEmail
    password: ShownPassword


class UserInfo(Struct, rename="camel"):
    id: UUID
    email: str
    name: str | None
    created_at: str
    role: str


class Session(Struct, rename="camel"):
    access_token: str
    user: UserInfo
    csrf_token: str


class CurrentUser(Struct):
    user: UserInfo


class Done(Struct):
    success: bool = True


@routes.post(
    "/api/auth/users",
    summary="Sign up",
    status=201,
    errors=(Forbidden, Conflict, TooMany),
)
async def sign_up(call: Call, body: SignUp) -> Answer[Session]:
    return await begin_session(call, await new_user(call, body))


async def new_user(call: Call, wanted: SignUp) -> UserRow:
    """Add a user, if that is open. Raises Forbidden, Conflict, TooMany."""
    await call.limit("sign-up", call.address, most=call.settings.sign_up_per_hour, seconds=3600)
    if not await sign_up_open(call):
        raise sign_up_closed()
    try:
        return await call.db.write(
            accounts.add_user,
            email=wanted.email,
            password=await call.services.passwords.hash(wanted.password),
            name=wanted.name and wanted.name.strip(),
            first_only=call.settings.sign_up is None,
            now=call.now,
        )
    except accounts.SignUpClosed:
        raise sign_up_closed() from None
    except accounts.EmailTaken:
        raise Conflict("Somebody signed up with this address.", code="EMAIL_TAKEN") from None


async def sign_up_open(call: Call) -> bool:
    """Whether anybody may sign up: as it is set, else on loopback until there is a user."""
    if call.settings.sign_up is not None:
        return call.settings.sign_up
    return call.settings.on_loopback and not await call.db.read(accounts.has_users)


def sign_up_closed() -> Forbidden:
    return Forbidden(
        "Sign-up is closed here: ask whoever runs this server for an account.",
        code="SIGN_UP_CLOSED",
    )


@routes.post("/api/auth/sessions", summary="Sign in", errors=(Unauthorized, TooMany))
async def sign_in(call: Call, body: SignIn) -> Answer[Session]:
    return await begin_session(call, await known_user(call, body))


async def known_user(call: Call, shown: SignIn) -> UserRow:
    """The user whose password was given: an unknown address takes as long and says the same.

    Raises Unauthorized, TooMany.
    """
    most = call.settings.sign_in_per_minute
    await call.limit("sign-in from", call.address, most=most, seconds=60)
    await call.limit("sign-in as", shown.email.casefold(), most=most, seconds=60)
    known = await call.db.read(accounts.credentials, shown.email)
    if not await call.services.passwords.fits(shown.password, known[1] if known else None):
        raise Unauthorized("E-mail or password is wrong.", code="INVALID_CREDENTIALS")
    assert known is not None
    return known[0]


@routes.get("/api/auth/sessions/current", summary="The signed-in user")
async def current(call: Call, user: UserCaller) -> CurrentUser:  # noqa: ARG001
    return CurrentUser(
        user_info(UserRow(user.id, user.email, user.name, user.role, user.created_at))
    )


@routes.post(
    "/api/auth/refresh",
    summary="A new access token for the session of the cookie",
    errors=(Unauthorized, Forbidden),
    security=(("session", "csrf"),),
)
async def refresh(call: Call) -> Answer[Session]:
    token = session_token(call)
    if token is None:
        raise Unauthorized("There is no session: sign in.")
    check_csrf(call, token)
    successor = call.services.signer.successor(token)
    user = await call.db.write(
        accounts.rotate_session, token, successor, expires_at=session_end(call), now=call.now
    )
    if user is None:
        raise Unauthorized("The session has ended: sign in again.")
    return session_answer(call, user, successor)


def check_csrf(call: Call, token: str) -> None:
    """Only a page of ours knows what goes with the cookie. Raises Forbidden."""
    shown = call.request.headers.get("x-csrf-token", "")
    if not same(shown, call.services.signer.csrf_token(token)):
        raise Forbidden("X-CSRF-Token is not that of the session.", code="CSRF")


@routes.post(
    "/api/auth/logout",
    summary="End the session of the cookie",
    errors=(Forbidden,),
    security=(("session", "csrf"), ()),
)
async def logout(call: Call) -> Answer[Done]:
    token = session_token(call)
    if token is not None:
        check_csrf(call, token)
    return Answer(Done(), await end_session(call))


async def end_session(call: Call) -> tuple[Cookie, ...]:
    """Forget the session of the cookie; answers the cookies that make the browser forget it."""
    token = session_token(call)
    if token is not None:
        await call.db.write(accounts.end_session, token)
    return (Cookie(SESSION, "", 0), Cookie(CSRF, "", 0, http_only=False))


def session_token(call: Call) -> str | None:
    """The refresh token that the browser sent."""
    return call.request.cookies.get(SESSION)


def session_end(call: Call) -> int:
    return call.now + call.settings.refresh_token_days * 86_400


async def begin_session(call: Call, user: UserRow) -> Answer[Session]:
    """Start a session for a user who proved to be one."""
    token = new_token()
    await call.db.write(
        accounts.start_session, user.id, token, expires_at=session_end(call), now=call.now
    )
    return session_answer(call, user, token)


def session_answer(call: Call, user: UserRow, token: str) -> Answer[Session]:
    """Access token in the body, refresh token in the cookie, and what ties the two together."""
    seconds = call.settings.access_token_minutes * 60
    signer = call.services.signer
    access = signer.access_token(user.id, now=call.now, seconds=seconds)
    csrf = signer.csrf_token(token)
    age = call.settings.refresh_token_days * 86_400
    cookies = (Cookie(SESSION, token, age), Cookie(CSRF, csrf, age, http_only=False))
    return Answer(Session(access, user_info(user), csrf), cookies)


def user_info(user: UserRow) -> UserInfo:
    return UserInfo(user.id, user.email, user.name, instant(user.created_at), user.role)

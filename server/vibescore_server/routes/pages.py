"""Plain pages, for whoever has no dashboard or no script: what this is, signing up, in and out
(SRV-17).
"""

import re
from hashlib import sha256
from urllib.parse import urlencode

from msgspec import Struct
from sanic import HTTPResponse
from sanic.response import empty, raw

from vibescore_server.api import Answer, Call, Routes, decode_form
from vibescore_server.errors import ApiError
from vibescore_server.queries.accounts import UserRow
from vibescore_server.routes import accounts
from vibescore_server.routes.accounts import SignIn, SignUp
from vibescore_server.routes.rendering import MEDIA, PLAIN, Html, page, render, see, stylesheet
from vibescore_server.routes.visitors import Sent, visitor

CSS = "text/css; charset=utf-8"
LOCAL = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*")
"""A place on this server: to a browser, ``//`` and ``/\\`` are the beginning of another host."""

Page = HTTPResponse | Answer[HTTPResponse]

routes = Routes("Pages")


class Entry(Struct):
    """What is in a form for signing in or up besides the password, to be shown again; ``next`` is
    where to go then.
    """

    email: str = ""
    name: str = ""
    next: str = "/"

    @property
    def path(self) -> str:
        """A place on this server, whatever was asked for."""
        return self.next if LOCAL.fullmatch(self.next) else "/"

    @property
    def query(self) -> str:
        """What the other form needs to know."""
        return f"{PLAIN}&{urlencode({'next': self.path})}"


@routes.get("/", summary="What this is", media=MEDIA)
async def home(call: Call) -> HTTPResponse:
    who = await visitor(call)
    if who:
        links = render("home_signed_in", signed_in=who.line)
    else:
        links = render("home_open" if await accounts.sign_up_open(call) else "home_signed_out")
    return page("What this is", render("home", links=links, dashboard=about_dashboard(call)))


@routes.get("/sign-in", summary="The form for signing in", media=MEDIA)
async def sign_in_form(call: Call, query: Entry) -> HTTPResponse:
    return see(query.path) if await visitor(call) else sign_in_page(query)


@routes.post("/sign-in", summary="Sign in", media=MEDIA)
async def sign_in(call: Call) -> Page:
    entry = decode_form(call.request, Entry)
    try:
        user = await accounts.known_user(call, decode_form(call.request, SignIn))
    except ApiError as error:
        return sign_in_page(entry, error)
    return await welcome(call, user, entry)


@routes.get("/sign-up", summary="The form for signing up", media=MEDIA)
async def sign_up_form(call: Call, query: Entry) -> HTTPResponse:
    if await accounts.sign_up_open(call):
        return sign_up_page(query)
    return page("Sign up", render("sign_up_closed", query=query.query))


@routes.post("/sign-up", summary="Sign up", media=MEDIA)
async def sign_up(call: Call) -> Page:
    entry = decode_form(call.request, Entry)
    try:
        user = await accounts.new_user(call, decode_form(call.request, SignUp))
    except ApiError as error:
        return sign_up_page(entry, error)
    return await welcome(call, user, entry)


@routes.post("/sign-out", summary="Sign out", media=MEDIA)
async def sign_out(call: Call) -> Page:
    who = await visitor(call)
    if who is None:
        return see("/")
    who.check(decode_form(call.request, Sent))
    return Answer(see("/"), await accounts.end_session(call))


@routes.get("/static/pages.css", summary="How pages look", media=CSS)
async def style(call: Call) -> HTTPResponse:
    sheet = stylesheet()
    tag = f'"{sha256(sheet).hexdigest()[:16]}"'
    headers = {"ETag": tag, "Cache-Control": "public, max-age=3600"}
    if tag in call.request.headers.get("if-none-match", ""):
        return empty(304, headers)
    return raw(sheet, content_type=CSS, headers=headers)


def about_dashboard(call: Call) -> Html:
    """The way to the dashboard, or to having one."""
    if call.request.app.ctx.dashboard:
        return render("dashboard")
    return render("dashboard_unbuilt") if call.settings.dashboard else Html()


def sign_in_page(entry: Entry, error: ApiError | None = None) -> HTTPResponse:
    form = render("sign_in", email=entry.email, next=entry.path, query=entry.query)
    return page("Sign in", form, error=error)


def sign_up_page(entry: Entry, error: ApiError | None = None) -> HTTPResponse:
    values = {"email": entry.email, "name": entry.name}
    form = render("sign_up", **values, next=entry.path, query=entry.query)
    return page("Sign up", form, error=error)


async def welcome(call: Call, user: UserRow, entry: Entry) -> Page:
    """Begin a session, and go where the user was going."""
    session = await accounts.begin_session(call, user)
    return Answer(see(entry.path), session.cookies)

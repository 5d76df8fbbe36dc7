"""Pages from the templates beside this file: every value is escaped, whoever it comes from.

There is no script and no style in them, and their Content-Security-Policy allows none. They lead to
plain pages only (``?plain=1``), also where there is a dashboard.
"""

from functools import cache
from html import escape
from importlib.resources import files
from string import Template
from urllib.parse import urlsplit

from sanic import HTTPResponse, Request
from sanic.response import html, redirect

from vibescore_server.errors import ApiError

MEDIA = "text/html; charset=utf-8"
FOLDER = files(__package__) / "templates"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    # With no-referrer, browsers say that the origin of a form is "null".
    "Referrer-Policy": "same-origin",
}


PLAIN = "plain=1"


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def render(template: str, **values: str) -> Html:
    """A template with its ``$names`` replaced. Attributes that hold one are double-quoted."""
    safe = {
        name: value if isinstance(value, Html) else escape(value) for name, value in values.items()
    }
    return Html(_template(template).substitute(safe))


def page(
    title: str, body: Html, *, error: ApiError | None = None, to: str | None = None
) -> HTTPResponse:
    """A page; with an error it says so, and with ``to`` the browser goes there by itself.

    Going on from a page works for every address. A redirect in answer to a form does not: browsers
    hold it against ``form-action``, which cannot name an IPv6 address.
    """
    alert = render("alert", message=error.message) if error else Html()
    text = render("layout", title=title, alert=alert, body=body)
    onward = {"Refresh": f"0; url={to}"} if to else {}
    told = error.headers if error else {}
    return html(text, int(error.status) if error else 200, {**HEADERS, **onward, **told})


def see(path: str) -> HTTPResponse:
    """Another plain page instead, also after a form."""
    return redirect(plain(path), status=303, headers=dict(HEADERS))


def plain(path: str) -> str:
    """A place on this server as a plain page."""
    place = urlsplit(path)
    words = [word for word in place.query.split("&") if word not in ("", PLAIN)]
    return place._replace(query="&".join((*words, PLAIN))).geturl()


def is_plain(request: Request) -> bool:
    """Whether a page is asked for as a plain one."""
    return PLAIN in request.query_string.split("&")


def failed(error: ApiError) -> HTTPResponse:
    """An error where a page was asked for."""
    return page(error.status.phrase, Html(), error=error)


@cache
def stylesheet() -> bytes:
    """The one stylesheet of all pages."""
    return (FOLDER / "pages.css").read_bytes()


@cache
def _template(name: str) -> Template:
    return Template((FOLDER / f"{name}.html").read_text("utf-8"))

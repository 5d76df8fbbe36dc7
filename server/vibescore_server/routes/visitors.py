"""Who looks at a page: the session's cookie tells, and is not used up by it (SRV-17).

A form that changes something carries the CSRF token of its session. Where there is no session yet,
the origin that a browser names with every form is all that is asked (``app.check_origin``).
"""

from dataclasses import dataclass

from msgspec import Struct

from vibescore_server.api import Call
from vibescore_server.errors import Forbidden
from vibescore_server.queries import accounts
from vibescore_server.queries.accounts import UserRow
from vibescore_server.routes.accounts import session_token
from vibescore_server.routes.rendering import Html, render
from vibescore_server.tokens import same


class Sent(Struct):
    """What every form of a signed-in user brings."""

    csrf: str = ""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever is signed in, and what their forms carry."""

    user: UserRow
    csrf: str

    @property
    def line(self) -> Html:
        """Who is signed in, and the way out."""
        return render("signed_in", email=self.user.email, csrf=self.csrf)

    def check(self, sent: Sent) -> None:
        """Refuse forms that were not made for this session. Raises Forbidden."""
        if not same(sent.csrf, self.csrf):
            raise Forbidden("This form is out of date: go back and load it anew.", code="CSRF")


async def visitor(call: Call) -> Visitor | None:
    """Who is signed in."""
    token = session_token(call)
    if token is None:
        return None
    user = await call.db.read(accounts.session_user, token, now=call.now)
    return user and Visitor(user, call.services.signer.csrf_token(token))

"""The page on which a user says yes to a computer (SRV-05).

The computer opened it with what it asks for and waits on a loopback address, or it shows a code
that the user brings here.
"""

from typing import Literal
from urllib.parse import urlencode

from msgspec import structs
from sanic import HTTPResponse

from vibescore_server.api import Call, Routes, decode_form, decode_query
from vibescore_server.errors import BadRequest
from vibescore_server.routes import linking
from vibescore_server.routes.linking import Approval, UserCode
from vibescore_server.routes.rendering import MEDIA, Html, page, render, see
from vibescore_server.routes.visitors import Sent, Visitor, visitor

routes = Routes("Pages")


class Decision(Sent):
    """What the user says, and to which kind of question."""

    answer: Literal["approve", "cancel"] = "cancel"
    redirect_uri: str = ""

    @property
    def approved(self) -> bool:
        return self.answer == "approve"


@routes.get("/link", summary="What a computer asks for that wants to be linked", media=MEDIA)
async def ask(call: Call) -> HTTPResponse:
    who = await visitor(call)
    if who is None:
        query = call.request.query_string
        return see(f"/sign-in?{urlencode({'next': f'/link?{query}' if query else '/link'})}")
    if "redirect_uri" in call.request.args:
        return browser_question(who, decode_query(call.request, Approval))
    if "user_code" in call.request.args:
        return await code_question(call, who, decode_query(call.request, UserCode))
    return code_form(who)


@routes.post("/link", summary="Approve, or turn the computer away", media=MEDIA)
async def decide(call: Call) -> HTTPResponse:
    who = await visitor(call)
    if who is None:
        return see("/sign-in?next=/link")
    decision = decode_form(call.request, Decision)
    who.check(decision)
    if decision.redirect_uri:
        asked = decode_form(call.request, Approval)
        return await browser_answer(call, who, asked, approved=decision.approved)
    shown = decode_form(call.request, UserCode)
    return await code_answer(call, who, shown, approved=decision.approved)


def browser_question(who: Visitor, asked: Approval) -> HTTPResponse:
    """What the computer asks for that opened this browser. Raises Invalid."""
    linking.check_redirect(asked.redirect_uri)
    back = asked.redirect_uri.partition("?")[0]
    where = render("where", place=back)
    return question(who, asked.device_name, asked.platform, where, fields(**structs.asdict(asked)))


async def browser_answer(
    call: Call, who: Visitor, asked: Approval, *, approved: bool
) -> HTTPResponse:
    """Back to the computer, with a code or with a refusal (RFC 6749, 4.1.2)."""
    if approved:
        to = await linking.approve_redirect(call, who.user.id, asked)
    else:
        linking.check_redirect(asked.redirect_uri)
        to = linking.answered(asked, error="access_denied")
    said = "Approved." if approved else "Cancelled."
    return page(said, render("leaving", address=to), to=to)


async def code_question(call: Call, who: Visitor, shown: UserCode) -> HTTPResponse:
    """What the computer asks for that shows this code. Raises TooMany."""
    try:
        asked = await linking.waiting(call, who.user.id, shown.user_code)
    except BadRequest as error:
        return code_form(who, shown.user_code, error)
    code = fields(user_code=shown.user_code)
    where = render("shown", code=shown.user_code)
    return question(who, asked.device_name, asked.platform, where, code)


async def code_answer(call: Call, who: Visitor, shown: UserCode, *, approved: bool) -> HTTPResponse:
    """What becomes of the computer that shows the code. Raises TooMany."""
    answer = linking.approve if approved else linking.deny
    try:
        asked = await answer(call, who.user.id, shown.user_code)
    except BadRequest as error:
        return code_form(who, shown.user_code, error)
    said = "Approved." if approved else "Cancelled."
    return page(said, render("approved" if approved else "denied", device_name=asked.device_name))


def code_form(who: Visitor, user_code: str = "", error: BadRequest | None = None) -> HTTPResponse:
    """Where a code is typed."""
    form = render("code", signed_in=who.line, user_code=user_code)
    return page("Link a computer", form, error=error)


def question(who: Visitor, name: str, platform: str, more: Html, sent: Html) -> HTTPResponse:
    """Who asks for what, and the two answers."""
    body = render(
        "link",
        signed_in=who.line,
        device_name=name,
        platform=platform or "unknown",
        more=more,
        fields=Html(sent + fields(csrf=who.csrf)),
    )
    return page("Link a computer?", body)


def fields(**values: str) -> Html:
    """What a form carries without showing it."""
    return Html("\n".join(render("field", name=key, value=values[key]) for key in values))

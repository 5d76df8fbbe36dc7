"""Every page of the dashboard in every state that a user may meet it in: to be looked at."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from playwright.sync_api import Page, expect
from serving import NOW, PASSWORD, Person, Server, row, serving
from test_linking import authorize
from test_pages import ASKED

SYNCED = "2026-11-18T09:40:00Z"
"""When Ada's computers last sent something; the hours since then are missing."""

PHONE, DESK, WALL = (360, 740), (1440, 900), (2560, 1300)
"""Pixels of narrow, usual and wide screens."""

LAID_OUT = "() => new Promise(done => new ResizeObserver(done).observe(document.body))"
"""Comes true when the browser has drawn the page again; its clock does not matter to that."""

OFFLINE = "ERR_INTERNET_DISCONNECTED"
PARTS = (("codex", "gpt-5.2-codex"), ("codex", "gpt-5.2"), ("gemini", "gemini-3-pro-preview"))
OTHERS = ("Yuki", "Mateo", "Priya", "Lars", "Zofia", "Omar", "Chloé", None)


@dataclass(frozen=True, slots=True)
class Stage:
    """A server, and who has an account on it."""

    server: Server
    ada: Person
    newcomer: Person

    def enter(self, page: Page, who: str) -> None:
        """Sign in, but for nobody; the page's clock is the server's, and goes on."""
        page.clock.install(time=NOW)
        if who == "nobody":
            return
        person: Person = getattr(self, who)
        entry = {"email": person.email, "password": PASSWORD}
        answer = page.request.post(f"{self.server.url}/api/auth/sessions", data=entry)
        assert answer.ok, answer.text()


@contextmanager
def staged(folder: Path) -> Iterator[Stage]:
    """A server with a year of Ada's usage, a newcomer who has none, and others on the board."""
    with serving(folder) as server:
        ada = server.sign_up("Ada Byron", "ada@example.org")
        server.set_clock(SYNCED)
        laptop, tower = ada.link("laptop"), ada.link("tower")
        for at, rows in enumerate(batches(year_of_use())):
            answer = (laptop if at % 3 else tower).send(*rows)
            assert answer.status == 200, answer.text
        for place, name in enumerate(OTHERS):
            join(server, name, 400_000_000 // (place + 1))
        server.set_clock(NOW)
        yield Stage(server, ada, server.sign_up(email="newcomer@example.org"))


def year_of_use() -> Iterator[dict[str, Any]]:
    """Rows of working days, more and more of them, until the last sync."""
    lots = random.Random(5)
    last = datetime.fromisoformat(SYNCED)
    for age in range(400, -1, -1):
        day = last.replace(hour=0, minute=0) - timedelta(days=age)
        if day.weekday() > 4 and lots.random() < 0.7:
            continue
        for half_hour in sorted(lots.sample(range(13, 38), lots.randint(3, 8))):
            at = day + timedelta(minutes=30 * half_hour)
            if at <= last:
                yield half_hour_of_use(at, size=500 - age, lots=lots)


def half_hour_of_use(at: datetime, *, size: int, lots: random.Random) -> dict[str, Any]:
    source, model = lots.choice(PARTS)
    output = lots.randint(30, 90) * size // 8
    read = output * lots.randint(20, 60)
    return row(
        at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        source=source,
        model=model,
        input=read,
        cached_input=read * lots.randint(70, 90) // 100,
        output=output,
        reasoning_output=output // 3,
    )


def batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Of as many rows as the server takes at once."""
    every = list(rows)
    yield from (every[at : at + 500] for at in range(0, len(every), 500))


def join(server: Server, name: str | None, tokens: int) -> None:
    """Somebody else uses tokens, and is on the board by name if they have one."""
    person = server.sign_up(name)
    person.link().send(row(input=tokens))
    if name:
        assert person.post("leaderboard-settings", leaderboard_public=True).status == 200


Act = Callable[[Stage, Page], None]


def nothing(_: Stage, __: Page) -> None:
    """The page shows it by itself."""


class Scene(NamedTuple):
    """A page in a state: ``act`` brings it about, ``sees`` fails where it is not to be seen."""

    name: str
    path: str
    sees: Act
    act: Act = nothing
    who: str = "ada"
    provokes: str = ""
    """What the browser has to say about it."""

    def play(self, stage: Stage, page: Page) -> None:
        """Bring it about, on a page that has not been anywhere."""
        stage.enter(page, self.who)
        page.goto(stage.server.url + self.path)
        self.act(stage, page)
        self.sees(stage, page)

    def resize(self, stage: Stage, page: Page, size: tuple[int, int]) -> None:
        """See it on another screen."""
        width, height = size
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate(LAID_OUT)
        self.sees(stage, page)

    def forgive(self, complaints: list[str]) -> None:
        """Take away what this scene provokes, which has to be there."""
        kept = [each for each in complaints if not self.provokes or self.provokes not in each]
        assert bool(self.provokes) == (len(kept) < len(complaints)), complaints
        complaints[:] = kept


def shows(*words: str) -> Act:
    """All of these are to be read."""

    def act(_: Stage, page: Page) -> None:
        for each in words:
            expect(page.get_by_text(each).filter(visible=True).first).to_be_visible()

    return act


def figures(source: str) -> Act:
    """The panels of the dashboard have figures, which come from there."""

    def act(_: Stage, page: Page) -> None:
        for box in ("Core index", "Trend", "Activity", "Details"):
            its = page.get_by_role("region", name=box, exact=True)
            expect(its.get_by_text(f"DATA_SOURCE: {source}")).to_be_visible()
        curve = page.get_by_role("application", name="Tokens over time")
        expect(curve.locator("canvas")).to_be_visible()

    return act


def after(*acts: Act) -> Act:
    """One after the other."""

    def act(stage: Stage, page: Page) -> None:
        for each in acts:
            each(stage, page)

    return act


def press(name: str) -> Act:
    """A button, by its name or the beginning of it."""
    return lambda _, page: page.get_by_role("button", name=re.compile(f"^{name}")).click()


def key(name: str) -> Act:
    return lambda _, page: page.keyboard.press(name)


def fill(label: str, text: str) -> Act:
    return lambda _, page: page.get_by_label(label, exact=True).fill(text)


def read(chart: str, keys: str, words: str) -> Act:
    """Values of a chart, by keys that lead from its end to them."""

    def act(stage: Stage, page: Page) -> None:
        picture = page.get_by_role("application", name=chart)
        picture.blur()
        picture.focus()
        for each in keys.split():
            page.keyboard.press(each)
        shows(words)(stage, page)

    return act


def go_offline(_: Stage, page: Page) -> None:
    page.context.set_offline(True)


def go_down(stage: Stage, page: Page) -> None:
    """Two probes in a row fail."""
    go_offline(stage, page)
    for _ in range(2):
        with page.expect_event("requestfailed", lambda its: its.url.endswith("/healthz")):
            page.clock.fast_forward("05:01")


def leave_elsewhere(_: Stage, page: Page) -> None:
    """In another tab, they have signed out."""
    page.context.clear_cookies()


def ask_slowly(_: Stage, page: Page) -> None:
    """Go to the dashboard, through a network that takes an hour."""
    devtools = page.context.new_cdp_session(page)
    slow = {
        "offline": False,
        "latency": 3_600_000,
        "downloadThroughput": -1,
        "uploadThroughput": -1,
    }
    devtools.send("Network.emulateNetworkConditions", slow)
    page.get_by_role("link", name="Dashboard").click()


def waiting(_: Stage, page: Page) -> None:
    """All panels of the dashboard wait for figures."""
    expect(page.get_by_role("region", name="Core index")).to_contain_text("DATA_SOURCE: …")
    expect(page.locator("[aria-busy=true]")).to_have_count(7)


def enter_code(stage: Stage, page: Page) -> None:
    """That of a computer which waits."""
    code = authorize(stage.server)["user_code"]
    after(fill(CODE, code), press("Continue"), shows("build-box"))(stage, page)


def signed_out(name: str, path: str, sees: Act, act: Act = nothing, provokes: str = "") -> Scene:
    return Scene(name, path, sees, act, "nobody", provokes)


EDGE = figures("EDGE")
CODE = "Code that the computer shows"
NO_ANSWER = "The server does not answer"

SCENES = (
    signed_out("landing", "/", shows("Every token counted")),
    signed_out(
        "landing-down",
        "/",
        shows(f"{NO_ANSWER} right now"),
        after(shows("Every token counted"), go_down),
        OFFLINE,
    ),
    signed_out("sign-in", "/sign-in", shows("No account yet?")),
    signed_out(
        "sign-in-refused",
        "/sign-in",
        shows("E-mail or password is wrong"),
        after(fill("E-mail", "ada@example.org"), fill("Password", "wrong"), press("Sign in")),
        "status of 401",
    ),
    signed_out("sign-up", "/sign-up", shows("Do you have an account?")),
    Scene("link", "/link", shows(CODE)),
    Scene(
        "link-unknown",
        "/link",
        shows("The code is unknown"),
        after(fill(CODE, "AAAA-AAAA"), press("Continue")),
        provokes="status of 400",
    ),
    Scene("link-question", "/link", shows("build-box", "Shows"), enter_code),
    Scene(
        "link-question-browser",
        f"/link?{urlencode(ASKED)}",
        shows("Waits at", "127.0.0.1:53682/callback"),
    ),
    Scene(
        "link-approved", "/link", shows("Approved. build-box"), after(enter_code, press("Approve"))
    ),
    Scene(
        "link-refused", "/link", shows("Cancelled. build-box"), after(enter_code, press("Cancel"))
    ),
    Scene("day", "/?p=day", after(EDGE, shows("today", "not synced yet"))),
    Scene("week", "/", after(EDGE, shows("this week"))),
    Scene("month", "/?p=month", after(EDGE, shows("this month"))),
    Scene("total", "/?p=total", after(EDGE, shows("24 months", "$"))),
    Scene("trend-read", "/?p=day", read("Tokens over time", "End", "12:00–13:00"), EDGE),
    Scene(
        "activity-read", "/", read("Tokens by day", "ArrowUp ArrowLeft", "Wed 11 Nov 2026"), EDGE
    ),
    Scene(
        "empty",
        "/",
        after(EDGE, shows("No model was used", "No computer sends anything yet")),
        who="newcomer",
    ),
    Scene(
        "empty-total",
        "/?p=total",
        after(EDGE, shows("$0.00", "Nothing was used yet")),
        who="newcomer",
    ),
    Scene("loading", "/settings", waiting, after(shows("Show my name"), ask_slowly)),
    Scene(
        "error",
        "/",
        shows(f"{NO_ANSWER}, and nothing is known"),
        after(EDGE, go_offline, key("m")),
        provokes=OFFLINE,
    ),
    Scene(
        "cached",
        "/",
        after(figures("CACHE"), shows("cached, last updated 12:00")),
        after(EDGE, go_offline, key("r")),
        provokes=OFFLINE,
    ),
    Scene(
        "down",
        "/",
        after(figures("CACHE"), shows("Server does not answer")),
        after(EDGE, go_down, key("r")),
        provokes=OFFLINE,
    ),
    signed_out("mock", "/?mock=1&p=total", after(figures("MOCK"), shows("Robin Vale"))),
    Scene(
        "cost",
        "/?p=total",
        shows("Cost by model", "public list prices"),
        after(EDGE, press("cost")),
    ),
    Scene("help", "/", shows("read the values of a chart"), after(EDGE, key("?"))),
    Scene("leaderboard", "/leaderboard", shows("Yuki", "(you)")),
    Scene("devices", "/devices", shows("laptop", "tower", "Rename")),
    Scene("devices-rename", "/devices", shows("Save", "tower"), press("Rename laptop")),
    Scene("devices-revoke", "/devices", shows("What it sent stays"), press("Revoke laptop")),
    Scene("devices-code", "/devices", shows("Good for one use"), press("Make a code")),
    Scene("devices-empty", "/devices", shows("No computer is linked yet"), who="newcomer"),
    Scene("settings", "/settings", shows("Show my name on the leaderboard")),
    Scene("settings-delete", "/settings", shows("There is no way back"), press("Delete account")),
    Scene("ended", "/", shows("Your session has ended"), after(EDGE, leave_elsewhere, key("r"))),
)

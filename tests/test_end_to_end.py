"""From the log of a tool to the figures of its user on the server, with nothing made up but the
tool: `vibescore init`, the user's browser, the entry in the tool's settings, a turn, the server.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

import pytest
from clusters import RUNNING, NoPostgresql, answers, temporary_cluster
from fleet import Fleet
from opening import Waiting
from pages import Pages
from playwright.sync_api import Page, expect
from rollouts import Chat, Counters, EveryCode, Rollout, Truth, Usage, append, truth_of, write
from screen import PERIODS, Screen
from serving import NOW, Person, Server, postgresql_database, serving
from stored import Stored, Tokens
from support import Computer
from tools import Family

from vibescore.client import Client
from vibescore.link import Link, load_link, save_link
from vibescore.model import iso_utc

TURN = Path(__file__).with_name("turn.py")
NOTHING_NEW = "Nothing new in 1 log files: 0 inserted, nothing to upload.\n"


class Tool(Protocol):
    """A tool in use: what it wrote, and its turns."""

    @property
    def usages(self) -> list[Usage]: ...

    def turn(self, family: Family, environment: Mapping[str, str]) -> None:
        """Use tokens, log them, and call what the settings name: all in a process of its own."""


class Codex:
    """Codex, and Every Code, which calls the same way."""

    def __init__(self, home: Path, rollout: Rollout, setting: str) -> None:
        self.rollout = rollout
        self.config = write(home / rollout.tree / "config.toml", setting.encode())
        self.log = rollout.meta().model("gpt-5.2-codex").turns(2).save(home)

    @property
    def usages(self) -> list[Usage]:
        return self.rollout.usages

    def turn(self, family: Family, environment: Mapping[str, str]) -> None:
        written = self.rollout.turns(1).unsaved().decode()
        turn(family, environment, "codex", self.config, self.log, written)


class Gemini:
    """Gemini CLI, which calls hooks."""

    def __init__(self, home: Path) -> None:
        self.chat = Chat(1).write("q1").answer("a1", 900, 100, 50, 20, 5)
        self.config = write(home / ".gemini/settings.json", b'{\n  "theme": "Dracula"\n}\n')
        self.log = write(self.chat.path(home, ending=".json"), self.chat.document())

    @property
    def usages(self) -> list[Usage]:
        return self.chat.usages

    def turn(self, family: Family, environment: Mapping[str, str]) -> None:
        written = self.chat.answer("a2", 1200, 800, 70, 0, 0).document().decode()
        turn(family, environment, "gemini", self.config, self.log, written)


def turn(family: Family, environment: Mapping[str, str], *words: str | Path) -> None:
    assert family.run(sys.executable, TURN, *words, environment=environment) == (0, "", "")


TOOLS: dict[str, Callable[[Path], Tool]] = {
    "codex": lambda home: Codex(home, Rollout(1), 'model = "gpt-5.2-codex"\n'),
    "every-code": lambda home: Codex(home, EveryCode(1), "# mine\n[tui]\ntheme = 1\n"),
    "gemini": Gemini,
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server on either database."""
    with ExitStack() as stack:
        url = ""
        if request.param == "postgresql":
            cluster = RUNNING if answers(RUNNING) else _temporary(stack)
            url = stack.enter_context(postgresql_database(cluster))
        yield stack.enter_context(serving(tmp_path_factory.mktemp("server"), url))


def _temporary(stack: ExitStack) -> str:
    try:
        return stack.enter_context(temporary_cluster()).url
    except NoPostgresql as reason:
        pytest.skip(f"no PostgreSQL: {reason}")


@contextmanager
def init(computer: Computer, server: Server, *options: str) -> Iterator[Waiting]:
    """`vibescore init`, which goes on once the user said yes, and has to succeed."""
    words = ("init", "--yes", "--runtime=this", "--server", server.url, *options)
    with Waiting.on(computer, *words) as waiting:
        yield waiting
        ran = waiting.end()
    assert (ran.code, ran.errors) == (0, ""), ran


def rows_at(server: Server, computer: Computer) -> Truth:
    """What the server has of the computer's device."""
    link = load_link(computer.own, {}, server=None)
    assert link
    with Client.open(server.url, link.token) as client:
        rows = client.device_rows()
    found = {(its.source, its.model, iso_utc(its.start)): rows[its].counters for its in rows}
    return dict(sorted(found.items()))  # type: ignore[arg-type]


def total_of(person: Person) -> int:
    """The tokens that a user sees on the dashboard."""
    days = {"from": "2026-01-01", "to": "2026-11-18"}
    return int(person.get("usage-summary", **days).json["totals"]["total_tokens"])


def total(truth: Truth) -> int:
    return sum(each.total_tokens for each in truth.values())


@pytest.mark.requirement("CLI-03", "SRV-05", "NTF-01", "NTF-06", "NTF-08", "QUE-03", "COL-10")
@pytest.mark.parametrize("source", TOOLS)
def test_a_turn_in_a_tool_ends_as_figures_on_the_server(
    source: str, server: Server, computer: Computer, page: Page
) -> None:
    email = f"{source}@example.org"
    tool = TOOLS[source](computer.home)
    with init(computer, server) as waiting:
        page.goto(waiting.opened())
        Pages(page).sign_up(email)
        Pages(page).approve()
    expect(page.get_by_text("Go back to the terminal")).to_be_visible()
    before = truth_of(tool)
    assert rows_at(server, computer) == before

    family = Family()
    tool.turn(family, computer.environment)
    family.wait()
    after = truth_of(tool)
    assert after != before
    assert rows_at(server, computer) == after == computer.export()
    assert total_of(server.user(email)) == total(after)


@pytest.mark.requirement("CLI-03", "SRV-03", "SRV-05", "SRV-17", "COL-10")
def test_whoever_signs_in_on_a_second_computer_has_the_figures_of_both(
    server: Server, tmp_path: Path, new_page: Callable[..., Page]
) -> None:
    email = "two@example.org"
    laptop, tower = Computer(tmp_path / "laptop"), Computer(tmp_path / "tower")
    on_laptop, on_tower = Codex(laptop.home, Rollout(1), ""), Gemini(tower.home)
    with init(laptop, server, "--device-name=laptop") as waiting:
        pages = Pages(new_page())
        pages.page.goto(waiting.opened())
        pages.sign_up(email)
        pages.approve()
    with init(tower, server, "--device-name=tower") as waiting:
        pages = Pages(new_page())
        pages.page.goto(waiting.opened())
        pages.sign_in(email)
        pages.approve()

    person = server.user(email)
    devices = person.get("devices").json["devices"]
    assert sorted(each["device_name"] for each in devices) == ["laptop", "tower"]
    assert rows_at(server, laptop) == truth_of(on_laptop)
    assert rows_at(server, tower) == truth_of(on_tower)
    assert total_of(person) == total(truth_of(on_laptop, on_tower))


@pytest.mark.requirement("CLI-03", "SRV-05", "COL-10")
def test_a_computer_without_a_browser_is_approved_in_one_elsewhere(
    server: Server, computer: Computer, page: Page
) -> None:
    email = "elsewhere@example.org"
    tool = Codex(computer.home, Rollout(1), "")
    with init(computer, server, "--no-browser") as waiting:
        address, code = waiting.told(r"^Open (\S+) in any browser and type +(\S+)$").groups()
        page.goto(address)
        Pages(page).sign_up(email)
        Pages(page).enter_code(code)
        Pages(page).approve()
        Pages(page).expect_linked()

    assert rows_at(server, computer) == truth_of(tool)
    assert total_of(server.user(email)) == total(truth_of(tool))


def linked(owner: Person, home: Path) -> Computer:
    """One more computer of a user."""
    computer, device = Computer(home), owner.link()
    computer.own.mkdir(parents=True)
    save_link(computer.own, Link(owner.server.url, device.id, device.token))
    return computer


@pytest.mark.requirement("SRV-03", "QUE-02", "QUE-03", "COL-08", "COL-10")
def test_ten_computers_of_one_user_and_ten_of_others_sync_at_once_and_each_row_arrives(
    server: Server, tmp_path: Path
) -> None:
    users = [server.sign_up() for _ in range(11)]
    owners = [users[0]] * 9 + users
    computers = [linked(owner, tmp_path / str(at)) for at, owner in enumerate(owners)]
    rollouts = [Rollout(number).meta().model("gpt-5.2-codex") for number in range(len(owners))]
    logs = [its.save(computer.home) for its, computer in zip(rollouts, computers, strict=True)]

    with Fleet.ready() as fleet:
        for later in ("10:05", "11:40"):
            for rollout, log in zip(rollouts, logs, strict=True):
                append(log, rollout.turns(2).turns(1, at=later).unsaved())
            ended = fleet.run([computer.environment for computer in computers], "sync")
            assert {(ran.code, ran.errors) for ran in ended} == {(0, "")}
        again = fleet.run([computer.environment for computer in computers], "sync")

    assert {ran.output for ran in again} == {NOTHING_NEW}
    for computer, rollout in zip(computers, rollouts, strict=True):
        assert rows_at(server, computer) == truth_of(rollout) == computer.export()
        assert computer.pending() == {}
    for user in users:
        used = [its for its, owner in zip(rollouts, owners, strict=True) if owner is user]
        tokens = sum(each.total_tokens for each in truth_of(*used).values())
        assert total_of(user) == tokens


@pytest.mark.requirement("DSH-05", "DSH-09", "DSH-14", "DSH-19", "COL-10")
def test_the_dashboard_shows_what_the_database_holds_and_the_logs_say(
    server: Server, computer: Computer, new_page: Callable[..., Page]
) -> None:
    zone, email = "America/New_York", "figures@example.org"
    codex = Rollout(1, "2026-11-18T09:14:00").meta().model("gpt-5.2-codex").turns(5)
    log = codex.save(computer.home)
    chat = Chat(1, "2026-11-18T10:40:00").write("q1").answer("a1", 900, 100, 50, 20, 5)
    write(chat.path(computer.home, ending=".json"), chat.document())
    page = new_page(timezone_id=zone)
    page.clock.set_fixed_time(NOW)
    with init(computer, server) as waiting:
        page.goto(waiting.opened())
        Pages(page).sign_up(email)
        Pages(page).approve()
    page.goto(f"{server.url}/?p=day")
    screen = Screen(page)
    screen.settle()
    shows(screen, "day", Stored.of(server.user(email), zone), truth_of(codex, chat))

    before = screen.total
    codex.turns(3).append_to(log)
    assert computer.program("sync").code == 0
    with screen.refreshed():
        page.keyboard.press("r")
    assert screen.total != before
    for period in PERIODS:
        screen.show(period)
        shows(screen, period, Stored.of(server.user(email), zone), truth_of(codex, chat))


def shows(screen: Screen, period: str, stored: Stored, truth: Truth) -> None:
    """What the logs of one day say is what the database holds, and is on the page: in the sum, the
    rows of the details, and the models.
    """
    assert {
        (its.source, its.model, iso_utc(int(its.at.timestamp()))): its.tokens
        for its in stored.entries
    } == {key: totals(counters) for key, counters in truth.items()}
    assert screen.total == f"{stored.sum.total:,}"
    by_hour = [hour.tokens or Tokens() for hour in reversed(stored.hours(NOW, NOW))]
    steps = by_hour if period == "day" else [stored.sum]
    rows = [cells[1:] for cells in screen.all_rows()]
    assert [cells for cells in rows if cells[0] != "0"] == [its.cells for its in steps if its.total]
    for (source, model), tokens in stored.by(lambda its: (its.source, its.model)).items():
        share = screen.panel("Models").get_by_role("listitem").filter(has_text=f"{model} {source}")
        expect(share.get_by_title(f"{tokens.total:,}", exact=True)).to_be_visible()


def totals(counters: Counters) -> Tokens:
    *parts, total = counters
    return Tokens(total, *parts)

"""From the log of a tool to the figures of its user on the server, with nothing made up but the
tool: `vibescore init`, the user's browser, the entry in the tool's settings, a turn, the server.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest
from approving import PASSWORD, browser
from clusters import RUNNING, NoPostgresql, answers, temporary_cluster
from rollouts import Chat, EveryCode, Rollout, Truth, Usage, append, replace, truth_of, write
from serving import Server, postgresql_database, serving
from support import Computer
from tools import Family

from vibescore.client import Client
from vibescore.link import load_link
from vibescore.model import iso_utc


class Tool(Protocol):
    """A tool in use: what it wrote, and its turns."""

    @property
    def usages(self) -> list[Usage]: ...

    def turn(self, family: Family, environment: Mapping[str, str]) -> None:
        """Use tokens, log them, and call what the settings name, as the tool does."""


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
        append(self.log, self.rollout.turns(1).unsaved())
        payload = {"type": "agent-turn-complete", "last-assistant-message": "Done."}
        notify = tomllib.loads(self.config.read_text("utf-8"))["notify"]
        called = family.run(*notify, json.dumps(payload), environment=environment)
        assert called == (0, "", "")


class Gemini:
    """Gemini CLI: a shell runs the hook, which gets JSON as its input."""

    def __init__(self, home: Path) -> None:
        self.chat = Chat(1).write("q1").answer("a1", 900, 100, 50, 20, 5)
        self.config = write(home / ".gemini/settings.json", b'{\n  "theme": "Dracula"\n}\n')
        self.log = write(self.chat.path(home, ending=".json"), self.chat.document())

    @property
    def usages(self) -> list[Usage]:
        return self.chat.usages

    def turn(self, family: Family, environment: Mapping[str, str]) -> None:
        self.chat.answer("a2", 1200, 800, 70, 0, 0)
        replace(self.log, self.chat.document())
        settings = json.loads(self.config.read_text("utf-8"))
        assert settings["theme"] == "Dracula"
        (definition,) = settings["hooks"]["AfterAgent"]
        (hook,) = definition["hooks"]
        called = family.run("sh", "-c", hook["command"], environment=environment)
        assert called == (0, "", "")


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


def rows_at(server: Server, computer: Computer) -> Truth:
    """What the server has of the computer's device."""
    link = load_link(computer.own, {}, server=None)
    assert link
    with Client.open(server.url, link.token) as client:
        rows = client.device_rows()
    found = {(its.source, its.model, iso_utc(its.start)): rows[its].counters for its in rows}
    return dict(sorted(found.items()))  # type: ignore[arg-type]


def total_of(server: Server, email: str) -> int:
    """The tokens that a user sees on the dashboard."""
    account = {"email": email, "password": PASSWORD}
    token = server.post("/api/auth/sessions", json=account).json["accessToken"]
    days = {"from": "2026-01-01", "to": "2026-11-18"}
    totals: dict[str, Any] = server.get("usage-summary", token=token, params=days).json["totals"]
    return int(totals["total_tokens"])


@pytest.mark.requirement("CLI-03", "SRV-05", "NTF-01", "NTF-06", "NTF-08", "QUE-03", "COL-10")
@pytest.mark.parametrize("source", TOOLS)
def test_a_turn_in_a_tool_ends_as_figures_on_the_server(
    source: str, server: Server, computer: Computer
) -> None:
    email = f"{source}@example.org"
    tool = TOOLS[source](computer.home)
    ran = computer.program(
        "init", "--yes", "--runtime=this", "--server", server.url, BROWSER=browser("approve", email)
    )
    assert ran.code == 0, ran
    assert rows_at(server, computer) == truth_of(tool)

    before = truth_of(tool)
    family = Family()
    tool.turn(family, computer.environment)
    family.wait()
    after = truth_of(tool)
    assert after != before
    assert rows_at(server, computer) == after == computer.export()
    assert total_of(server, email) == sum(each.total_tokens for each in after.values())

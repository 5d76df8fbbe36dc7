"""`vibescore uninstall` and `unlink`: everything as it was before, and nothing that still runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from backend import TOKEN, says
from linked import Desk, desk_at
from rollouts import Rollout, write
from support import Computer, Ran
from tools import Tools

from vibescore.link import FILE, VARIABLE
from vibescore.retry import cancel, scheduled

TEXTS = {
    "codex": '# mine\r\nnotify = [ "say",\r\n  "done" ] # loud\r\n[tui]\r\ntheme = 1',
    "every-code": "",
    "gemini": '{"theme": "Dracula", "hooks": {"AfterAgent": []}}',
}


@pytest.fixture
def desk(computer: Computer) -> Iterator[Desk]:
    """A linked computer with a log of Codex; whoever waits for a retry ends with the test."""
    Rollout(1).meta().model("gpt-5.1").turns(3).save(computer.home)
    with desk_at(computer) as desk:
        desk.save_link()
        yield desk
        cancel(computer.own)


@pytest.fixture
def tools(desk: Desk) -> Tools:
    """The same computer with three tools that call vibescore."""
    tools = Tools(desk.computer)
    for source, text in TEXTS.items():
        tools.config(source, text)
    ran = desk.computer.program("init", "--yes", "--runtime=this", "--server", desk.backend.url)
    assert (ran.code, ran.errors) == (0, ""), ran
    assert all(tools.config(source).read_bytes() != text.encode() for source, text in TEXTS.items())
    return tools


def uninstall(tools: Tools, *options: str) -> Ran:
    return tools.computer.program("uninstall", "--yes", *options)


def restored(tools: Tools) -> bool:
    return all(tools.config(source).read_bytes() == text.encode() for source, text in TEXTS.items())


@pytest.mark.requirement("NTF-03", "CLI-01")
def test_every_tool_gets_back_what_it_had_byte_for_byte(tools: Tools) -> None:
    ran = uninstall(tools)
    assert (ran.code, ran.errors) == (0, "")
    for name in ("~/.codex/config.toml", "~/.code/config.toml", "~/.gemini/settings.json"):
        assert name in ran.output
    assert restored(tools)
    assert not tools.entries.handler.exists()
    assert tools.computer.database.exists()
    assert (tools.computer.own / FILE).exists()
    again = uninstall(tools)
    assert again.code == 0
    assert "No tool calls us." in again.output


@pytest.mark.requirement("NTF-03")
def test_settings_that_were_made_by_init_go(desk: Desk) -> None:
    tools = Tools(desk.computer)
    made = [tools.config("codex"), tools.config("gemini")]
    words = ("--yes", "--runtime=this", "--server", desk.backend.url)
    assert desk.computer.program("init", *words).code == 0
    assert all(config.exists() for config in made)
    assert desk.computer.program("uninstall", "--yes").code == 0
    assert not any(config.exists() for config in made)


@pytest.mark.requirement("NTF-03", "CLI-03")
def test_where_nobody_can_be_asked_nothing_is_taken_out(tools: Tools) -> None:
    ran = tools.computer.program("uninstall", "--purge")
    assert ran.code == 2
    assert "--yes" in ran.errors
    assert "will be REMOVED" in ran.output
    assert tools.state("codex").value == "installed"


@pytest.mark.requirement("NTF-03", "QUE-04")
@pytest.mark.skipif(sys.platform == "win32", reason="nobody waits there")
def test_the_scheduled_retry_ends(tools: Tools, desk: Desk) -> None:
    Rollout(2, "2026-08-11T10:00:00").meta().model("gpt-5.1").turns(1).save(desk.computer.home)
    desk.backend.does(says(429, retry_after="3600"))
    desk.computer.program("sync")
    assert scheduled(desk.computer.own) is not None
    assert uninstall(tools).code == 0
    assert scheduled(desk.computer.own) is None


@pytest.mark.requirement("NTF-03")
def test_purge_removes_all_of_ours_and_nothing_else(tools: Tools) -> None:
    own = tools.computer.own
    write(own / "config.toml", b"debug = false\n")
    stranger = write(own / "notes.txt", b"mine")
    ran = uninstall(tools, "--purge")
    assert ran.code == 0
    assert restored(tools)
    assert list(own.iterdir()) == [stranger]
    stranger.unlink()
    assert "is gone" in uninstall(tools, "--purge").output
    assert not own.exists()
    assert (tools.computer.home / ".codex/sessions").exists()


@pytest.mark.requirement("NTF-03")
def test_a_file_that_cannot_be_restored_keeps_everything_until_it_is_mended(tools: Tools) -> None:
    config = tools.config("codex")
    whole = config.read_bytes()
    config.write_text("notify = [\n")
    ran = uninstall(tools, "--purge")
    assert ran.code == 1
    assert "config.toml" in ran.errors
    assert tools.computer.database.exists()
    config.write_bytes(whole)
    assert uninstall(tools, "--purge").code == 0
    assert restored(tools)


@pytest.mark.requirement("CLI-01", "QUE-08")
def test_unlink_forgets_the_token_and_says_who_can_revoke_it(desk: Desk) -> None:
    path = desk.computer.own / FILE
    assert TOKEN in path.read_text()
    ran = desk.computer.program("unlink")
    assert (ran.code, ran.errors) == (0, "")
    assert desk.backend.url in ran.output
    assert "Revoke it there" in ran.output
    assert not path.exists()
    kept = [each for each in desk.computer.own.rglob("*") if each.is_file()]
    assert not any(TOKEN.encode() in each.read_bytes() for each in kept)
    assert "not linked" in desk.computer.program("unlink").output
    assert VARIABLE in desk.computer.program("unlink", **{VARIABLE: TOKEN}).errors
    write(path, b"{")
    assert "could not be used" in desk.computer.program("unlink").output
    assert not path.exists()

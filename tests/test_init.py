"""`vibescore init`: says what it does, asks, links, tells the tools, and syncs; again and again."""

from __future__ import annotations

import json
import os
import pty
import stat
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from opening import Waiting
from pages import Pages
from playwright.sync_api import Page, expect
from rollouts import Rollout, truth_of, write
from serving import Person, Server, serving
from support import PROGRAM, Computer, Ran
from tools import Tools

from vibescore.link import FILE, VARIABLE, load_link
from vibescore.machine import device_key, machine_key

CONFIG = '# mine\nmodel = "gpt-5.2-codex"\n'
SNAPSHOT = ".vibescore/plugins.snapshot.json"
SETTINGS = '{\n  "theme": "Dracula"\n}\n'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def ada(server: Server) -> Person:
    server.set_clock("2026-11-18T12:00:00Z")
    return server.sign_up()


@pytest.fixture
def tools(computer: Computer) -> Tools:
    """The three tools, each with settings, and a log of Codex."""
    tools = Tools(computer)
    tools.config("codex", CONFIG)
    tools.config("every-code", "")
    tools.config("gemini", SETTINGS)
    rollout().save(computer.home)
    return tools


def rollout() -> Rollout:
    return Rollout(1).meta().model("gpt-5.1").turns(3)


def init(computer: Computer, server: Server, *options: str, **variables: str) -> Ran:
    return computer.program(*arguments(server, *options), **variables)


def arguments(server: Server, *options: str) -> list[str]:
    return ["init", "--yes", "--runtime=this", "--server", server.url, *options]


def link(computer: Computer, ada: Person, *options: str) -> Ran:
    """Link by a code, which has to succeed."""
    ran = init(computer, ada.server, "--link-code", link_code(ada), *options)
    assert ran.code == 0, ran
    return ran


def link_code(person: Person) -> str:
    code: str = person.post("link-code-init").json["link_code"]
    return code


def devices(person: Person) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = person.get("devices").json["devices"]
    return listed


def files(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file below a folder, with its bytes and when it was last changed."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def unchanged(computer: Computer, before: dict[str, tuple[bytes, int]]) -> bool:
    """Whether that is all there is below the home, but for what remembers the plugins."""
    after = files(computer.home)
    return {name for name in after if after[name] != before.get(name)} <= {SNAPSHOT}


def on_a_terminal(computer: Computer, typed: bytes, *arguments: str) -> tuple[int, str]:
    """The program on a terminal on which somebody types: exit code and screen."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [PROGRAM, *arguments],
        env=computer.environment | {"TERM": "dumb", "COLUMNS": "200"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as program:
        os.close(theirs)
        os.write(ours, typed)
        screen = b""
        with suppress(OSError):  # how a terminal says that nobody writes any more
            while piece := os.read(ours, 1 << 16):
                screen += piece
        os.close(ours)
    return program.returncode, screen.decode().replace("\r\n", "\n")


@pytest.mark.requirement("CLI-03", "NTF-08")
def test_a_dry_run_shows_every_file_that_init_then_touches(tools: Tools, ada: Person) -> None:
    computer = tools.computer
    before = files(computer.home)
    code = link_code(ada)
    shown = init(computer, ada.server, "--link-code", code, "--dry-run")
    assert (shown.code, shown.errors) == (0, "")
    assert files(computer.home) == before
    assert devices(ada) == []
    listed = {line.strip() for line in shown.output.splitlines() if line.startswith("  ~")}

    assert init(computer, ada.server, "--link-code", code).code == 0
    after = files(computer.home)
    touched = {f"~/{name}" for name in after if after[name] != before.get(name)}
    collected = {
        f"~/.vibescore/{name}" for name in ("plugins.snapshot.json", "sync.lock", "vibescore.db")
    }
    assert listed == touched - collected
    assert listed >= {"~/.codex/config.toml", "~/.code/config.toml", "~/.gemini/settings.json"}


@pytest.mark.requirement("CLI-03")
@pytest.mark.parametrize("answer", [b"n\n", b"\n", b"\x04"])
def test_whoever_declines_finds_nothing_changed(answer: bytes, tools: Tools, ada: Person) -> None:
    computer = tools.computer
    before = files(computer.home)
    words = ("init", "--server", ada.server.url, "--link-code", link_code(ada))
    code, screen = on_a_terminal(computer, answer, *words)
    assert code in (1, 130)
    assert "~/.codex/config.toml" in screen
    assert screen.index("~/.codex/config.toml") < screen.index("Go on?")
    assert files(computer.home) == before
    assert devices(ada) == []


@pytest.mark.requirement("CLI-03")
def test_whoever_agrees_is_linked_and_synced(tools: Tools, ada: Person, computer: Computer) -> None:
    computer = tools.computer
    words = ("--runtime=this", "--server", ada.server.url, "--link-code", link_code(ada))
    code, screen = on_a_terminal(computer, b"y\n", "init", *words)
    assert code == 0, screen
    assert "Uploaded 1 half-hour rows: 1 inserted" in screen
    assert computer.pending() == {}
    assert computer.export() == truth_of(rollout())


@pytest.mark.requirement("CLI-03")
def test_where_nobody_can_be_asked_it_says_how_to_go_on(tools: Tools, ada: Person) -> None:
    before = files(tools.computer.home)
    ran = tools.computer.program("init", "--server", ada.server.url)
    assert ran.code == 2
    assert "--yes" in ran.errors
    assert "--dry-run" in ran.errors
    assert "~/.codex/config.toml" in ran.output
    assert unchanged(tools.computer, before)


@pytest.mark.requirement("CLI-03", "QUE-08", "SRV-05")
def test_the_browser_links_this_computer_as_a_device_of_its_user(
    server: Server, computer: Computer, page: Page
) -> None:
    email = "browser@example.org"
    with Waiting.on(computer, *arguments(server, "--device-name", "Ada's tower")) as waiting:
        address = waiting.opened()
        page.goto(address)
        Pages(page).sign_up(email)
        expect(page.get_by_text("Ada's tower", exact=True)).to_be_visible()
        Pages(page).approve()
        ran = waiting.end()
    assert (ran.code, ran.errors) == (0, ""), ran
    assert address.startswith(f"{server.url}/link?")
    assert address in ran.output
    expect(page.get_by_role("heading", name="Approved", exact=True)).to_be_visible()
    path = computer.own / FILE
    kept = json.loads(path.read_text())
    assert kept.keys() == {"server", "device_id", "token"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert kept["token"] not in ran.output
    (device,) = devices(server.user(email))
    assert device["device_id"] == kept["device_id"]
    assert device["device_name"] == "Ada's tower"
    assert device["platform"] == "linux"


@pytest.mark.requirement("SRV-05")
def test_whoever_cancels_in_the_browser_links_nothing(
    tools: Tools, server: Server, page: Page
) -> None:
    before = files(tools.computer.home)
    with Waiting.on(tools.computer, *arguments(server)) as waiting:
        page.goto(waiting.opened())
        Pages(page).sign_up("cancel@example.org")
        Pages(page).deny()
        ran = waiting.end()
    assert ran.code == 1
    assert "it was refused in the browser" in ran.errors
    assert unchanged(tools.computer, before)
    assert devices(server.user("cancel@example.org")) == []
    expect(page.get_by_role("heading", name="Not linked", exact=True)).to_be_visible()


@pytest.mark.requirement("CLI-03")
def test_a_linked_computer_stays_the_device_it_is_and_keeps_every_byte(
    tools: Tools, ada: Person
) -> None:
    computer = tools.computer
    link(computer, ada)
    before = files(computer.home)
    ran = init(computer, ada.server)
    assert (ran.code, ran.errors) == (0, "")
    assert "stays linked" in ran.output
    after = files(computer.home)
    own = {".vibescore/vibescore.db", ".vibescore/sync.lock", SNAPSHOT}
    assert {name for name in after if after[name] != before.get(name)} <= own
    assert len(devices(ada)) == 1


@pytest.mark.requirement("CLI-03", "NTF-01")
def test_once_more_repairs_what_is_missing(tools: Tools, ada: Person) -> None:
    computer = tools.computer
    link(computer, ada)
    whole = files(computer.home)
    tools.config("codex", CONFIG)
    tools.entries.handler.unlink()
    assert init(computer, ada.server).code == 0
    mended = files(computer.home)
    for name in (".codex/config.toml", ".vibescore/bin/vibescore-notify", ".vibescore/link.json"):
        assert mended[name][0] == whole[name][0]


@pytest.mark.requirement("SRV-04", "CLI-03")
def test_a_revoked_computer_links_again_as_the_same_device(tools: Tools, ada: Person) -> None:
    computer = tools.computer
    link(computer, ada)
    (device,) = devices(ada)
    ada.post("device-revoke", device_id=device["device_id"])
    assert "critical  token" in computer.program("doctor").output
    ran = init(computer, ada.server, "--link-code", link_code(ada))
    assert ran.code == 0, ran
    assert [each["device_id"] for each in devices(ada)] == [device["device_id"]]


@pytest.mark.requirement("QUE-11", "CLI-03")
def test_after_the_home_was_lost_nothing_is_counted_under_two_devices_or_lost(
    tools: Tools, ada: Person
) -> None:
    computer = tools.computer
    Rollout(2, "2026-08-09T10:00:00").meta().model("gpt-5.1").turns(5).save(computer.home)
    link(computer, ada)
    before = rows_of(computer)
    for path in (computer.home / ".codex").rglob("rollout-2026-08-09*.jsonl"):
        path.unlink()
    for path in sorted(computer.own.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    link(computer, ada)
    assert len(devices(ada)) == 1
    assert rows_of(computer) == before
    assert len(before) == 2


def rows_of(computer: Computer) -> dict[str, int]:
    """By half-hour, the tokens that the server has of the computer."""
    from vibescore.client import Client

    kept = load_link(computer.own, {}, server=None)
    assert kept
    with Client.open(kept.server, kept.token) as client:
        return {str(its.start): tokens.total_tokens for its, tokens in client.device_rows().items()}


@pytest.mark.requirement("SRV-05")
@pytest.mark.parametrize(
    "fate, says",
    [
        ("unknown", "the code is unknown or has expired"),
        ("used", "the code was used before"),
        ("expired", "the code is unknown or has expired"),
    ],
)
def test_a_code_that_links_nothing_is_explained(
    fate: str, says: str, tools: Tools, ada: Person
) -> None:
    before = files(tools.computer.home)
    code = link_code(ada)
    match fate:
        case "unknown":
            code = "AAAA-AAAA-AAAA"
        case "used":
            body = {"link_code": code, "request_id": "1", "device_name": "x", "platform": ""}
            assert ada.server.post("link-code-exchange", json=body).status == 200
        case "expired":
            ada.server.set_clock("2026-11-18T12:10:01Z")
    ran = init(tools.computer, ada.server, "--link-code", code)
    assert ran.code == 1
    assert says in ran.errors
    assert "vibescore init" in ran.errors
    assert unchanged(tools.computer, before)


@pytest.mark.requirement("CLI-03", "QUE-08")
def test_a_token_in_the_environment_links_without_a_dialogue_and_wins(
    tools: Tools, ada: Person
) -> None:
    computer = tools.computer
    link(computer, ada)
    machine = ada.link("image")
    ran = init(computer, ada.server, "--link-code", "unused", **{VARIABLE: machine.token})
    assert ran.code == 0, ran
    path = computer.own / FILE
    assert json.loads(path.read_text()) == {
        "server": ada.server.url,
        "device_id": machine.id,
        "token": machine.token,
    }
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert machine.token not in ran.output
    before = files(computer.own)[FILE]
    assert "stays linked" in init(computer, ada.server, **{VARIABLE: machine.token}).output
    assert files(computer.own)[FILE] == before


@pytest.mark.requirement("CLI-03")
def test_a_token_that_the_server_does_not_know_links_nothing(tools: Tools, ada: Person) -> None:
    before = files(tools.computer.home)
    ran = init(tools.computer, ada.server, **{VARIABLE: "t" * 43})
    assert ran.code == 1
    assert f"does not know the token in {VARIABLE}" in ran.errors
    assert "t" * 43 not in ran.errors
    assert unchanged(tools.computer, before)


@pytest.mark.requirement("CLI-03", "QUE-08")
def test_while_the_server_is_away_a_token_is_kept_for_later(
    computer: Computer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with serving(tmp_path_factory.mktemp("gone")) as gone:
        url = gone.url
    ran = computer.program("init", "--yes", "--no-notify", "--server", url, **{VARIABLE: "t" * 43})
    assert "kept unchecked" in ran.errors
    kept = load_link(computer.own, {}, server=None)
    assert kept is not None
    assert (kept.server, kept.device_id, kept.token) == (url, "", "t" * 43)


@pytest.mark.requirement("CLI-05")
def test_without_any_server_it_names_the_ways_to_one(
    tools: Tools, tmp_path_factory: pytest.TempPathFactory
) -> None:
    before = files(tools.computer.home)
    ran = tools.computer.program("init", "--yes", "--runtime=this", "--server", "vibescore.example")
    assert ran.code == 1
    assert "it looks like https://vibescore.example" in ran.errors
    with serving(tmp_path_factory.mktemp("gone")) as gone:
        url = gone.url
    for way in ("--no-browser", "--link-code=AAAA-AAAA-AAAA"):
        ran = tools.computer.program("init", "--yes", "--runtime=this", "--server", url, way)
        assert ran.code == 1
        assert f"{url} cannot be reached" in ran.errors
    assert unchanged(tools.computer, before)


@pytest.mark.requirement("NTF-01", "CLI-03")
def test_settings_that_cannot_be_used_are_named_and_the_others_are_done(
    tools: Tools, ada: Person
) -> None:
    path = tools.config("codex", "notify = [\n")
    ran = link(tools.computer, ada)
    assert "~" not in path.read_text()
    assert path.read_text() == "notify = [\n"
    assert "codex: " in ran.errors
    assert "left as it is" in ran.errors
    assert "gemini: ~/.gemini/settings.json calls vibescore" in ran.output


@pytest.mark.requirement("CLI-03")
def test_without_notify_the_settings_of_the_tools_stay(tools: Tools, ada: Person) -> None:
    link(tools.computer, ada, "--no-notify")
    assert tools.config("codex").read_text() == CONFIG
    assert tools.config("gemini").read_text() == SETTINGS
    assert not tools.entries.handler.exists()


@pytest.mark.requirement("CLI-03", "NTF-06")
def test_a_tool_without_settings_gets_some_and_one_that_is_not_there_nothing(
    computer: Computer, ada: Person
) -> None:
    for folder in (".codex", ".code"):
        (computer.home / folder).mkdir()
    link(computer, ada)
    made = (computer.home / ".codex/config.toml").read_text()
    assert made.startswith("notify = [")
    assert list((computer.home / ".code").iterdir()) == []
    assert not (computer.home / ".gemini").exists()


@pytest.mark.requirement("SRV-04")
def test_the_device_key_stands_for_computer_and_user_and_tells_neither(tmp_path: Path) -> None:
    one = write(tmp_path / "one", b"0123456789abcdef0123456789abcdef\n")
    other = write(tmp_path / "other", b"fedcba9876543210fedcba9876543210\n")
    empty = write(tmp_path / "empty", b"\n")
    machine = machine_key([tmp_path / "none", one])
    assert machine_key([empty, one]) == machine != machine_key([other])
    assert machine_key([empty]) == machine_key([]) != machine
    keys = {
        device_key(Path("/home/ada"), machine),
        device_key(Path("/home/bob"), machine),
        device_key(Path("/home/ada"), machine_key([other])),
    }
    assert len(keys) == 3
    for key in (machine, *keys):
        assert len(key) == 64
        assert "0123456789abcdef" not in key

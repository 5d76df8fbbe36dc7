"""Where things stand: for people, and as JSON for those who help them."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from rollouts import Rollout, append, truth_of, write
from sites import Site
from support import NOW, Computer
from test_command_line import HEAVY
from tools import Tools
from witness import watch

import vibescore
from vibescore.link import FILE, Link, save_link

TOKEN = "a-token-that-nobody-may-see"
DAMAGED = ["", "{", f'{{"token": "{TOKEN}"}}', f'["{TOKEN}"]', "a folder"]


@pytest.fixture
def tools(computer: Computer) -> Tools:
    return Tools(computer)


def diagnostics(computer: Computer) -> dict[str, Any]:
    ran = computer.program("status", "--diagnostics")
    assert (ran.code, ran.errors) == (0, "")
    assert str(computer.home) not in ran.output
    shown: dict[str, Any] = json.loads(ran.output)
    return shown


@pytest.mark.requirement("CLI-06")
def test_before_the_first_sync_everything_is_empty(computer: Computer) -> None:
    shown = diagnostics(computer)
    plugins, entries = shown.pop("plugins"), shown.pop("notify")
    assert {plugin["name"] for plugin in plugins} >= {"codex", "gemini"}
    assert entries["codex"] == {
        "state": "tool not found",
        "config": "~/.codex/config.toml",
        "problem": None,
        "last_call": None,
    }
    assert shown == {
        "version": vibescore.__version__,
        "home": "~/.vibescore",
        "store": "~/.vibescore/vibescore.db",
        "linked": False,
        "server": None,
        "device_id": None,
        "link_problem": None,
        "pending_rows": 0,
        "pending_bytes": 0,
        "refused_rows": [],
        "last_sync": None,
        "last_upload": None,
        "next_upload": None,
        "upload_problem": None,
        "throttle": {
            "throttled_until": None,
            "backoff_until": None,
            "held_until": None,
            "heartbeat_due": None,
            "failures": 0,
        },
        "scheduled_retry": None,
        "last_notify": None,
        "last_notified_sync": None,
        "log_files": 0,
        "sources": {},
        "problems": [],
    }
    text = computer.run("status").output
    assert "~/.vibescore" in text
    assert "never" in text
    assert "nothing collected yet" in text


@pytest.mark.requirement("CLI-06", "COL-09")
def test_after_a_sync_it_tells_what_was_read_what_waits_and_what_was_left_out(
    computer: Computer,
) -> None:
    rollout = Rollout(1).meta().model("gpt-5.1").turns(3)
    append(rollout.save(computer.home), b'{"type":"event_msg","payload":{"type":"token_c\n' * 2)
    broken = write(computer.home / ".codex/sessions/rollout-broken.jsonl.zst", b"no zstd at all")
    computer.sync()
    shown = diagnostics(computer)
    lines = computer.run("export", "--all").output.splitlines()
    assert shown["pending_rows"] == len(lines) == len(truth_of(rollout))
    assert shown["pending_bytes"] == sum(len(line.encode()) for line in lines)
    assert shown["log_files"] == 2
    assert shown["sources"]["codex"]["files"] >= 1
    assert shown["sources"]["codex"]["skipped_records"] == {"malformed record": 2}
    (problem,) = shown["problems"]
    assert problem["source"] == "codex"
    assert problem["path"] == f"~/{broken.relative_to(computer.home)}"
    assert problem["what"].startswith("cannot be read: ")
    text = computer.run("status").output
    assert f"{len(lines)} half-hour rows wait" in text
    assert "1 in the last sync" in text
    assert "'vibescore status --diagnostics' lists them" in text
    assert shown["last_sync"] in text


@pytest.mark.requirement("CLI-06")
def test_problems_that_are_gone_are_not_told_again(computer: Computer) -> None:
    broken = write(computer.home / ".codex/sessions/rollout-broken.jsonl.zst", b"no zstd at all")
    computer.sync()
    assert len(diagnostics(computer)["problems"]) == 1
    computer.sync()
    assert len(diagnostics(computer)["problems"]) == 1
    broken.unlink()
    computer.sync()
    assert diagnostics(computer)["problems"] == []


@pytest.mark.requirement("CLI-06")
def test_of_many_problems_the_sync_tells_three_and_where_the_others_are(computer: Computer) -> None:
    for number in range(5):
        name = f".codex/sessions/rollout-broken-{number}.jsonl.zst"
        write(computer.home / name, b"no zstd at all")
    ran = computer.program("sync", "--offline")
    assert ran.code == 0
    assert ran.errors.count("Left out: ~/.codex/") == 3
    assert "2 more: 'vibescore status --diagnostics'" in ran.errors
    assert len(diagnostics(computer)["problems"]) == 5


@pytest.mark.requirement("CLI-06")
def test_only_the_users_own_home_is_shown_as_a_tilde(computer: Computer) -> None:
    beside = f"{computer.home}-other{os.sep}home"
    ran = computer.program("status", "--diagnostics", VIBESCORE_HOME=beside)
    assert json.loads(ran.output)["home"] == beside


@pytest.mark.requirement("CLI-06", "PLG-01")
def test_the_entry_of_every_source_is_told_as_it_stands(tools: Tools) -> None:
    tools.config("codex", "model = 'a'\n")
    tools.config("gemini", "{}")
    tools.install()
    called = tools.computer.own / "notify" / "codex.called"
    called.touch()
    os.utime(called, (NOW, NOW))
    shown = diagnostics(tools.computer)
    assert shown["notify"] == {
        "codex": {
            "state": "installed",
            "config": "~/.codex/config.toml",
            "problem": None,
            "last_call": "2026-08-11T00:00:00Z",
        },
        "every-code": {
            "state": "tool not found",
            "config": "~/.code/config.toml",
            "problem": None,
            "last_call": None,
        },
        "gemini": {
            "state": "installed",
            "config": "~/.gemini/settings.json",
            "problem": None,
            "last_call": None,
        },
    }
    assert shown["last_notify"] == "2026-08-11T00:00:00Z"
    text = tools.computer.run("status").output
    for line in (
        "Notify      codex: installed, last called at 2026-08-11T00:00:00Z\n",
        "Notify      every-code: tool not found\n",
        "Notify      gemini: installed, not called yet\n",
    ):
        assert line in text


@pytest.mark.requirement("CLI-06")
@pytest.mark.parametrize(
    "text, told",
    [
        ("model = 'a'\n", "changed by somebody else: 'vibescore doctor' says what to do\n"),
        ("notify = [", "settings file cannot be used: ~/.codex/config.toml is left as it is: "),
    ],
)
def test_an_entry_that_is_not_as_it_was_left_is_told(text: str, told: str, tools: Tools) -> None:
    tools.config("codex", "# mine\n")
    tools.install()
    tools.config("codex", text)
    assert f"Notify      codex: {told}" in tools.computer.run("status").output
    shown = diagnostics(tools.computer)["notify"]["codex"]
    assert shown["state"] == tools.state("codex")
    assert (shown["problem"] is None) == (shown["state"] != "settings file cannot be used")


@pytest.mark.requirement("CLI-06")
def test_what_a_settings_file_quotes_of_the_home_is_shown_as_a_tilde(tools: Tools) -> None:
    table = f'[projects."{tools.computer.home}"]\n'
    tools.config("codex", table * 2)
    problem = diagnostics(tools.computer)["notify"]["codex"]["problem"]
    assert "'~'" in problem
    assert str(tools.computer.home) not in tools.computer.run("status").output


@pytest.mark.requirement("CLI-06", "PLG-02")
def test_what_a_broken_plugin_quotes_of_the_home_is_shown_as_a_tilde(
    computer: Computer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    site = Site(tmp_path_factory.mktemp("site"))
    site.install("diary", f"raise ImportError({f'{computer.home}/pen.so is gone'!r})")
    plugins = {each["name"]: each for each in diagnostics(site.on(computer))["plugins"]}
    assert plugins["diary"]["problem"] == "importing it raised ImportError: ~/pen.so is gone"


@pytest.mark.requirement("CLI-06", "CLI-05", "QUE-08")
@pytest.mark.parametrize("damage", DAMAGED)
def test_a_link_that_cannot_be_used_is_named_among_all_the_rest(
    damage: str, computer: Computer
) -> None:
    rollout = Rollout(1).meta().model("gpt-5.1").turns(3)
    rollout.save(computer.home)
    computer.sync()
    if damage == "a folder":
        (computer.own / FILE).mkdir()
    else:
        write(computer.own / FILE, damage.encode())
    shown = diagnostics(computer)
    assert shown["link_problem"] == (
        "~/.vibescore/link.json cannot be used: 'vibescore init' links this computer again"
    )
    assert (shown["linked"], shown["server"], shown["device_id"]) == (False, None, None)
    assert shown["pending_rows"] == len(truth_of(rollout))
    assert shown["sources"]["codex"]["files"] == 1
    ran = computer.program("status")
    assert (ran.code, ran.errors) == (0, "")
    assert f"Server      unknown: {shown['link_problem']}\n" in ran.output
    assert "Next upload once this computer is linked again\n" in ran.output
    assert f"Last sync   {shown['last_sync']}\n" in ran.output
    assert TOKEN not in ran.output + json.dumps(shown)


@pytest.mark.requirement("CLI-06", "QUE-08")
def test_a_token_whose_server_nobody_named_is_told(computer: Computer) -> None:
    ran = computer.program("status", VIBESCORE_DEVICE_TOKEN=TOKEN)
    assert (ran.code, ran.errors) == (0, "")
    assert "VIBESCORE_SERVER names the server" in ran.output
    assert TOKEN not in ran.output


@pytest.mark.requirement("CLI-06", "CLI-05")
def test_settings_that_cannot_be_used_leave_nothing_to_show(computer: Computer) -> None:
    write(computer.own / "config.toml", b"http_timeout = 'long'\n")
    ran = computer.program("status")
    assert (ran.code, ran.output) == (1, "")
    assert "http_timeout" in ran.errors


@pytest.mark.requirement("CLI-06")
def test_json_is_another_name_for_diagnostics(computer: Computer) -> None:
    computer.sync()
    assert json.loads(computer.run("status", "--json").output) == diagnostics(computer)


@pytest.mark.requirement("CLI-06", "CLI-07")
def test_looking_imports_nothing_that_takes_long(tools: Tools) -> None:
    tools.config("codex", "# mine\n")
    tools.config("gemini", "{}")
    tools.install()
    assert tools.computer.program("sync", "--offline").code == 0
    save_link(tools.computer.own, Link("https://vibescore.test", "device-1", TOKEN))
    seen = watch(tools.computer, "status")
    assert "codex: installed" in seen.ran.output
    unneeded = {"importlib.metadata", "subprocess", "tempfile", "tomlkit", "vibescore.client"}
    assert not seen.imported & unneeded
    assert {name.partition(".")[0] for name in seen.imported} & HEAVY == {"tomllib"}

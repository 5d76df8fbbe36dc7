"""Where things stand: for people, and as JSON for those who help them."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from rollouts import Rollout, append, truth_of, write
from support import Computer

import vibescore


def diagnostics(computer: Computer) -> dict[str, Any]:
    ran = computer.program("status", "--diagnostics")
    assert (ran.code, ran.errors) == (0, "")
    assert str(computer.home) not in ran.output
    shown: dict[str, Any] = json.loads(ran.output)
    return shown


@pytest.mark.requirement("CLI-06")
def test_before_the_first_sync_everything_is_empty(computer: Computer) -> None:
    shown = diagnostics(computer)
    plugins = shown.pop("plugins")
    assert {plugin["name"] for plugin in plugins} >= {"codex", "gemini"}
    assert shown == {
        "version": vibescore.__version__,
        "home": "~/.vibescore",
        "store": "~/.vibescore/vibescore.db",
        "linked": False,
        "server": None,
        "device_id": None,
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

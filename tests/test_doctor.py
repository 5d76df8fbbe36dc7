"""`vibescore doctor` names what is wrong, and the way out; looking changes nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from backend import Backend
from linked import Desk, desk_at
from rollouts import Rollout, write
from support import Computer
from tools import Tools

from vibescore.link import FILE, Link, save_link
from vibescore.machine import MACHINES

Fault = Callable[[Desk, Tools], dict[str, str] | None]
"""Breaks something; may answer variables under which the doctor is called."""


@pytest.fixture
def desk(computer: Computer) -> Iterator[Desk]:
    """A linked computer with a log and the settings of Codex and Gemini, where all is well."""
    Rollout(1).meta().model("gpt-5.1").turns(3).save(computer.home)
    tools = Tools(computer)
    tools.config("codex", "# mine\n")
    tools.config("gemini", "{}\n")
    with desk_at(computer) as desk:
        desk.save_link()
        words = ("--yes", "--runtime=this", "--server", desk.backend.url)
        assert computer.run("init", *words).code == 0
        yield desk


def doctor(desk: Desk, **variables: str) -> tuple[int, list[dict[str, str]]]:
    ran = desk.computer.run("doctor", "--json", **variables)
    assert ran.errors == ""
    assert desk.token not in ran.output
    told: dict[str, Any] = json.loads(ran.output)
    assert told["ok"] is (ran.code == 0)
    return ran.code, told["findings"]


def bad(found: list[dict[str, str]]) -> list[dict[str, str]]:
    return [each for each in found if each["level"] in ("warning", "critical")]


def home_is_a_file(desk: Desk, _: Tools) -> dict[str, str]:
    return {"VIBESCORE_HOME": str(write(desk.computer.home / "file", b""))}


def home_is_open(desk: Desk, _: Tools) -> None:
    desk.computer.own.chmod(0o755)


def setting_is_wrong(desk: Desk, _: Tools) -> None:
    write(desk.computer.own / "config.toml", b"http_timeout = 'long'\n")


def store_is_damaged(desk: Desk, _: Tools) -> None:
    write(desk.computer.database, b"not a database at all" * 400)


def home_is_shared(desk: Desk, _: Tools) -> None:
    with desk.computer.opened() as store:
        (today,) = store.fact(MACHINES).values()
        store.keep(MACHINES, store.fact(MACHINES) | {"another": today - 3})


def prices_are_wrong(desk: Desk, _: Tools) -> None:
    write(desk.computer.own / "prices.toml", b"[[price]]\n")


def plugin_is_missing(_: Desk, __: Tools) -> dict[str, str]:
    return {"VIBESCORE_PLUGINS": "codex,gemini,quill"}


def no_plugin_is_in_use(_: Desk, __: Tools) -> dict[str, str]:
    return {"VIBESCORE_PLUGINS": "quill"}


def log_cannot_be_read(desk: Desk, _: Tools) -> None:
    (log,) = desk.computer.home.rglob("rollout-*.jsonl")
    log.with_name("rollout-mem.jsonl").symlink_to("/proc/self/mem")


def entry_is_gone(_: Desk, tools: Tools) -> None:
    tools.config("codex", "# mine\n")


def entry_calls_nothing(_: Desk, tools: Tools) -> None:
    tools.entries.handler.unlink()


def runtime_is_broken(desk: Desk, tools: Tools) -> None:
    (runtime := desk.computer.home / "python").write_text("#!/bin/sh\nexit 1\n")
    runtime.chmod(0o755)
    tools.entries.install(tools.targets, [str(runtime)])


def hooks_are_off(_: Desk, tools: Tools) -> None:
    path = tools.config("gemini")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"hooksConfig": {"enabled": False}}))


def entry_is_not_heeded(desk: Desk, _: Tools) -> None:
    for path in (desk.computer.own / "notify").glob("codex.*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))


def link_is_damaged(desk: Desk, _: Tools) -> None:
    write(desk.computer.own / FILE, b"{")


def token_is_open(desk: Desk, _: Tools) -> None:
    (desk.computer.own / FILE).chmod(0o644)


def token_is_refused(desk: Desk, _: Tools) -> None:
    save_link(desk.computer.own, Link(desk.backend.url, "device-1", "another"))


def server_is_away(desk: Desk, _: Tools) -> None:
    with Backend.running() as gone:
        pass
    save_link(desk.computer.own, desk.link._replace(server=gone.url))


def row_is_refused(desk: Desk, _: Tools) -> None:
    Rollout(2, "2026-08-11T10:00:00").meta().model("gpt-5.1").turns(1).save(desk.computer.home)
    desk.backend.refuses = lambda _: "model"
    desk.computer.program("sync")


FAULTS: dict[Fault, tuple[str, str, str]] = {
    home_is_a_file: ("critical", "home", "it is no folder"),
    home_is_open: ("warning", "home", "can be read by other users"),
    setting_is_wrong: ("critical", "settings", "http_timeout"),
    store_is_damaged: ("critical", "store", "vibescore.db"),
    home_is_shared: ("warning", "machines", "2 computers used this home"),
    prices_are_wrong: ("warning", "prices", "prices.toml"),
    plugin_is_missing: ("warning", "plugins", "no such plugin is installed"),
    no_plugin_is_in_use: ("critical", "plugins", "nothing is read"),
    log_cannot_be_read: ("warning", "logs", "files cannot be read, the first is /proc/"),
    entry_is_gone: ("warning", "notify", "codex: ~/.codex/config.toml: changed by somebody else"),
    entry_calls_nothing: ("critical", "notify", "calls something that is gone"),
    runtime_is_broken: ("critical", "notify", "does not start vibescore"),
    hooks_are_off: (
        "warning",
        "notify",
        "settings.json: installed, but switched off",
    ),
    entry_is_not_heeded: ("warning", "notify", "not called yet, and there is a newer log"),
    link_is_damaged: ("critical", "server", "link.json cannot be used"),
    token_is_open: ("warning", "link", "can be read by others"),
    token_is_refused: ("critical", "token", "does not know this computer"),
    server_is_away: ("critical", "server", "cannot be reached"),
    row_is_refused: ("warning", "queue", "refused 1 rows"),
}


@pytest.mark.requirement("CLI-08")
def test_where_all_is_well_it_says_so_and_changes_nothing(desk: Desk) -> None:
    before = contents(desk.computer.home)
    code, found = doctor(desk)
    assert (code, bad(found)) == (0, [])
    checks = {each["check"] for each in found}
    assert checks >= {
        "home", "settings", "store", "machines", "plugins", "logs", "totals", "retention",
        "notify", "server", "queue",
    }  # fmt: skip
    text = desk.computer.run("doctor").output
    assert text.endswith("All is well.\n")
    assert "codex: 1 readable files in ~/.codex" in text
    assert contents(desk.computer.home) == before


def contents(folder: Path) -> dict[str, bytes]:
    """Every file but those with which SQLite reads."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {str(its): its.read_bytes() for its in paths if its.suffix not in (".db-shm", ".db-wal")}


@pytest.mark.requirement("CLI-08")
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_each_fault_is_named_with_the_way_out(fault: Fault, desk: Desk) -> None:
    level, check, what = FAULTS[fault]
    variables = fault(desk, Tools(desk.computer)) or {}
    code, found = doctor(desk, **variables)
    named = [each for each in bad(found) if (each["level"], each["check"]) == (level, check)]
    assert any(what in each["what"] for each in named), found
    assert code == (1 if level == "critical" else 0)
    shown = desk.computer.run("doctor", **variables).output
    assert f"{level:9} {check}: " in shown
    hints = ("Mend", "'vibescore init'")
    assert any(each["way_out"] or any(hint in each["what"] for hint in hints) for each in named)


@pytest.mark.requirement("CLI-08")
def test_ten_faults_at_once_are_all_named(desk: Desk) -> None:
    planted = [
        home_is_open, home_is_shared, prices_are_wrong, log_cannot_be_read, row_is_refused,
        entry_is_gone, hooks_are_off, runtime_is_broken, token_is_refused, plugin_is_missing,
    ]  # fmt: skip
    variables: dict[str, str] = {}
    for fault in planted:
        if fault is entry_is_gone:
            continue
        variables |= fault(desk, Tools(desk.computer)) or {}
    entry_is_gone(desk, Tools(desk.computer))
    code, found = doctor(desk, **variables)
    assert code == 1
    for fault in planted:
        level, check, what = FAULTS[fault]
        assert any(
            (each["level"], each["check"]) == (level, check) and what in each["what"]
            for each in found
        ), (fault, found)

"""A sync with nothing new loads no plugin; everything that could make a difference is noticed."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine
from rollouts import Rollout, append, write
from sites import DIARY, Site
from support import Computer
from witness import watch

HEAVY = {"msgspec", "pluggy", "pydantic", "rich", "httpx", "zstandard", "vibescore_codex"}
AT = 1_786_352_400.0
ASKING = DIARY.replace('env.home / ".diary"', 'env.directory("DIARY_HOME") or env.home / ".diary"')
COUNTING = DIARY.replace(
    "def vibescore_discover(env):", "def vibescore_discover(env):\n    len(env.variables)"
)
DATABASE = """
from msgspec import Struct

from vibescore import Rows, TokenTotals, Tree, UsageEvent, hookimpl


class Row(Struct):
    number: int
    tokens: int


@hookimpl
def vibescore_discover(env):
    query = "SELECT number, tokens FROM note WHERE number > coalesce(:since, 0) ORDER BY number"
    return [Tree(env.home / ".diary", "notes.db", Rows(query, Row))]


@hookimpl
def vibescore_parse(records):
    for row in records:
        tokens = TokenTotals.normal(input=row.tokens, output=0)
        yield UsageEvent(row.number, 1_786_352_400, "pen", tokens)
"""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "site")


@pytest.fixture
def desk(computer: Computer, site: Site) -> Computer:
    """A computer with logs of Codex and of a made-up tool, both just read."""
    Rollout(1).meta().model("gpt-5.1").turns(2).save(computer.home)
    write_page(computer, "1", 10)
    site.install("diary", ASKING)
    desk = site.on(computer)
    assert loads_plugins(desk)
    assert not loads_plugins(desk)
    return desk


def write_page(computer: Computer, name: str, tokens: int, folder: str = ".diary") -> Path:
    line = json.dumps({"id": name, "at": AT, "tokens": tokens})
    path = computer.home / folder / f"{name}.jsonl"
    path.parent.mkdir(exist_ok=True)
    append(path, line.encode() + b"\n")
    return path


def loads_plugins(computer: Computer, **variables: str) -> bool:
    """Whether a sync has to; it must succeed."""
    seen = watch(computer, "sync", "--offline", **variables)
    assert (seen.ran.code, seen.ran.errors) == (0, "")
    assert "0 inserted" in seen.ran.output or seen.imported & HEAVY
    return bool(seen.imported & HEAVY)


def tokens_of(computer: Computer, source: str = "diary") -> int:
    return sum(counters.total_tokens for counters in computer.export(source).values())


@pytest.mark.requirement("COL-08", "CLI-07")
def test_a_sync_with_nothing_new_imports_neither_plugins_nor_what_they_need(
    desk: Computer,
) -> None:
    before = desk.contents()
    seen = watch(desk, "sync", "--offline")
    assert seen.ran.output == "Nothing new in 2 log files: 0 inserted, nothing to upload.\n"
    assert not {name.partition(".")[0] for name in seen.imported} & HEAVY
    assert desk.contents() == before


@pytest.mark.requirement("CLI-06")
def test_a_sync_with_nothing_new_is_the_last_sync(desk: Computer) -> None:
    def last_sync() -> datetime:
        shown = json.loads(desk.program("status", "--diagnostics").output)
        return datetime.fromisoformat(shown["last_sync"])

    before = datetime.now(UTC).replace(microsecond=0)
    assert not loads_plugins(desk)
    assert last_sync() >= before


Change = Callable[[Computer], object]
CHANGES: dict[str, tuple[Change, int]] = {
    "a file grew": (lambda desk: write_page(desk, "1", 12), 12),
    "a file is new": (lambda desk: write_page(desk, "2", 5), 15),
    "a file was rewritten": (
        lambda desk: write(desk.home / ".diary/1.jsonl", b'{"id":"9","at":%d,"tokens":7}\n' % AT),
        17,
    ),
    "a file was touched": (lambda desk: os.utime(desk.home / ".diary/1.jsonl", (1, 1)), 10),
    "the cursors are gone": (lambda desk: desk.forget_cursors(), 10),
    "sums wait to be published": (
        lambda desk: desk.query("INSERT INTO touched VALUES ('diary', 1786352400)"),
        10,
    ),
    "what is remembered makes no sense": (
        lambda desk: desk.query("UPDATE meta SET value = '[1]' WHERE key = 'outlook'"),
        10,
    ),
}


@pytest.mark.requirement("COL-01", "COL-08")
@pytest.mark.parametrize("change, tokens", CHANGES.values(), ids=CHANGES)
def test_whatever_changed_is_looked_at(change: Change, tokens: int, desk: Computer) -> None:
    change(desk)
    assert loads_plugins(desk)
    assert tokens_of(desk) == tokens
    assert not loads_plugins(desk)


@pytest.mark.requirement("COL-01")
def test_a_file_that_is_gone_takes_nothing_away_and_loads_nothing(desk: Computer) -> None:
    (desk.home / ".diary/1.jsonl").unlink()
    assert not loads_plugins(desk)
    assert tokens_of(desk) == 10


@pytest.mark.requirement("COL-01", "COL-04")
def test_a_link_that_leads_elsewhere_is_noticed(computer: Computer, site: Site) -> None:
    site.install("diary", ASKING)
    desk = site.on(computer)
    for folder, tokens in (("old", 10), ("new", 5)):
        write_page(computer, folder, tokens, folder=folder)
    link = computer.home / ".diary"
    link.symlink_to(computer.home / "old")
    assert [loads_plugins(desk) for _ in range(2)] == [True, False]
    link.unlink()
    link.symlink_to(computer.home / "new")
    assert loads_plugins(desk)
    assert tokens_of(desk) == 15


@pytest.mark.requirement("PLG-02", "CLI-12")
def test_installing_upgrading_and_removing_a_plugin_is_noticed(desk: Computer, site: Site) -> None:
    site.install("other", DIARY.replace(".diary", ".other"))
    assert loads_plugins(desk)
    assert not loads_plugins(desk)
    doubled = ASKING.replace("Lines(Record, State)", "Lines(Record, State), rules_version=2")
    site.install("diary", doubled.replace("record.tokens, 0", "2 * record.tokens, 0"))
    assert loads_plugins(desk)
    assert not loads_plugins(desk)
    (site.folder / "vibescore_other-1.0.dist-info/entry_points.txt").write_text("")
    os.utime(site.folder)
    assert loads_plugins(desk)


@pytest.mark.requirement("CLI-07", "PLG-02")
def test_variables_that_plugins_asked_for_are_noticed_and_no_others(desk: Computer) -> None:
    write_page(desk, "3", 100, folder="elsewhere")
    assert not loads_plugins(desk, LANG="C", TERM="dumb")
    elsewhere = {"DIARY_HOME": str(desk.home / "elsewhere")}
    assert [loads_plugins(desk, **elsewhere) for _ in range(2)] == [True, False]
    assert tokens_of(desk) == 110
    assert [loads_plugins(desk, VIBESCORE_PLUGINS="codex") for _ in range(2)] == [True, False]


@pytest.mark.requirement("PLG-02")
def test_a_plugin_that_looks_at_all_variables_is_asked_every_time(
    computer: Computer, site: Site
) -> None:
    site.install("diary", COUNTING)
    write_page(computer, "1", 10)
    desk = site.on(computer)
    assert [loads_plugins(desk) for _ in range(3)] == [True] * 3


@pytest.mark.requirement("COL-09")
def test_what_was_left_out_is_told_again_and_again(desk: Computer) -> None:
    write(desk.home / ".codex/sessions/rollout-broken.jsonl.zst", b"no zstd at all")
    said = [desk.program("sync", "--offline") for _ in range(3)]
    assert all("rollout-broken" in ran.errors for ran in said)


@pytest.mark.requirement("COL-01")
def test_a_database_has_changed_when_its_log_has(computer: Computer, site: Site) -> None:
    site.install("diary", DATABASE)
    desk = site.on(computer)
    path = write(computer.home / ".diary/notes.db", b"")
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE note (number INTEGER, tokens INTEGER)")
        database.execute("INSERT INTO note VALUES (1, 10)")
        assert [loads_plugins(desk) for _ in range(2)] == [True, False]
        database.execute("INSERT INTO note VALUES (2, 5)")
        assert loads_plugins(desk)
        assert tokens_of(desk) == 15


@pytest.mark.requirement("COL-11")
def test_once_a_day_the_ledger_is_looked_at(computer: Computer) -> None:
    Rollout(1).meta().model("gpt-5.1").turns(2).save(computer.home)
    with time_machine.travel("2026-08-11T12:00:00Z", tick=False) as clock:
        computer.sync()
        clock.move_to("2026-09-20T12:00:00Z")
        assert "Nothing new" in computer.sync().output
    assert computer.query("SELECT DISTINCT total_tokens FROM event") == [(None,)]

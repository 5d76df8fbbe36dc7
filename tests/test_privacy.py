"""What people and models said appears nowhere: not in our files, not on any screen (COL-02).

Every string of every sample record that no tracker needs is a canary. All their tokens are
collected, so every record was read.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from rollouts import Truth
from samples import CANARY, write_canaries
from sites import Site
from support import Computer, Ran

PREFIX = CANARY[:6]

BETRAYER = """
import sys
from pathlib import Path
from msgspec import Struct
from vibescore import Lines, Tree, hookimpl


class Record(Struct):
    payload: object = None
    timestamp: str = ""


@hookimpl
def vibescore_discover(env):
    if env.variables.get("BETRAY") == "discover":
        said = next((env.home / ".codex").rglob("*.jsonl")).read_text()
        raise ValueError(said)
    return [Tree(env.home / ".codex" / "sessions", "**/rollout-*.jsonl", Lines(Record), Record)]


@hookimpl
def vibescore_identify(path, head):
    raise LookupError(head)


@hookimpl
def vibescore_parse(records, context):
    raise ValueError(records)
"""

PARSER = """
from msgspec import Struct
from vibescore import Identity, Lines, Tree, hookimpl


class Record(Struct):
    payload: object = None


@hookimpl
def vibescore_discover(env):
    return [Tree(env.home / ".codex" / "sessions", "**/*.jsonl", Lines(Record))]


@hookimpl
def vibescore_identify(path, head):
    return Identity(path.name)


@hookimpl
def vibescore_parse(records, context):
    context.skip("nothing of interest")
    raise ValueError([record.payload for record in records])
"""


def all_commands(computer: Computer) -> Iterator[Ran]:
    """Everything that tells something, as a program of its own."""
    yield computer.program("sync", "--offline")
    yield computer.program("--debug", "sync", "--offline", "--rebuild")
    yield computer.program("status")
    yield computer.program("--debug", "status", "--diagnostics")
    yield computer.program("report")
    yield computer.program("report", "daily", "--json")
    yield computer.program("export", "--all")
    yield computer.program("export", "--format", "csv")
    yield computer.program("plugins", "--json")
    yield computer.program("config")


def check_nothing_tells(computer: Computer, *said: Ran) -> None:
    files = [path for path in computer.own.rglob("*") if path.is_file()]
    assert computer.database in files
    tattlers = [path.name for path in files if PREFIX.encode() in path.read_bytes()]
    tattlers += [ran.output + ran.errors for ran in said if PREFIX in ran.output + ran.errors]
    assert tattlers == []


def installed(truth: Truth) -> Truth:
    """What the installed plugins can count of it."""
    names = {plugin.name for plugin in Computer.plugins()}
    return {key: row for key, row in truth.items() if key[0] in names}


@pytest.mark.requirement("COL-02", "COL-10")
def test_every_sample_is_counted_and_nothing_said_in_it_is_kept_or_shown(
    computer: Computer,
) -> None:
    truth = write_canaries(computer.home)
    said = list(all_commands(computer))
    assert [ran.code for ran in said] == [0] * len(said)
    assert computer.export() == installed(truth)
    check_nothing_tells(computer, *said)


@pytest.mark.requirement("COL-02")
def test_the_files_of_a_running_sync_tell_nothing_either(computer: Computer) -> None:
    """The database and its log while it is open."""
    write_canaries(computer.home)
    computer.sync()
    with computer.opened() as store:
        store.keep("open", 1)
        assert computer.database.with_name("vibescore.db-wal").stat().st_size > 0
        check_nothing_tells(computer)


@pytest.mark.requirement("COL-02", "PLG-02")
def test_traces_of_plugins_tell_nothing(computer: Computer) -> None:
    write_canaries(computer.home)
    ran = computer.program("sync", "--offline", VIBESCORE_TRACE_PLUGINS="1", VIBESCORE_DEBUG="1")
    assert "vibescore_parse" in ran.errors
    check_nothing_tells(computer, ran)


@pytest.mark.requirement("COL-02", "COL-09", "PLG-02")
@pytest.mark.parametrize("code", [BETRAYER, PARSER], ids=["identifying", "parsing"])
def test_a_plugin_that_fails_over_a_record_does_not_spread_it(
    code: str, computer: Computer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    site = Site(tmp_path_factory.mktemp("site"))
    site.install("betrayer", code)
    computer = site.on(computer)
    write_canaries(computer.home)
    traced = computer.program("sync", "--offline", VIBESCORE_TRACE_PLUGINS="1")
    discovered = computer.program("--debug", "sync", "--offline", BETRAY="discover")
    said = [traced, discovered, *all_commands(computer)]
    assert "plugin betrayer failed to" in "".join(ran.errors for ran in said)
    check_nothing_tells(computer, *said)


@pytest.mark.requirement("COL-02", "CLI-05")
def test_the_trace_of_an_error_tells_nothing(computer: Computer) -> None:
    write_canaries(computer.home)
    computer.sync()
    content = bytearray(computer.database.read_bytes())
    content[4096 : 3 * 4096] = bytes(2 * 4096)
    Path(computer.database).write_bytes(content)
    ran = computer.program("--debug", "sync", "--offline", "--rebuild")
    assert ran.code == 1
    assert "Traceback" in ran.errors
    check_nothing_tells(computer, ran)

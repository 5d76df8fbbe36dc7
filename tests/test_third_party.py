"""Plugins of strangers as their users meet them: wheels, installed, upgraded and uninstalled in an
environment of their own, with all sources out of reach.

The made-up tools are in `tests/third_party`: Quill, which keeps running totals in a database and a
log of finished questions, and a weathervane, which has no logs and only takes part in backfill.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path

import pytest
from distributions import ROOT, STRANGERS, Installation, build_ours, build_stranger, plugins_in
from rollouts import (
    UNKNOWN,
    Chat,
    Counters,
    Log,
    Rollout,
    Truth,
    Usage,
    append,
    compact,
    moment,
    truth_of,
    write,
)
from support import Computer, truth_row

import vibescore
from vibescore.lock import exclusive

OURS = plugins_in(ROOT / "plugins")
ALL = OURS | plugins_in(STRANGERS)

LONG_AGO = moment("2026-08-10T12:00:00")
NOW = datetime.now(UTC)  # reports show this week

NEW_RULES = {
    'version = "1.0"': 'version = "2.0"',
    "RULES_VERSION = 1": "RULES_VERSION = 2",
    "cached, output, reasoning\nFROM": "cached, output, reasoning, margin\nFROM",
    "    reasoning: int = 0\n": "    reasoning: int = 0\n    margin: int = 0\n",
    "output = self.output": "output = self.output + self.margin",
}
"""What makes version 2.0 of Quill's plugin: it counts what Quill writes into the margin."""


class Quill:
    """The tool itself: its database, its log, and what was spent.

    Version 1 of the plugin does not know of the tokens in the ``margin``; ``learn`` adds them to
    what has to be counted, as a reader finds them who only now knows of them.
    """

    source = "quill"

    def __init__(self, home: Path) -> None:
        self.usages: list[Usage] = []
        self._margins: dict[str, Usage] = {}
        self._asides = write(home / ".quill/asides/all.jsonl", b"")
        self._database = write(home / ".quill/quill.db", b"")
        self._execute(
            "CREATE TABLE session (id TEXT PRIMARY KEY, model TEXT, updated_at INTEGER,"
            " title TEXT, input INTEGER, cached INTEGER, output INTEGER, reasoning INTEGER,"
            " margin INTEGER)"
        )

    def goes_on(
        self, session: str, model: str | None, at: datetime, *spent: int, margin: int = 0
    ) -> None:
        """A session was saved with so much more input, cached, output and reasoning."""
        self._execute(
            "INSERT INTO session VALUES (?, ?, ?, 'Canary', ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE"
            " SET model = excluded.model, updated_at = excluded.updated_at,"
            " input = input + excluded.input, cached = cached + excluded.cached,"
            " output = output + excluded.output, reasoning = reasoning + excluded.reasoning,"
            " margin = margin + excluded.margin",
            *(session, model, int(at.timestamp() * 1000), *spent, margin),
        )
        self._count(session, model, at, *spent, margin=margin)

    def is_asked(
        self, aside: str, model: str | None, at: datetime, *spent: int, margin: int = 0
    ) -> None:
        """A question outside of any session was answered."""
        tokens = zip(("input", "cached", "output", "reasoning"), spent, strict=True)
        head = {"id": aside, "at": at.timestamp(), "model": model, "text": "Canary"}
        append(self._asides, compact({**head, **dict(tokens), "margin": margin}) + b"\n")
        self._count(aside, model, at, *spent, margin=margin)

    def learn(self) -> None:
        """The margins count too: those of a session where it was saved last."""
        self.usages += self._margins.values()

    def _count(self, key: str, model: str | None, at: datetime, *spent: int, margin: int) -> None:
        fresh, cached, output, reasoning = spent
        name, before = model or UNKNOWN, self._margins.get(key)
        counters = Counters(fresh, cached, output, reasoning, fresh + output)
        self.usages.append(Usage(self.source, name, at, counters))
        margin += before.counters.total_tokens if before else 0
        self._margins[key] = Usage(self.source, name, at, Counters(0, 0, margin, 0, margin))

    def _execute(self, sql: str, *values: object) -> None:
        with closing(sqlite3.connect(self._database)) as database, database:
            database.execute(sql, values)


@dataclass(frozen=True, slots=True)
class Desk:
    """A user's computer with the logs of several tools, and one installation of vibescore."""

    computer: Computer
    installation: Installation
    quill: Quill
    logs: tuple[Log, ...]

    @classmethod
    def prepared(cls, home: Path, installation: Installation) -> Desk:
        """The logs are there; vibescore was never run on them."""
        quill = Quill(home)
        quill.goes_on("novel", "goose-3", LONG_AGO, 900, 300, 120, 40, margin=7)
        quill.goes_on("letter", "raven-1", LONG_AGO, 50, 0, 20, 0)
        quill.is_asked("a1", "goose-3", LONG_AGO + timedelta(minutes=40), 70, 10, 30, 5, margin=3)
        quill.is_asked("a2", None, LONG_AGO + timedelta(hours=3), 60, 20, 10, 0, margin=2)
        early = Rollout(1, "2026-08-10T09:14:00").meta().model("gpt-5.1").turns(3)
        near = Rollout(2, "2026-08-10T14:20:00").meta().model("gpt-5.2-codex").turns(2)
        other = Rollout(3, "2026-08-10T16:02:00").meta(originator="code_cli_rs")
        other.source = "every-code"
        chat = Chat(4).write("m1").answer("m2", 10, 2, 1, 0, 1).answer("m3", 15, 2, 3, 4, 0)
        for rollout in (early, near, other.model("gpt-5.1").turns(2)):
            rollout.save(home)
        write(chat.path(home, ending=".json"), chat.document())
        computer = installation.on(Computer(home))
        return cls(computer, installation, quill, (quill, early, near, other, chat))

    def says(self, *arguments: str) -> str:
        """What a command prints when all goes well."""
        ran = self.computer.program(*arguments)
        assert (ran.code, ran.errors) == (0, "")
        return ran.output

    def sync(self) -> str:
        return self.says("sync", "--offline")

    def export(self) -> Truth:
        return dict(truth_row(json.loads(line)) for line in self.says("export").splitlines())

    def truth(self) -> Truth:
        """What there is to find with the plugins that are installed."""
        plugins = {name for name in ALL if self.installation.has(ALL[name])}
        found = truth_of(*(log for log in self.logs if log.usages[0].source in plugins))
        return guessed(found) if {"codex", "weathervane"} <= plugins else found

    def listed(self) -> dict[str, dict[str, object]]:
        """What `vibescore plugins` says, by name."""
        return {plugin["name"]: plugin for plugin in json.loads(self.says("plugins", "--json"))}


def guessed(truth: Truth, model: str = "gpt-5.2-codex") -> Truth:
    """The same tokens, Quill's unknown ones under the model that Codex uses around that time."""
    guesses = {("quill", UNKNOWN): ("quill", model)}
    moved = {(*guesses.get(key[:2], key[:2]), key[2]): its for key, its in truth.items()}
    return {key: moved[key] for key in sorted(moved)}


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheels of all distributions, Quill's in two versions: built once for all workers."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "wheels"
    with exclusive(folder.with_suffix(".lock"), wait=300):
        if not folder.exists():
            build(folder.with_suffix(".new")).rename(folder)
    return folder


def build(folder: Path) -> Path:
    folder.mkdir()
    build_ours(folder)
    build_stranger("weathervane", folder)
    build_stranger("quill", folder)
    build_stranger("quill", folder, NEW_RULES)
    return folder


@pytest.fixture(scope="session")
def installation(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An environment with vibescore; which plugins are in it is up to each test."""
    return Installation.fresh(tmp_path_factory.mktemp("installed") / "venv", wheels)


@pytest.fixture
def desk(installation: Installation, tmp_path: Path) -> Desk:
    """A desk on which all plugins are installed, Quill's in version 1.0."""
    installation.install(*map(requirement_of, ALL))
    return Desk.prepared(tmp_path, installation)


def requirement_of(plugin: str) -> str:
    return "vibescore-quill==1.0" if plugin == "quill" else ALL[plugin]


@pytest.mark.requirement("CLI-02", "PLG-01", "PLG-02")
def test_all_wheels_work_together_with_the_sources_out_of_reach(desk: Desk) -> None:
    desk.installation.check()
    ask = "import vibescore, vibescore_codex, vibescore_quill as q; print(vibescore, q)"
    modules = subprocess.check_output(
        [desk.installation.python, "-c", ask],
        cwd=desk.computer.home,
        env=desk.computer.environment,
        encoding="utf-8",
    )
    assert modules.count(str(desk.installation.folder)) == 2
    assert str(ROOT) not in modules
    listed = desk.listed()
    assert {name: plugin["distribution"] for name, plugin in listed.items()} == ALL
    assert {plugin["state"] for plugin in listed.values()} == {"loaded"}
    assert {listed[name]["version"] for name in OURS} == {vibescore.__version__}
    assert listed["quill"]["version"] == "1.0"
    assert listed["quill"]["hooks"] == ["discover", "parse"]
    assert listed["weathervane"]["hooks"] == ["backfill_model"]


@pytest.mark.requirement("PLG-01", "COL-02", "COL-08", "COL-10")
def test_the_totals_of_a_strangers_tool_are_exact_and_its_growth_counts_once(desk: Desk) -> None:
    desk.sync()
    assert desk.export() == desk.truth()
    desk.quill.goes_on("novel", "raven-1", NOW, 400, 100, 80, 10)
    desk.quill.is_asked("a3", "goose-3", NOW, 5, 0, 5, 0)
    assert "2 usage events" in desk.sync()
    grown = desk.export()
    assert grown == desk.truth()
    assert "0 inserted, nothing to upload" in desk.sync()
    assert desk.export() == grown
    report = [line.split()[:7] for line in desk.says("report").splitlines()]
    assert ["quill", "raven-1", "400", "100", "80", "10", "480"] in report
    assert not [path for path in desk.computer.own.iterdir() if b"Canary" in path.read_bytes()]


@pytest.mark.requirement("BKF-08", "PLG-01")
def test_a_plugin_without_logs_takes_part_in_backfill_as_long_as_it_is_installed(
    desk: Desk,
) -> None:
    desk.sync()
    aligned = desk.export()
    assert aligned == desk.truth()
    desk.installation.uninstall(ALL["weathervane"])
    desk.sync()
    unknown = desk.export()
    assert unknown == desk.truth() != aligned
    desk.installation.install(ALL["weathervane"])
    desk.sync()
    assert desk.export() == aligned == guessed(unknown)


@pytest.mark.requirement("CLI-12", "PLG-01", "PLG-02", "COL-10")
def test_an_upgrade_with_new_rules_counts_again_what_can_be_read_again(desk: Desk) -> None:
    """The growth of a session cannot: what the new rules add to its total is growth like any
    other, and counts where the session was saved last.
    """
    desk.sync()
    desk.quill.goes_on("novel", "goose-3", NOW, 400, 100, 80, 10, margin=4)
    desk.sync()
    assert desk.export() == desk.truth()
    desk.installation.install("vibescore-quill==2.0")
    desk.quill.learn()
    desk.sync()
    assert desk.listed()["quill"]["version"] == "2.0"
    assert desk.export() == desk.truth()
    assert "0 inserted" in desk.sync()


@pytest.mark.requirement("PLG-01", "PLG-02", "COL-08", "COL-10")
def test_what_was_counted_outlives_its_plugin_and_is_not_doubled_when_that_comes_back(
    desk: Desk,
) -> None:
    desk.sync()
    before = desk.export()
    desk.installation.uninstall(ALL["quill"])
    desk.quill.goes_on("novel", "goose-3", NOW, 400, 100, 80, 10)
    assert "0 inserted" in desk.sync()
    assert desk.export() == before
    assert "quill" not in desk.listed()
    assert "quill is not installed" in desk.says("status")
    desk.installation.install("vibescore-quill==1.0")
    assert "is not installed" not in desk.says("status")
    desk.sync()
    assert desk.export() == desk.truth()


@pytest.mark.requirement("PLG-01")
def test_no_plugin_changes_the_core(desk: Desk) -> None:
    before = desk.installation.core
    assert str(desk.installation.packages / "vibescore/__init__.py") in before
    desk.sync()
    desk.installation.install("vibescore-quill==2.0")
    desk.sync()
    desk.installation.uninstall(*ALL.values())
    assert desk.installation.core == before


def orders() -> Iterator[tuple[str, ...]]:
    """Every order of three sources, first of those that share files or models; the other plugins
    join them in other places each time.
    """
    related = ("codex", "every-code", "quill", "gemini")
    three = [name for name in related if name in ALL][:3]
    others = sorted(ALL.keys() - set(three))
    for number, order in enumerate(permutations(three)):
        names = list(order)
        for name in others:
            names.insert(number % (len(names) + 1), name)
        yield tuple(names)


@pytest.mark.requirement("PLG-01", "COL-10", "BKF-08")
@pytest.mark.parametrize("order", list(orders()), ids=", ".join)
def test_the_order_in_which_plugins_are_installed_does_not_matter(
    order: tuple[str, ...], desk: Desk
) -> None:
    desk.installation.uninstall(*ALL.values())
    for name in order:
        desk.installation.install(requirement_of(name))
        desk.sync()
        assert desk.computer.export() == desk.truth()
    assert desk.listed().keys() == ALL.keys()

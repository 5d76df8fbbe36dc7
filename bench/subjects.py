"""Who is measured: vibescore, and the programs that it is compared with."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import time
import tomllib
from collections.abc import Callable, Mapping
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

from ground import Corpus, Row, rows
from measure import BenchError, Program

from vibescore import cadence
from vibescore.lock import exclusive
from vibescore.model import NotifyTarget
from vibescore.notify import Entries
from vibescore.program import command

VIBESCORE = Path(sysconfig.get_path("scripts"), "vibescore")
SYNC = ("sync", "--offline", "--quiet")
TURN = json.dumps({"type": "agent-turn-complete", "last-assistant-message": "Done. " * 500})
PATIENCE = 60  # seconds


def variables(home: Path, **more: str) -> dict[str, str]:
    """The environment of a program: an empty home, and nothing of the user's settings."""
    home.mkdir(parents=True, exist_ok=True)
    return {"PATH": os.environ.get("PATH", ""), "HOME": str(home), "LANG": "C.UTF-8", **more}


class Vibescore:
    """The installed command, with a home of its own over one corpus.

    Every sync is checked: an export that differs from ``expected`` fails.
    """

    def __init__(self, scratch: Path, corpus: Corpus) -> None:
        self.corpus = corpus
        self.expected: list[Row] = list(corpus.truth)
        self.home = scratch / f"vibescore-{corpus.folder.name}"
        self.variables = variables(
            scratch / "nobody", VIBESCORE_HOME=str(self.home), **corpus.variables
        )

    def first_sync(self) -> Program:
        """Everything is new, run after run."""
        return self.program(*SYNC, before=self.forget, after=self._check)

    def next_sync(self, before: Callable[[], object] = lambda: None) -> Program:
        """Only what ``before`` adds is new."""
        self.sync_once()
        return self.program(*SYNC, before=before, after=self._check)

    def sync_once(self) -> None:
        """Afterwards the store holds the corpus."""
        if not self.home.exists():
            self.first_sync().cost()

    def program(
        self,
        *arguments: str,
        before: Callable[[], object] = lambda: None,
        after: Callable[[bytes], object] = lambda _: None,
    ) -> Program:
        return Program("vibescore", (VIBESCORE, *arguments), self.variables, before, after)

    def handler(self) -> Program:
        """What Codex calls after each turn, installed in front of what it called before. Every call
        starts a sync, which has ended before anything else is run.
        """
        config = self.home / "codex.toml"
        config.write_text('notify = ["true"]\n', "utf-8")
        Entries(self.home).install({"codex": NotifyTarget(config)}, command(sys.executable))
        call = tomllib.loads(config.read_text("utf-8"))["notify"]
        return Program(
            "vibescore",
            (*call, TURN),
            self.variables,
            before=self._forget_turn,
            after=lambda _: self._wait_for_sync(),
        )

    def bare_python(self, *options: str) -> Program:
        """The interpreter that does nothing, to compare a start with."""
        name = " ".join(("python", *options))
        return Program(name, (sys.executable, *options, "-c", "pass"), self.variables)

    def forget(self) -> None:
        """As if vibescore had never run."""
        shutil.rmtree(self.home, ignore_errors=True)

    def expect(self, row: Row) -> None:
        """From now on the truth has one more row."""
        self.expected.append(row)
        self.expected.sort(key=lambda each: (each["source"], each["model"], each["hour_start"]))

    def store_size(self) -> int:
        """Bytes of the store with all that belongs to it."""
        return sum(path.stat().st_size for path in self.home.glob("vibescore.db*"))

    def _forget_turn(self) -> None:
        """The last sync was long ago: the next one need not wait."""
        lock = self.home / cadence.FOLDER / cadence.RUNNING
        lock.touch(mode=0o600)
        os.utime(lock, (0, 0))

    def _wait_for_sync(self) -> None:
        """The lock shows a sync that a tool asked for: its time is that of the start."""
        deadline = time.monotonic() + PATIENCE
        while not cadence.last_start(self.home):
            if time.monotonic() > deadline:
                raise BenchError("The notify handler started no sync")
            time.sleep(0.01)
        with exclusive(self.home / cadence.FOLDER / cadence.RUNNING, wait=PATIENCE):
            pass

    def _check(self, _: bytes) -> None:
        export = (VIBESCORE, "export")
        printed = subprocess.run(export, env=self.variables, check=True, stdout=subprocess.PIPE)
        found = rows(printed.stdout)
        if found == self.expected:
            return
        pairs = zip_longest(found, self.expected)
        first = next((row, expected) for row, expected in pairs if row != expected)
        raise BenchError(
            f"{self.corpus.name}: the export has {len(found):,} rows, the truth "
            f"{len(self.expected):,}. The first that differs is {first[0]}, expected {first[1]}"
        )


class Peer(NamedTuple):
    """A program from npm: its binary, and how many tokens its answer speaks of."""

    name: str
    binary: str
    counted: Callable[[Any], int]


CCUSAGE = Peer(
    "ccusage",
    "@ccusage/ccusage-linux-x64/bin/ccusage",
    lambda answer: int(answer["totals"]["totalTokens"]),
)
TOKSCALE = Peer(
    "tokscale",
    "@tokscale/cli-linux-x64-gnu/bin/tokscale",
    lambda answer: (
        sum(answer[part] for part in ("totalInput", "totalOutput", "totalCacheRead"))
        + sum(entry["reasoning"] for entry in answer["entries"])
    ),
)
PACKAGES = (
    "ccusage@20.0.24",
    "@ccusage/ccusage-linux-x64@20.0.24",
    "@tokscale/cli-linux-x64-gnu@4.17.0",
)


class Peers:
    """The programs of others, installed into a folder when the first is asked for; where that
    cannot be, there are none.

    ``remarks`` tells what was found out about them.
    """

    def __init__(self, folder: Path, scratch: Path) -> None:
        self.remarks: dict[str, str] = {}
        self._scratch = scratch
        self._folder = folder

    @cached_property
    def _installed(self) -> bool:
        problem = install(self._folder)
        if problem:
            self.remarks["peers"] = f"No comparison with others: {problem}"
        return not problem

    def ccusage(self, tool: str, corpus: Corpus) -> list[Program]:
        """ccusage's report by day of one tool's usage, or nothing."""
        arguments = (tool, "daily", "--offline", "--json")
        return self._program(CCUSAGE, arguments, corpus, {})

    def tokscale(self, corpus: Corpus) -> list[Program]:
        """tokscale's report by model of Codex's usage, its cache warm, or nothing."""
        arguments = ("models", "--json", "--no-spinner", "-c", "codex")
        found = self._program(TOKSCALE, arguments, corpus, {"TOKSCALE_PRICING_CACHE_ONLY": "1"})
        for program in found:
            program.cost()
        return found

    def _program(
        self, peer: Peer, arguments: tuple[str, ...], corpus: Corpus, more: Mapping[str, str]
    ) -> list[Program]:
        if not self._installed:
            return []
        home = self._scratch / f"{peer.name}-{corpus.folder.name}"
        return [
            Program(
                peer.name,
                (self._folder / "node_modules" / peer.binary, *arguments),
                variables(home, **corpus.variables, **more),
                after=lambda output: self._compare(peer, corpus, output),
            )
        ]

    def _compare(self, peer: Peer, corpus: Corpus, output: bytes) -> None:
        """A peer need not be right, but it must have read the corpus."""
        counted = peer.counted(json.loads(output))
        if not counted:
            raise BenchError(f"{peer.name} found nothing in {corpus.name}")
        self.remarks[f"{peer.name} {corpus.folder.name}"] = (
            f"{peer.name} counts {counted:,} tokens in {corpus.name}, "
            f"{counted / corpus.tokens:.2%} of the true {corpus.tokens:,}"
        )


def install(folder: Path) -> str:
    """Install the peers unless that is done; returns what stands in the way."""
    done = folder / "installed.txt"
    wanted = "\n".join(PACKAGES)
    if done.exists() and done.read_text("utf-8") == wanted:
        return ""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        return f"there are no binaries for {platform.system()} {platform.machine()}"
    if shutil.which("npm") is None:
        return "npm is not installed"
    print(f"Installing {', '.join(PACKAGES)} into {folder}", file=sys.stderr)
    folder.mkdir(parents=True, exist_ok=True)
    options = ("--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    npm = ("npm", "install", "--prefix", folder, *options, *PACKAGES)
    if subprocess.run(npm, check=False, stdout=subprocess.DEVNULL).returncode:
        return "npm install failed"
    for peer in (CCUSAGE, TOKSCALE):
        (folder / "node_modules" / peer.binary).chmod(0o755)
    done.write_text(wanted, "utf-8")
    return ""

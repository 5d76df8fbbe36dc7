"""Measure vibescore, side by side with others: python3 dev.py bench first-sync

Every sync is checked: when it counts wrong, the benchmark fails.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from corpus import CORPORA
from document import DOCUMENT, write_document
from figures import FIGURES, Bench, Figure
from ground import Cache, Machine
from hosts import engines
from hotspots import profile
from lighthouse import PAGE_FIGURES
from load import LOAD_FIGURES
from measure import BenchError
from report import Report
from server_figures import SERVER_FIGURES
from subjects import Peers, Vibescore

GROUPS = {
    "tracker": (FIGURES, "All of the tracker."),
    "server": (SERVER_FIGURES, "All of the server: 10 minutes."),
    "all": ({**FIGURES, **SERVER_FIGURES}, "All of both."),
}
COMPARED = GROUPS["all"][0]
EVERYTHING = {**COMPARED, **LOAD_FIGURES, **PAGE_FIGURES}


def measure(names: Iterable[str], options: argparse.Namespace) -> None:
    """Take the figures, print them, and write them down where that is asked for."""
    machine = Machine.here()
    cache = Cache.named(os.environ, Path.home())
    with tempfile.TemporaryDirectory(dir=cache.folder, prefix="run-") as scratch:
        peers = Peers(cache.peers, Path(scratch))
        sizes = (options.runs, options.scale, options.seconds)
        bench = Bench(cache, Path(scratch), peers, *sizes)
        figures = list(taken(names, bench))
    report = Report.of(machine, bench, figures)
    print(machine, *report.notes(), "", *report.table(), sep="\n")
    if options.json:
        written = json.dumps(report.as_json(), indent=2, ensure_ascii=False)
        options.json.write_text(written + "\n", "utf-8")


def taken(names: Iterable[str], bench: Bench) -> Iterator[Figure]:
    for name in names:
        print(f"Measuring {name}", file=sys.stderr, flush=True)
        yield from EVERYTHING[name](bench)


def show_profile(options: argparse.Namespace) -> None:
    """Where the time of a first sync goes, by stage and by function."""
    cache = Cache.named(os.environ, Path.home())
    corpus = cache.corpus(options.corpus, options.scale)
    with tempfile.TemporaryDirectory(dir=cache.folder, prefix="run-") as scratch:
        text = profile(Vibescore(Path(scratch), corpus))
    print(corpus.about, text, sep="\n\n")


def document(options: argparse.Namespace) -> None:
    """Write the figures of a run into docs/performance.md."""
    written = json.loads(options.figures.read_text("utf-8"))
    write_document(Report.from_json(written), DOCUMENT)


def forget(_: argparse.Namespace) -> None:
    """Remove the databases that the server's figures were taken with."""
    for engine in engines(Cache.named(os.environ, Path.home()).folder, os.environ):
        engine.forget()


def command_line() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("dev.py bench", description=__doc__, allow_abbrev=False)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.set_defaults(act=lambda _: parser.print_help(), runs=0, seconds=0)
    commands = parser.add_subparsers(title="commands", metavar="command")
    sized = option("--scale", type=float, default=1.0, help="0.1: corpora of a tenth")
    kept = option("--json", type=Path, metavar="FILE", help="write all of it there too")
    repeated = option("--runs", type=int, default=5, help="rounds (default: 5)")
    lasting = option("--seconds", type=float, default=300.0, help="of load (default: 300)")
    for name, act in EVERYTHING.items():
        parents = [sized, repeated if name in COMPARED else lasting, kept]
        command = commands.add_parser(name, help=act.__doc__, parents=parents)
        command.set_defaults(act=lambda options, name=name: measure([name], options))
    for name, (figures, about) in GROUPS.items():
        group = commands.add_parser(name, help=about, parents=[sized, repeated, kept])
        group.set_defaults(act=lambda options, figures=figures: measure(figures, options))
    documenting = commands.add_parser("document", help=document.__doc__)
    documenting.add_argument("figures", type=Path, help="what --json wrote")
    documenting.set_defaults(act=document)
    forgetting = commands.add_parser("forget", help=forget.__doc__)
    forgetting.set_defaults(act=forget)
    profiling = commands.add_parser("profile", help=show_profile.__doc__, parents=[sized])
    profiling.add_argument("--corpus", choices=CORPORA, default="codex-1g")
    profiling.set_defaults(act=show_profile)
    return parser


def option(name: str, **about: Any) -> argparse.ArgumentParser:
    """An option that several commands take."""
    parent = argparse.ArgumentParser(add_help=False)
    parent.add_argument(name, **about)
    return parent


def main() -> None:
    options = command_line().parse_args()
    try:
        options.act(options)
    except (BenchError, subprocess.CalledProcessError) as failure:
        sys.exit(f"Failed: {failure}")


if __name__ == "__main__":
    main()

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
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from corpus import CORPORA
from figures import FIGURES, Bench, Figure
from ground import Cache, Machine
from hotspots import profile
from measure import BenchError
from subjects import Peers, Vibescore

HEADINGS = ("figure", "ours", "peer", "ratio", "goal", "reached")
UNKNOWN = "–"
NOT_BUILT = "not built yet"


def measure(names: Iterable[str], options: argparse.Namespace) -> None:
    """Take the figures, print them, and write them down where that is asked for."""
    machine = Machine.here()
    cache = Cache.named(os.environ, Path.home())
    with tempfile.TemporaryDirectory(dir=cache.folder, prefix="run-") as scratch:
        peers = Peers(cache.peers, Path(scratch))
        bench = Bench(cache, Path(scratch), peers, options.runs, options.scale)
        figures = list(taken(names, bench))
    print(machine, *about(bench), "", *table(figures), sep="\n")
    if options.json:
        written = as_json(machine, bench, figures)
        options.json.write_text(json.dumps(written, indent=2, ensure_ascii=False) + "\n", "utf-8")


def taken(names: Iterable[str], bench: Bench) -> Iterator[Figure]:
    for name in names:
        print(f"Measuring {name}", file=sys.stderr, flush=True)
        yield from FIGURES[name](bench)


def about(bench: Bench) -> Iterator[str]:
    """What the figures were taken from."""
    yield from (corpus.about for corpus in bench.corpora.values())
    yield from bench.peers.remarks.values()
    if bench.scale != 1:
        yield f"At scale {bench.scale:g}, for a try: the goals are meant for scale 1"


def table(figures: Iterable[Figure]) -> Iterator[str]:
    """Aligned Markdown."""
    lines = [HEADINGS, *map(cells, figures)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, tuple("-" * width for width in widths))
    for line in lines:
        texts = (text.ljust(width) for text, width in zip(line, widths, strict=True))
        yield f"| {' | '.join(texts)} |"


def cells(figure: Figure) -> tuple[str, ...]:
    peer = amount(figure.peer, figure.unit)
    return (
        figure.what,
        amount(figure.ours, figure.unit) if figure.unit else NOT_BUILT,
        f"{peer} ({figure.peer_name})" if figure.peer_name else peer,
        times(figure.ratio),
        str(figure.goal or UNKNOWN),
        figure.reached or UNKNOWN,
    )


def amount(series: Sequence[float], unit: str) -> str:
    if not series:
        return UNKNOWN
    value = median(series)
    return f"{value:.3f} {unit}" if unit.startswith("s") else f"{value:,.1f} {unit}"


def times(ratio: float | None) -> str:
    if ratio is None:
        return UNKNOWN
    return f"{ratio:,.0f} ×" if ratio >= 100 else f"{ratio:.3g} ×"


def as_json(machine: Machine, bench: Bench, figures: Iterable[Figure]) -> dict[str, Any]:
    """The same for programs, with every single run."""
    return {
        "machine": asdict(machine),
        "scale": bench.scale,
        "runs": bench.runs,
        "corpora": {
            name: {"files": len(corpus.files), "bytes": corpus.size, "about": corpus.about}
            for name, corpus in bench.corpora.items()
        },
        "remarks": list(bench.peers.remarks.values()),
        "figures": [figure_as_json(figure) for figure in figures],
    }


def figure_as_json(figure: Figure) -> dict[str, Any]:
    return {
        "figure": figure.what,
        "unit": figure.unit,
        "ours": median(figure.ours) if figure.ours else None,
        "peer": median(figure.peer) if figure.peer else None,
        "peer_name": figure.peer_name,
        "ratio": figure.ratio,
        "goal": figure.goal and figure.goal._asdict(),
        "reached": figure.reached,
        "runs": {"ours": list(figure.ours), "peer": list(figure.peer)},
    }


def show_profile(options: argparse.Namespace) -> None:
    """Where the time of a first sync goes, by stage and by function."""
    cache = Cache.named(os.environ, Path.home())
    corpus = cache.corpus(options.corpus, options.scale)
    with tempfile.TemporaryDirectory(dir=cache.folder, prefix="run-") as scratch:
        text = profile(Vibescore(Path(scratch), corpus))
    print(corpus.about, text, sep="\n\n")


def command_line() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("dev.py bench", description=__doc__, allow_abbrev=False)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.set_defaults(act=lambda _: parser.print_help())
    commands = parser.add_subparsers(title="commands", metavar="command")
    sized, measuring = argparse.ArgumentParser(add_help=False), measuring_options()
    sized.add_argument("--scale", type=float, default=1.0, help="0.1: corpora of a tenth")
    for name, act in FIGURES.items():
        command = commands.add_parser(name, help=act.__doc__, parents=[sized, measuring])
        command.set_defaults(act=lambda options, name=name: measure([name], options))
    everything = commands.add_parser("all", help="All of these.", parents=[sized, measuring])
    everything.set_defaults(act=lambda options: measure(FIGURES, options))
    profiling = commands.add_parser("profile", help=show_profile.__doc__, parents=[sized])
    profiling.add_argument("--corpus", choices=CORPORA, default="codex-1g")
    profiling.set_defaults(act=show_profile)
    return parser


def measuring_options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--runs", type=int, default=5, help="rounds (default: 5)")
    options.add_argument("--json", type=Path, metavar="FILE", help="write all of it there too")
    return options


def main() -> None:
    options = command_line().parse_args()
    try:
        options.act(options)
    except (BenchError, subprocess.CalledProcessError) as failure:
        sys.exit(f"Failed: {failure}")


if __name__ == "__main__":
    main()
